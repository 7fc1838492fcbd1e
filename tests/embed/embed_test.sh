#!/usr/bin/env bash
# Another CMake project links libselene: examples/embed is configured, built and run, once with the repository by
# add_subdirectory and once with an installed selene by find_package.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
command -v ninja >/dev/null && launcher+=(-G Ninja)

build_and_run() {
  echo "--- $1"
  cmake -S "$SELENE_SOURCE_DIR/examples/embed" -B "$work/$1" -DCMAKE_BUILD_TYPE=Release "${launcher[@]}" "${@:2}" >"$work/log" ||
    { cat "$work/log"; exit 1; }
  cmake --build "$work/$1" --target embed -j "$(getconf _NPROCESSORS_ONLN)" >"$work/log" || { cat "$work/log"; exit 1; }
  "$work/$1/embed"
}
build_and_run by_subdirectory
cmake --install "$SELENE_BUILD_DIR" --prefix "$work/prefix" >/dev/null
build_and_run by_find_package -DEMBED_INSTALLED=ON -DCMAKE_PREFIX_PATH="$work/prefix"
