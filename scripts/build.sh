#!/usr/bin/env bash
# Configures a preset of CMakePresets.json and builds it, with one line of progress instead of a wall of text.
# Usage: scripts/build.sh PRESET [CMAKE_ARG...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset="${1:?usage: scripts/build.sh PRESET [CMAKE_ARG...]}"
shift
cd "$repo"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
cmake --preset "$preset" "$@" >"$log" || { cat "$log" >&2; die "could not configure the preset $preset"; }
# ninja's lines replace one another on a terminal; a log has one every tenth of the way, warnings and errors.
if [ -t 1 ]; then cmake --build --preset "$preset"
else NINJA_STATUS='@%p ' cmake --build --preset "$preset" | build_progress
fi
