#!/usr/bin/env bash
# The README's commands run: each `sh` block after `<!-- test -->`, in order, in one shell, in a folder that looks like
# the repository; every `make` target and every linked file that the documents name is there.
set -euo pipefail
cd "$SELENE_SOURCE_DIR"
fail() { echo "FAILED: $*"; exit 1; }

for target in $(grep -ohE '(^|`)make [a-z]+' README.md CONTRIBUTING.md | sed 's/.*make //' | sort -u); do
  grep -qE "^$target:" Makefile || fail "there is no target 'make $target'"
done
for document in *.md docs/*.md; do
  for link in $(grep -oE '\]\([^)#: ]+[)#]' "$document" | sed 's/](\(.*\).\{1\}$/\1/' | sort -u); do
    [ -e "$(dirname "$document")/$link" ] || fail "$document links $link, which is not there"
  done
done

"$SELENE_PROGRAM" doctor >/dev/null || { echo "SKIPPED: the default model is not on this machine"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
ln -s "$(dirname "$SELENE_PROGRAM")" "$work/build"
ln -s "$SELENE_SOURCE_DIR/examples" "$work/examples"
awk '/^<!-- test -->$/ { wanted = 1; next }
     /^```/ { if (inside) { inside = 0; print "" } else { inside = wanted && $0 == "```sh"; wanted = 0 } ; next }
     inside' README.md >"$work/readme.sh"
[ "$(wc -l <"$work/readme.sh")" -gt 20 ] || fail "the README has hardly any command that runs"
cd "$work"
SELENE_DATA_HOME="$work/data"
mkdir data
models="$(dirname "$("$SELENE_PROGRAM" models --json | sed -n 's/.*"path": "\(.*\)".*/\1/p' | head -n 1)")"
ln -s "$models" data/models
export SELENE_DATA_HOME
GOMP_SPINCOUNT=10000 bash -euo pipefail readme.sh || fail "a command of the README"
[ "$(wc -l <judgments.jsonl)" = 3 ] || fail "three judgments"
grep -q '"label":"' judgments.jsonl || fail "with a label"
echo "the README holds"
