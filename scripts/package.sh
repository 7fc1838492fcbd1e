#!/usr/bin/env bash
# Makes the release files, each with its sha256 beside it, in a new dist/ (docs/package.md): a tarball with the libraries
# that the program needs, and a Debian package that names them. The program needs the glibc of the system that this
# runs on or a newer one, so a release is made on Debian 12. Usage: scripts/package.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$repo"

system="$(. /etc/os-release && echo "$ID $VERSION_ID")"
[ "$system" = "debian 12" ] || say "NOTE: this is $system, not debian 12; older systems than this cannot run what is made"
scripts/setup.sh package
scripts/build.sh package

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
pack() { (cd build-package && cpack -B "$repo/build-package/packages" "$@") >>"$log" 2>&1 || { cat "$log" >&2; die "cpack $* failed"; }; }
rm -rf build-package/packages dist
pack -G TGZ -D CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY=ON -D "CPACK_COMPONENTS_ALL=program;libraries"
pack -G DEB -D CPACK_COMPONENTS_ALL=program
mkdir dist
mv build-package/packages/*.tar.gz build-package/packages/*.deb dist/
cd dist
for file in *; do sha256sum "$file" >"$file.sha256"; done
du -h --apparent-size -- *.tar.gz *.deb | sed 's|\t|  dist/|'
