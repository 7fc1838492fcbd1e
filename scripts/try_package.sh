#!/usr/bin/env bash
# Proves the files of dist/ (scripts/package.sh) on bare Debian 12 systems: the tarball on one without any package of
# ours, the Debian package on another. Each says its version, looks itself over and judges a sample with the default
# model, which is copied in; the tarball also downloads over TLS, refused without the server's certificate authority and
# done with it among the system's. With qemu-user, the tarball runs on a CPU without AVX-512 and is refused on one without
# AVX2. Needs root, debootstrap, openssl, python3 and about 1 GB.
# Usage: scripts/try_package.sh [--keep]       SELENE_MODEL  the default model's file
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/bare_debian.sh"
[ "${1:-}" != --keep ] || keep=yes

store=.local/share/selene/models
model="${SELENE_MODEL:-$HOME/$store/smollm2-135m-instruct-q8_0.gguf}"
tarball="$(echo "$repo"/dist/selene-*-linux-x86_64.tar.gz)"
package="$(echo "$repo"/dist/selene_*_amd64.deb)"
for file in "$model" "$tarball" "$package"; do [ -f "$file" ] || die "$file is not there"; done
(cd "$repo/dist" && sha256sum --quiet -c ./*.sha256) || die "a file of dist/ does not match its sha256"
sample=(judge --task classification --input "2+2?" --response 4 --criteria "Is the answer right?" --mode verdict)

# try_program PROGRAM: what anyone would run first.
try_program() {
  mkdir -p "$root/root/$store"
  cp "$model" "$root/root/$store/"
  phase "$1 --version" inside "$1" --version
  phase "$1 doctor" inside "$1" doctor
  phase "$1 judge" inside "$1" "${sample[@]}"
}

# pull PROGRAM: a model from an https server on this machine.
pull() { inside env -u SSL_CERT_FILE no_proxy=localhost SELENE_HF_ENDPOINT=https://localhost:18443 "$1" models pull hf:o/r/m.gguf 2>&1; }
refused() { ! pull "$1" >"$work/out" && grep -q "certificate is not trusted" "$work/out" || { cat "$work/out"; return 1; }; }

# try_tls PROGRAM
try_tls() {
  local served="$work/served/o/r/resolve/main"
  mkdir -p "$served"
  cp "$model" "$served/m.gguf"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  python3 - "$work" >"$work/server.log" 2>&1 <<'PYTHON' &
import functools, http.server, ssl, sys
work = sys.argv[1]
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=work + "/served")
server = http.server.ThreadingHTTPServer(("localhost", 18443), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(work + "/cert.pem", work + "/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
  server=$!
  trap 'kill $server 2>/dev/null; remove_bare_debian' EXIT
  sleep 1
  rm -rf "$root/etc/ssl/certs"
  phase "a download without certificates is refused" refused "$1"
  phase "apt-get install ca-certificates" inside sh -c \
    'apt-get update -qq && apt-get install -qq -y --no-install-recommends ca-certificates >/dev/null 2>&1'
  phase "a download from an unknown server is refused" refused "$1"
  cp "$work/cert.pem" "$root/usr/local/share/ca-certificates/try-package.crt"
  inside update-ca-certificates >/dev/null 2>&1
  phase "a download with the system's certificates" pull "$1"
}

# on_cpu CPU ARG...: the tarball's program on an emulated CPU, with the libraries of the bare Debian.
on_cpu() {
  local cpu="$1"
  shift
  OMP_WAIT_POLICY=passive HOME="$root/root" qemu-x86_64 -cpu "$cpu" -L "$root" "$root$program" "$@" 2>&1 | grep -v "TCG doesn't support"
}
needs_avx2() { ! on_cpu Nehalem --version >"$work/out" && grep "needs a processor with AVX2" "$work/out"; }

make_bare_debian tarball
tar -xzf "$tarball" -C "$root/opt"
program="/opt/$(basename "$tarball" .tar.gz)/bin/selene"
try_program "$program"
if command -v qemu-x86_64 >/dev/null; then
  phase "a CPU without AVX2 is refused" needs_avx2
  phase "a CPU without AVX-512 judges" on_cpu Haswell "${sample[@]}" --no-ledger
else
  say "NOTE: qemu-user is not there: other CPUs are SKIPPED"
fi
try_tls "$program"

make_bare_debian deb
cp "$package" "$root/tmp/"
phase "apt-get install ./${package##*/}" inside sh -c \
  "apt-get update -qq && apt-get install -qq -y --no-install-recommends ./tmp/${package##*/} >/dev/null"
try_program selene

say "times:"
printf '%s\n' "${times[@]}" >&2
