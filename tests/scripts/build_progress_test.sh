#!/usr/bin/env bash
# build_progress of scripts/lib.sh: a line every tenth of a build, and the compiler's words as they are.
set -euo pipefail
source "$SELENE_SOURCE_DIR/scripts/lib.sh"
said="$({ for share in $(seq 0 100); do printf '@%3d%% Building CXX object a.cpp.o\n' "$share"; done
          echo '  a.cpp:1: warning: odd'; } | build_progress)"
wanted="$(for share in $(seq 0 10 100); do echo "selene: built $share%"; done; echo '  a.cpp:1: warning: odd')"
[ "$said" = "$wanted" ] || die "FAILED: it said: $said"
[ -z "$(echo 'ninja: no work to do.' | build_progress)" ] || die "FAILED: nothing to do is said"
