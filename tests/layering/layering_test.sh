#!/usr/bin/env bash
# The layering rules hold in src/, and the check finds each kind of violation when there is one.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/check_includes.sh" "$SELENE_SOURCE_DIR"
for file in "$SELENE_SOURCE_DIR"/src/*/*.cpp; do  # every source is built
  grep -qw "${file##*/}" "${file%/*}/CMakeLists.txt" || { echo "$file is not in its CMakeLists.txt"; exit 1; }
done

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# expect good|bad FOLDER/FILE TEXT: a tree with this one file passes, or does not.
expect() {
  rm -rf "$work/src"
  mkdir -p "$work/src/${2%/*}"
  echo "$3" >"$work/src/$2"
  if "$here/check_includes.sh" "$work" >"$work/out"; then result=good; else result=bad; fi
  [ "$result" = "$1" ] || { echo "$2 with '$3' is $result, not $1"; cat "$work/out"; exit 1; }
}
expect good judge/a.cpp '#include "core/error.h"'
expect good judge/a.cpp '#include "judge/template.h"'
expect good judge/a.cpp '#include <vector>'
expect good engine/a.cpp '#include <llama.h>'
expect good judge/CMakeLists.txt 'selene_library(judge SOURCES cli.cpp DEPS engine core PRIVATE_DEPS yaml-cpp)'
expect bad core/a.cpp '#include "data/sample.h"'     # up
expect bad data/a.h ' #  include "net/download.h"'   # sideways
expect bad data/a.h '#include "../core/error.h"'     # relative
expect bad data/a.cpp '#include <data.h>
#include <llama.h>'                                  # a third party outside of its folder
expect bad judge/a.cpp '#include "CLI/CLI.hpp"'
expect bad cli/a.cpp '#include <ggml-cpu.h>'
expect bad other/a.cpp '#include <vector>'           # an unknown folder
expect bad data/CMakeLists.txt 'selene_library(data SOURCES a.cpp
  DEPS core
  PRIVATE_DEPS judge)'                               # a link that goes up
echo "layering holds"
