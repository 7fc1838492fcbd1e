# The libraries of the distribution. Each is linked by one folder only, beside fmt and JSON (see tests/layering).
# selene_find(PACKAGE DEBIAN_NAME): find_package, or an error that says how to install it.
macro(selene_find package debian)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} was not found: `scripts/setup.sh check` installs it (Debian: ${debian})")
  endif()
endmacro()

selene_find(fmt libfmt-dev)
selene_find(nlohmann_json nlohmann-json3-dev)
selene_find(OpenSSL libssl-dev)
selene_find(CURL libcurl4-openssl-dev)
selene_find(yaml-cpp libyaml-cpp-dev)
selene_find(CLI11 libcli11-dev)
selene_find(SQLite3 libsqlite3-dev)
find_package(Threads REQUIRED)
if(NOT TARGET yaml-cpp::yaml-cpp)  # before yaml-cpp 0.8
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED GLOBAL)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()
