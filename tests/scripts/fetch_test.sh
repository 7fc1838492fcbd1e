#!/usr/bin/env bash
# scripts/fetch.sh: a source that cannot be reached gives way to the next, a wrong checksum stops with both digests
# and keeps nothing, an interrupted download starts again, a part of plain files has them all. npm and git's remote are stood in for by small programs.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SELENE_CACHE="$work/cache" SELENE_LOCK="$work/lock" PATH="$work/bin:$PATH" HOME="$work"
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost
unset SELENE_SOURCES
fetch="$SELENE_SOURCE_DIR/scripts/fetch.sh"
fail() { echo "FAILED: $*"; sed 's/^/  | /' "$work/err"; exit 1; }

# A repository with one file, as a git bundle inside an npm package.
git init -q -b main "$work/upstream"
echo hello >"$work/upstream/file"
git -C "$work/upstream" add file
git -C "$work/upstream" commit -q -m one
git -C "$work/upstream" tag v1
mkdir -p "$work/package/llama" "$work/bin"
git -C "$work/upstream" bundle create -q "$work/package/llama/gitRelease.bundle" HEAD main
tar -czf "$work/good.tgz" -C "$work" package
tree="$(git -C "$work/upstream" rev-parse 'HEAD^{tree}')"
sha512="$(sha512sum "$work/good.tgz" | cut -d' ' -f1)"

# It serves NAME.tgz for NAME@VERSION where that is there.
cat >"$work/bin/npm" <<EOF
#!/bin/sh
for package; do :; done
own="$work/\${package%@*}.tgz"
test -e "\$own" && cp "\$own" . && echo "\${own##*/}" && exit
test -e "$work/served.tgz" || exit 1
cp "$work/served.tgz" part-1.0.0.tgz && echo part-1.0.0.tgz
EOF
chmod +x "$work/bin/npm"

# lock URL TREE: a lock file whose git source is URL.
lock() {
  printf '[part]\nversion = 1\ntree = %s\nsource = git %s v1\nsource = npm part@1.0.0 llama/gitRelease.bundle\nnpm_sha512 = %s\n' \
    "$2" "$1" "$sha512" >"$SELENE_LOCK"
}
run() { rm -rf "$SELENE_CACHE/"part-*; "$fetch" part >"$work/out" 2>"$work/err"; }

lock "file://$work/upstream" "$tree"
run || fail "the first source serves"
[ "$(cat "$(tail -n 1 "$work/out")/file")" = hello ] || fail "the folder holds the source"

lock "file://$work/nowhere" "$tree"
cp "$work/good.tgz" "$work/served.tgz"
run || fail "the second source serves when the first cannot be reached"
grep -q "cannot reach git file://$work/nowhere; trying the next" "$work/err" || fail "it says which source it passed over"

mkdir -p "$SELENE_CACHE/.part-part/source"  # what a killed run leaves behind
run || fail "an interrupted download starts again"

if SELENE_SOURCES=upstream run; then fail "SELENE_SOURCES=upstream tries no registry"; fi
grep -q "no source of part 1 could be reached" "$work/err" || fail "it says that there is no source left"

{ cat "$work/good.tgz"; echo damaged; } >"$work/served.tgz"
damaged="$(sha512sum "$work/served.tgz" | cut -d' ' -f1)"
if run; then fail "a damaged package is refused"; fi
grep -q "expected $sha512" "$work/err" && grep -q "got  *$damaged" "$work/err" || fail "both digests are said"
grep -q "part-1.0.0.tgz" "$work/err" || fail "the file is named"
[ -z "$(ls "$SELENE_CACHE")" ] && [ ! -e "$SELENE_CACHE/.part-part" ] || fail "nothing is kept"

lock "file://$work/upstream" 0123456789012345678901234567890123456789
if run; then fail "a changed upstream is refused"; fi
grep -q "got  *$tree" "$work/err" || fail "the tree it got is said"

# A part of plain files, of two packages.
mkdir -p "$work/package/deep"
echo header >"$work/package/deep/a.h"
tar -czf "$work/first.tgz" -C "$work" package/deep/a.h
echo library >"$work/package/a.so"
echo licence >"$work/package/LICENSE"
tar -czf "$work/second.tgz" -C "$work" package/a.so package/LICENSE
# lock_files SHA512_OF_SECOND [LINE]
lock_files() {
  printf '[part]\nversion = 1\nnpm_file = first@1 %s deep/a.h\nnpm_file = second@2 %s LICENSE a.so\n%s\n' \
    "$(sha512sum "$work/first.tgz" | cut -d' ' -f1)" "$1" "${2:-}" >"$SELENE_LOCK"
}
second="$(sha512sum "$work/second.tgz" | cut -d' ' -f1)"
lock_files "$second"
rm -rf "$SELENE_CACHE"
[ -z "$("$fetch" --cached part)" ] || fail "--cached says nothing of what is not there"
[ ! -e "$SELENE_CACHE" ] || fail "--cached makes nothing"
run || fail "a part of plain files"
folder="$(tail -n 1 "$work/out")"
[ "$(cd "$folder" && cat LICENSE a.h a.so)" = "licence
header
library" ] || fail "it has the files of both packages"
[ "$("$fetch" --cached part)" = "$folder" ] || fail "--cached names the folder"

rm -f "$work/served.tgz"
mv "$work/second.tgz" "$work/away.tgz"
if run; then fail "a package that is missing is an error"; fi
grep -q "cannot reach npm second@2" "$work/err" || fail "it is named"
[ -z "$(ls "$SELENE_CACHE")" ] || fail "nothing of the other package is kept"
mv "$work/away.tgz" "$work/second.tgz"

lock_files 0123
if run; then fail "a changed package of files is refused"; fi
grep -q "expected 0123 " "$work/err" && grep -q "got  *$second" "$work/err" || fail "both digests of it are said"
[ -z "$(ls "$SELENE_CACHE")" ] || fail "nothing of it is kept"

lock_files "$second" "system = Nowhere pdp11"
if run; then fail "another system's part is refused"; fi
grep -q "has part for Nowhere pdp11, and this is $(uname -sm): install part yourself" "$work/err" || fail "both systems are said"
echo "fetch.sh holds"
