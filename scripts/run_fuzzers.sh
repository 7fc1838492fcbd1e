#!/usr/bin/env bash
# Runs every fuzzer of build-fuzz/ for some seconds, from its seeds in tests/fuzz/corpus/NAME/. New inputs go to
# build-fuzz/corpus/NAME/, so the seeds stay small; an input that fails is kept in build-fuzz/ and named.
# Usage: scripts/run_fuzzers.sh SECONDS [NAME...]      (NAME: template for template_fuzz)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seconds="${1:?usage: scripts/run_fuzzers.sh SECONDS [NAME...]}"
shift
cd "$repo/build-fuzz"
[ $# -gt 0 ] || for program in *_fuzz; do [ -x "$program" ] && set -- "$@" "${program%_fuzz}"; done
[ $# -gt 0 ] || die "there are no fuzzers in build-fuzz/"
for name; do
  seeds="$repo/tests/fuzz/corpus/$name"
  mkdir -p "corpus/$name"
  [ -d "$seeds" ] || seeds=
  say "fuzzing $name for $seconds s"
  "./${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    "corpus/$name" $seeds </dev/null
done
