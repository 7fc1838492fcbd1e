#!/usr/bin/env bash
# Proves the README's first command on a bare Debian 12: makes one with debootstrap (minbase) in a temporary folder,
# puts in only git, make and ca-certificates, clones this repository into it and runs `make judge` there (or the
# targets or the `-c COMMAND` given), with the time of each phase. Needs root, debootstrap and about 5 GB.
# The package clients' configuration of this machine (apt, pip, npm, certificates, proxies) is copied into it.
# Usage: scripts/try_bare_debian.sh [--worktree] [--keep] [TARGET... | -c COMMAND]
#   --worktree  the working tree as it is, not a clone of HEAD      --keep  do not remove the folder
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ "$(id -u)" = 0 ] || die "needs root (it makes a chroot)"
command -v debootstrap >/dev/null || die "needs debootstrap"

# In a mount namespace of its own, so that nothing stays mounted whatever happens.
[ -n "${SELENE_BARE:-}" ] || SELENE_BARE=1 exec unshare --mount --propagation private "$0" "$@"

worktree= keep= command=
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

root="$(mktemp -d "${TMPDIR:-/tmp}/selene-bare.XXXXXX")"
chmod 755 "$root"
cleanup() {
  umount -R "$root/dev" "$root/proc" 2>/dev/null || true
  if [ -n "$keep" ]; then say "kept: $root"; else rm -rf --one-file-system "$root"; fi
}
trap cleanup EXIT

# inside CMD...: runs it in the bare Debian with a clean environment and only the clients' settings of this one.
settings=()
while IFS= read -r name; do settings+=("$name=${!name}"); done < <(compgen -e | grep -E \
  '^((http|https|no|all)_proxy|(HTTP|HTTPS|NO|ALL)_PROXY|PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT)|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|GIT_SSL_CAINFO)$' || true)
inside() {
  chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "${settings[@]}" "$@" </dev/null
}

phase() {
  local start=$SECONDS what="$1"
  shift
  say "--- $what"
  "$@" || die "$what failed after $((SECONDS - start)) s"
  times+=("$(printf '%5d s  %s' $((SECONDS - start)) "$what")")
}
times=()

copy_client_settings() {
  local path
  rm -f "$root/etc/apt/sources.list"
  for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/trusted.gpg.d /etc/pip.conf /etc/npmrc \
    /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates; do
    [ -e "$path" ] || continue
    mkdir -p "$root/${path%/*}"
    cp -rL "$path" "$root/${path%/*}/"
  done
  # Hooks of this machine's apt.conf.d call programs that a bare Debian lacks.
  grep -lE '(Pre|Post)-Invoke|-Hook' -r "$root/etc/apt/apt.conf.d" | xargs -r rm || true
}

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

phase "debootstrap" debootstrap --variant=minbase bookworm "$root" >/dev/null
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
copy_client_settings
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
