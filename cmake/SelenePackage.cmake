# What scripts/package.sh packs with CPack (docs/package.md). The component `program` is the program and its documents;
# `libraries` are the shared libraries that the tarball carries and the Debian package names as dependencies.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64"
   OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "SELENE_PACKAGE needs g++ on x86-64 Linux")
endif()

# DT_RPATH, not DT_RUNPATH: the libraries find one another by that of the program.
set_target_properties(selene PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/selene")
target_link_options(selene PRIVATE -Wl,--disable-new-dtags)

set(licences "${CMAKE_INSTALL_DOCDIR}/licences")
install(FILES README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright COMPONENT program)
install(DIRECTORY docs examples DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program PATTERN embed EXCLUDE)
# Of what is compiled in.
install(FILES "${llama_source}/LICENSE" DESTINATION "${licences}" RENAME llama.cpp COMPONENT program)
if(SELENE_CHARTS)
  foreach(part IN ITEMS d3 plot)
    install(FILES "${PROJECT_BINARY_DIR}/charts/${part}.licence" DESTINATION "${licences}" RENAME ${part} COMPONENT program)
  endforeach()
endif()
foreach(debian IN ITEMS nlohmann-json3-dev libcli11-dev libvalijson-dev)
  install(FILES "/usr/share/doc/${debian}/copyright" DESTINATION "${licences}" RENAME ${debian} COMPONENT program)
endforeach()
# The texts that Debian's copyright files refer to.
install(DIRECTORY /usr/share/common-licenses DESTINATION "${licences}" COMPONENT libraries)
install(CODE "
  set(program \"$<TARGET_FILE:selene>\")
  set(libraries_dir \"lib/selene\")
  set(licences_dir \"${licences}\")" COMPONENT libraries)
install(SCRIPT cmake/bundle_libraries.cmake COMPONENT libraries)

set(CPACK_PACKAGE_VENDOR "selene.cpp")
set(CPACK_PACKAGE_CONTACT "The selene.cpp developers")
set(CPACK_PACKAGE_DESCRIPTION "It reads an answer, writes a critique, and gives a verdict and a probability for every
label that it could have given. llama.cpp runs the model.")
set(CPACK_PACKAGE_FILE_NAME "selene-${PROJECT_VERSION}-linux-x86_64")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-pip")  # Brings the default model.
include(CPack)
