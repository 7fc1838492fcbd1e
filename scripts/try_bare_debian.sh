#!/usr/bin/env bash
# Proves the README's first command on a bare Debian 12: makes one with debootstrap (minbase) in a temporary folder,
# puts in only git, make and ca-certificates, clones this repository into it and runs `make judge` there (or the
# targets or the `-c COMMAND` given), with the time of each phase. Needs root, debootstrap and about 5 GB.
# Usage: scripts/try_bare_debian.sh [--worktree] [--keep] [TARGET... | -c COMMAND]
#   --worktree  the working tree as it is, not a clone of HEAD      --keep  do not remove the folder
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/bare_debian.sh"

worktree= command=
while [ $# -gt 0 ]; do
  case "$1" in
    --worktree) worktree=yes; shift ;;
    --keep) keep=yes; shift ;;
    -c) command="$2"; shift 2 ;;
    -*) die "unknown option $1" ;;
    *) break ;;
  esac
done
targets=("${@:-judge}")

copy_repository() {
  if [ -n "$worktree" ]; then
    mkdir -p "$root/root/selene.cpp"
    (cd "$repo" && git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do test ! -e "$f" || printf "%s\0" "$f"; done' sh |
      tar -c --null -T - -f -) | tar -x -C "$root/root/selene.cpp"
    inside git -C /root/selene.cpp init -q
  else
    git clone -q "$repo" "$root/root/selene.cpp"
  fi
}

make_bare_debian debian
phase "apt-get install git make ca-certificates" inside sh -c \
  'apt-get update -qq && apt-get install -qq -y --no-install-recommends git make ca-certificates >/dev/null 2>&1'
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
phase "git clone" copy_repository
if [ -n "$command" ]; then
  phase "$command" inside bash -c "cd /root/selene.cpp && $command"
else
  for target in "${targets[@]}"; do
    phase "make $target" inside make -C /root/selene.cpp "$target"
    phase "make $target, again" inside make -C /root/selene.cpp "$target"
  done
fi
say "times:"
printf '%s\n' "${times[@]}" >&2
