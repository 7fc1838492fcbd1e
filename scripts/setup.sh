#!/usr/bin/env bash
# Installs the distribution packages that a group needs (judge: to build and judge; tables: to read tables as well;
# train: to train; check: to test all of it; package: to make packages), and for tables and check fetches DuckDB and
# what the figures of the report page are drawn with.
# The lists are the [apt.*] sections of third_party.lock. A second run finds nothing missing and is quick.
# Usage: scripts/setup.sh judge|tables|train|check|package
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  judge) packages="$(lock_get apt.judge package)" ;;
  tables) packages="$(lock_get apt.judge package; lock_get apt.tables package)" ;;
  train) packages="$(lock_get apt.judge package; lock_get apt.train package)" ;;
  check) packages="$(lock_get apt.judge package; lock_get apt.tables package; lock_get apt.check package)" ;;
  package) packages="$(lock_get apt.judge package; lock_get apt.package package)" ;;
  *) die "usage: scripts/setup.sh judge|tables|train|check|package" ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  say "this is no Debian or Ubuntu, so nothing is installed; what is needed, by Debian 12 name:" $packages
else
  apt_install $packages
fi
case "$1" in
  tables) "$repo/scripts/fetch.sh" duckdb >/dev/null ;;
  check)
    (apt_install $(lock_get apt.train package)) || say "NOTE: there is no LibTorch: training is neither built nor tested"
    "$repo/scripts/fetch.sh" duckdb >/dev/null || say "NOTE: there is no DuckDB: the tests of tables are skipped" ;;
esac
case "$1" in tables | check)
  for part in d3 plot; do
    "$repo/scripts/fetch.sh" "$part" >/dev/null || say "NOTE: there is no $part: the report page is built without figures"
  done ;;
esac
