# One libFuzzer program a file: tests/fuzz/X_fuzz.cpp -> build-fuzz/X_fuzz, started from tests/fuzz/corpus/X/ by
# scripts/run_fuzzers.sh. `fuzzers` builds them all.
add_custom_target(fuzzers)
file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/*_fuzz.cpp")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  add_executable(${name} "${file}")
  target_link_libraries(${name} PRIVATE selene_check selene_judge selene_data selene_core selene_flags)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
endforeach()
# The program's own check of an OUT.part, which stands in no library.
target_sources(judgments_fuzz PRIVATE "${PROJECT_SOURCE_DIR}/src/cli/judge_output.cpp")
