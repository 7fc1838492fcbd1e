# Bare Debian 12 systems (debootstrap, minbase) in a temporary folder, for scripts that prove something on one; sourced
# by them, after lib.sh. They are in a mount namespace of their own, so that nothing stays mounted whatever happens.
# The package clients' configuration of this machine (apt, pip, npm, certificates, proxies) is copied into them.
# With `keep` not empty the folder stays.
[ "$(id -u)" = 0 ] || die "needs root (it makes a chroot)"
command -v debootstrap >/dev/null || die "needs debootstrap"
[ -n "${SELENE_BARE:-}" ] || SELENE_BARE=1 exec unshare --mount --propagation private "$0" "$@"

keep=
work="$(mktemp -d "${TMPDIR:-/tmp}/selene-bare.XXXXXX")"
chmod 755 "$work"
remove_bare_debian() {
  for root in "$work"/*/; do umount -R "$root/dev" "$root/proc" 2>/dev/null || true; done
  if [ -n "$keep" ]; then say "kept: $work"; else rm -rf --one-file-system "$work"; fi
}
trap remove_bare_debian EXIT

# make_bare_debian NAME: makes one and sets `root` to its folder, where `inside` runs things.
make_bare_debian() {
  root="$work/$1"
  mkdir "$root"
  phase "debootstrap ($1)" debootstrap --variant=minbase bookworm "$root" >/dev/null
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  copy_client_settings
}

# inside CMD...: runs it in the bare Debian with a clean environment and only the clients' settings of this one.
settings=()
while IFS= read -r name; do settings+=("$name=${!name}"); done < <(compgen -e | grep -E \
  '^((http|https|no|all)_proxy|(HTTP|HTTPS|NO|ALL)_PROXY|PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT)|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|GIT_SSL_CAINFO)$' || true)
inside() {
  chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "${settings[@]}" "$@" </dev/null
}

# phase WHAT CMD...: runs it, dies when it fails; `times` gets a line.
times=()
phase() {
  local start=$SECONDS what="$1"
  shift
  say "--- $what"
  "$@" || die "$what failed after $((SECONDS - start)) s"
  times+=("$(printf '%5d s  %s' $((SECONDS - start)) "$what")")
}

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
