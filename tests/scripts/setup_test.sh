#!/usr/bin/env bash
# scripts/setup.sh: installs what is missing and only that, does nothing when nothing is, goes on where there is no
# apt-get; and no script of ours names a package registry's host. dpkg and apt-get are stood in for.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SELENE_LOCK="$work/lock" LOG="$work/log"
setup="$SELENE_SOURCE_DIR/scripts/setup.sh"
fail() { echo "FAILED: $*"; cat "$work/err" "$LOG"; exit 1; }

mkdir "$work/bin" "$work/bare"
for tool in bash env cat dirname id awk sed sort comm mktemp rm tail; do ln -s "$(command -v $tool)" "$work/bare/"; done
printf '#!/bin/sh\nfor p in here lib; do echo "installed $p"; done\n' >"$work/bin/dpkg-query"
printf '#!/bin/sh\necho "apt-get $*" >>"$LOG"\n' >"$work/bin/apt-get"
printf '#!/bin/sh\n"$@"\n' >"$work/bin/sudo"
chmod +x "$work/bin"/*
run() { : >"$LOG"; PATH="$1" "$setup" judge >"$work/out" 2>"$work/err"; }

printf '[apt.judge]\npackage = here\npackage = absent\n[apt.check]\npackage = tested\n' >"$SELENE_LOCK"
run "$work/bin:$work/bare" || fail "it installs"
grep -q 'install .* absent$' "$LOG" || fail "only what is missing is installed"

printf '[apt.judge]\npackage = here\npackage = lib\n' >"$SELENE_LOCK"
run "$work/bin:$work/bare" || fail "nothing to do"
[ ! -s "$LOG" ] || fail "apt-get is not called when nothing is missing"

run "$work/bare" || fail "it goes on without apt-get"
grep -q 'here lib' "$work/err" || fail "it says what is needed"
echo "setup.sh holds"
