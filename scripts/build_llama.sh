#!/usr/bin/env bash
# Builds libllama and ggml (static, Release, for this CPU) from the pinned source and prints the install prefix.
# The prefix lies in the cache; its name holds a hash of the compiler, the options and the CPU's features, so
# another machine or option set gets its own build and the same one is built once.
# Usage: scripts/build_llama.sh [CMAKE_ARG...]     e.g. -DGGML_CUDA=ON, -DGGML_VULKAN=ON, -DGGML_METAL=ON
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

options=(
  -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DGGML_NATIVE=ON -DGGML_OPENMP=ON -DLLAMA_BUILD_IS_DEV=OFF
  -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF
  -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
  "$@"
)

cpu_features() {
  if [ -r /proc/cpuinfo ]; then grep -m 1 -E '^(flags|Features)' /proc/cpuinfo | tr ' ' '\n' | sort
  else sysctl -n machdep.cpu.brand_string 2>/dev/null || uname -m
  fi
}
version="$(lock_get llama.cpp version)"
key="$({ lock_get llama.cpp tree; "${CC:-cc}" --version; "${CXX:-c++}" --version; printf '%s\n' "${options[@]}"; cpu_features; } \
  | sha256sum | cut -c 1-12)"
prefix="$cache/llama-$version-$key"
[ -f "$prefix/done" ] && { echo "$prefix"; exit 0; }

source_dir="$("$repo/scripts/fetch.sh" llama.cpp | tail -n 1)"
[ -n "$source_dir" ] || exit 1
exec 9>"$cache/.lock-llama-$key"
flock 9
[ -f "$prefix/done" ] && { echo "$prefix"; exit 0; }  # another build made it while we waited

build="$cache/.build-llama-$key"
log="$cache/llama-$version-$key.log"
jobs="$(getconf _NPROCESSORS_ONLN)"
rm -rf "$prefix"
command -v ccache >/dev/null &&
  options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache) ||
  options+=(-DGGML_CCACHE=OFF)
command -v ninja >/dev/null && options+=(-G Ninja)

# progress: turns ninja's [done/total] lines into one line on a terminal, a line every 10 seconds in a log.
progress() {
  local start=$SECONDS said=$SECONDS line
  while IFS= read -r line; do
    echo "$line" >>"$log"
    [[ $line =~ ^\[\ *([0-9]+[/%][0-9]*)\]? ]] || continue
    if [ -t 2 ]; then printf '\rselene: llama.cpp %s, %d s ' "${BASH_REMATCH[1]}" $((SECONDS - start)) >&2
    elif ((SECONDS - said >= 10)); then said=$SECONDS; say "llama.cpp ${BASH_REMATCH[1]}, $((SECONDS - start)) s"
    fi
  done
  [ ! -t 2 ] || echo >&2
}

say "building llama.cpp $version (once for this machine; log: $log)"
: >"$log"
if ! { cmake -S "$source_dir" -B "$build" -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib "${options[@]}" &&
  cmake --build "$build" -j "$jobs" && cmake --install "$build"; } 2>&1 </dev/null | progress
then
  tail -n 30 "$log" >&2
  die "llama.cpp could not be built; the whole log: $log"
fi
touch "$prefix/done"
rm -rf "$build"
echo "$prefix"
