#!/usr/bin/env bash
# Runs the tests of a built preset with ctest, fetching the default model first when tests need it, and says aloud
# which tests were skipped and why. Usage: scripts/run_tests.sh PRESET [CTEST_ARG...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
preset="${1:?usage: scripts/run_tests.sh PRESET [CTEST_ARG...]}"
shift
cd "$repo"

warnings=()
if [ "$preset" != asan ] && [ -z "${SELENE_MODEL:-}" ]; then
  build/selene models pull default ||
    warnings+=("the default model could not be had: the tests with label 'model' are skipped")
fi
[ -d ../shared ] || warnings+=("../shared is not there: the tests on its data are skipped")

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
status=0
ctest --preset "$preset" -j "$(getconf _NPROCESSORS_ONLN)" "$@" </dev/null 2>&1 | tee "$log" | grep -vE '^ +Start +[0-9]+:' || status=1
grep -q '^100% tests passed' "$log" || status=1
skipped="$(grep -c '\*\*\*Skipped' "$log" || true)"
[ "$skipped" = 0 ] || warnings+=("$skipped tests were SKIPPED (listed above)")
for warning in "${warnings[@]}"; do say "NOTE: $warning"; done
exit "$status"
