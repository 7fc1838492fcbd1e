# Run when the component `libraries` is installed: copies every shared library that `program` needs, glibc's excepted,
# to `libraries_dir`, the licences of their Debian packages to `licences_dir`, and lists these packages with their
# versions there.
set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${program}" RESOLVED_DEPENDENCIES_VAR libraries
     PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv)\\.so")
set(packages "")
foreach(library IN LISTS libraries)
  file(INSTALL "${library}" DESTINATION "${prefix}/${libraries_dir}" FOLLOW_SYMLINK_CHAIN)
  # The path that dpkg knows may begin with /usr/lib where the loader's begins with /lib.
  string(REGEX REPLACE "^(/usr)?/lib/" "*/" pattern "${library}")
  execute_process(COMMAND dpkg-query --search "${pattern}" OUTPUT_VARIABLE owner COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE ":.*" "" owner "${owner}")
  list(APPEND packages "${owner}")
endforeach()
list(REMOVE_DUPLICATES packages)
list(SORT packages)
foreach(package IN LISTS packages)
  file(COPY_FILE "/usr/share/doc/${package}/copyright" "${CMAKE_CURRENT_BINARY_DIR}/${package}")
  file(INSTALL "${CMAKE_CURRENT_BINARY_DIR}/${package}" DESTINATION "${prefix}/${licences_dir}")
endforeach()
execute_process(COMMAND dpkg-query --show ${packages} OUTPUT_VARIABLE versions COMMAND_ERROR_IS_FATAL ANY)
file(WRITE "${prefix}/${licences_dir}/libraries.txt" "${versions}")
