# llama.cpp: a libllama that CMake finds (a distribution's, or one in CMAKE_PREFIX_PATH), else the pinned one, built
# once into the cache by scripts/build_llama.sh. The Jinja sources always come from the pinned source.

# clang has no OpenMP of its own on Debian; ggml, built by gcc, asks for gcc's libgomp.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT APPLE AND NOT OpenMP_C_FLAGS)
  execute_process(COMMAND gcc -print-file-name=libgomp.so OUTPUT_VARIABLE libgomp OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET)
  if(EXISTS "${libgomp}")
    foreach(lang IN ITEMS C CXX)
      set(OpenMP_${lang}_FLAGS "-fopenmp=libgomp" CACHE STRING "")
      set(OpenMP_${lang}_LIB_NAMES gomp CACHE STRING "")
    endforeach()
    set(OpenMP_gomp_LIBRARY "${libgomp}" CACHE FILEPATH "")
  endif()
endif()

# Runs a script of scripts/ and returns the last line it prints; what it says on the way is shown.
function(selene_run_script out script)
  execute_process(COMMAND "${PROJECT_SOURCE_DIR}/scripts/${script}" ${ARGN}
                  OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "scripts/${script} failed; the reason is above")
  endif()
  string(REGEX REPLACE "^.*\n" "" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Everything is compiled for the CPU at hand; a package, for the level x86-64-v3.
set(SELENE_ARCH native)
if(SELENE_PACKAGE)
  set(SELENE_ARCH x86-64-v3)
  list(APPEND SELENE_LLAMA_ARGS -DGGML_NATIVE=OFF)
  foreach(feature IN ITEMS SSE42 AVX AVX2 BMI2 FMA F16C)
    list(APPEND SELENE_LLAMA_ARGS -DGGML_${feature}=ON)
  endforeach()
endif()

if(NOT SELENE_LLAMA_ARGS)
  find_package(llama QUIET NO_CMAKE_PACKAGE_REGISTRY)
endif()
# Our kernels (src/engine/accelerator.h) go through an interface of ggml that changes from version to version.
set(SELENE_ACCELERATOR 0)
if(NOT llama_FOUND)
  set(SELENE_ACCELERATOR 1)
  selene_run_script(SELENE_LLAMA_PREFIX build_llama.sh ${SELENE_LLAMA_ARGS})
  # ggml's package file remembers where its libraries were; another prefix has its own.
  get_cmake_property(names CACHE_VARIABLES)
  foreach(name IN LISTS names)
    if(name MATCHES "^(GGML_.*|ggml_DIR)$")
      unset(${name} CACHE)
    endif()
  endforeach()
  find_package(llama REQUIRED PATHS "${SELENE_LLAMA_PREFIX}" NO_DEFAULT_PATH)
  unset(llama_DIR CACHE)  # so that the next configure asks build_llama.sh again
endif()
message(STATUS "llama.cpp: ${LLAMA_LIB_DIR}")

# The chat templates' Jinja engine. Its JSON library is the copy beside it; ours is Debian's: their namespaces carry
# their versions (json_abi_v3_12_0, json_abi_v3_11_2), so the two do not meet.
selene_run_script(llama_source fetch.sh llama.cpp)
file(GLOB jinja_sources "${llama_source}/common/jinja/*.cpp")
add_library(selene_jinja STATIC ${jinja_sources} "${llama_source}/common/json.cpp" "${llama_source}/common/unicode.cpp")
target_include_directories(selene_jinja SYSTEM PUBLIC "$<BUILD_INTERFACE:${llama_source}/common>"
                           PRIVATE "${llama_source}/vendor")
target_link_libraries(selene_jinja PRIVATE ggml::ggml-base)
target_compile_options(selene_jinja PRIVATE -w)
set_target_properties(selene_jinja PROPERTIES EXPORT_NAME jinja)
