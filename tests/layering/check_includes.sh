#!/usr/bin/env bash
# Fails when an #include in src/, or a DEPS in src/*/CMakeLists.txt, goes up or sideways, or when a third party's
# header is included outside of the folder it belongs to. The rules are in layers.txt beside this file.
# Usage: tests/layering/check_includes.sh ROOT
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$1"

{
  # FILE <tab> INCLUDED, for each #include; FILE <tab> FOLDER/, for each folder that a CMakeLists.txt links.
  grep -rHoE --include='*.h' --include='*.cpp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+' src |
    sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*["<]/\t/' || true
  for file in src/*/CMakeLists.txt; do
    [ -e "$file" ] || continue
    awk -v file="$file" '{
      sub(/#.*/, ""); gsub(/[()]/, " ")
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^(PRIVATE_DEPS|DEPS|PRIVATE)$/) { deps = 1; continue }
        if ($i ~ /^[A-Z_]+$/ || $i == "selene_library" || $i == "add_executable") deps = 0
        if (deps && $i ~ /^[a-z]+$/) print file "\t" $i "/"
      }
    }' "$file"
  done
} | awk -F '\t' -v rules="$here/layers.txt" '
  BEGIN {
    while ((getline line < rules) > 0) {
      if (line ~ /^#/ || line !~ /:/) continue
      head = tail = line
      sub(/:.*/, "", head); sub(/^[^:]*:[ ]*/, "", tail)
      if (sub(/^only /, "", head)) only[head] = " " tail " "
      else below[head] = tail
    }
  }
  function sees(from, to,    folders, n, i) {
    n = split(below[from], folders, " ")
    for (i = 1; i <= n; i++) if (folders[i] == to || sees(folders[i], to)) return 1
    return 0
  }
  function bad(reason) { print $1 ": " reason; failures++ }
  {
    split($1, path, "/"); from = path[2]
    if (!(from in below)) { bad("src/" from " is not in tests/layering/layers.txt"); next }
    for (pattern in only)
      if ($2 ~ "^" pattern && index(only[pattern], " " from " ") == 0) bad("<" $2 "> belongs to:" only[pattern])
    to = $2; sub(/\/.*/, "", to)
    if ($2 ~ /\// && to in below && to != from && !sees(from, to)) bad("src/" from " may not see " $2)
    if ($2 ~ /^\.\.\//) bad("includes start at src/: " $2)
  }
  END { exit failures > 0 }'
