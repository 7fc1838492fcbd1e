# Every chore of the project. `make judge` and `make check` do all of their own set-up (see scripts/setup.sh).
.DEFAULT_GOAL := all
.PHONY: all judge tables train check fuzz bench package format lint clean help

jobs := $(shell getconf _NPROCESSORS_ONLN)
sources = $(shell git ls-files --cached --others --exclude-standard 'src/*.h' 'src/*.cpp' 'tests/*.h' 'tests/*.cpp' 'bench/*.cpp' 'examples/*.cpp')
FUZZ_SECONDS ?= 60

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

judge:  ## set up, build, fetch the default model, judge examples/answers.jsonl
	@scripts/setup.sh judge
	@scripts/build.sh judge
	@test -n "$$SELENE_MODEL" || build/selene models pull default
	@build/selene judge examples/answers.jsonl --format table

tables:  ## set up and build the program with DuckDB, to read Parquet, JSONL, JSON and CSV by SQL, and with report figures
	@scripts/setup.sh tables
	@scripts/build.sh judge -DSELENE_TABLES=ON

train:  ## set up and build the program with LibTorch, and train a judge on examples/train for two minutes
	@scripts/setup.sh train
	@scripts/build.sh judge -DSELENE_TRAIN=ON
	@test -n "$$SELENE_MODEL" || build/selene models pull default
	@build/selene train --config examples/train/two-minutes.yaml --out runs/two-minutes --overwrite

check:  ## set up, build everything, run all tests
	@scripts/setup.sh check
	@scripts/build.sh release
	@scripts/run_tests.sh release

all:  ## the program and its tests, left at build/selene
	@scripts/setup.sh check
	@scripts/build.sh release

bench:  ## build and run the benchmarks
	@scripts/setup.sh check
	@scripts/build.sh release -DSELENE_BENCH=ON
	@for program in build/bench/*_bench; do "$$program" || exit 1; done

fuzz:  ## run each fuzzer for FUZZ_SECONDS (60)
	@scripts/setup.sh check
	@scripts/build.sh fuzz
	@scripts/run_fuzzers.sh $(FUZZ_SECONDS)

package:  ## a tarball and a Debian package in dist/, for any x86-64 CPU with AVX2
	@scripts/package.sh

format:  ## format the sources in place
	@clang-format-14 -i $(sources)

lint:  ## formatting and clang-tidy, changing nothing
	@clang-format-14 --dry-run --Werror $(sources)
	@scripts/build.sh release
	@run-clang-tidy-14 -quiet -p build -j $(jobs) '/src/[a-z]+/[a-z_0-9]+\.cpp$$'

clean:  ## remove the build folders (the cache of fetched parts stays)
	@rm -rf build build-*
