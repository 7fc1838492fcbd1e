#!/usr/bin/env bash
# Installs the distribution packages that a group needs (judge: to build and judge; check: to test as well;
# package: to make packages).
# The lists are the [apt.*] sections of third_party.lock. A second run finds nothing missing and is quick.
# Usage: scripts/setup.sh judge|check|package
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  judge) packages="$(lock_get apt.judge package)" ;;
  check) packages="$(lock_get apt.judge package; lock_get apt.check package)" ;;
  package) packages="$(lock_get apt.judge package; lock_get apt.package package)" ;;
  *) die "usage: scripts/setup.sh judge|check|package" ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  say "this is no Debian or Ubuntu, so nothing is installed; what is needed, by Debian 12 name:" $packages
  exit 0
fi
apt_install $packages
