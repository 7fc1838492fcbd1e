# selene::selene, everything that another CMake project links, by add_subdirectory or by find_package(selene) after
# `cmake --install`.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY SELENE_LIBRARIES)
add_library(selene_selene INTERFACE)
add_library(selene::selene ALIAS selene_selene)
set_target_properties(selene_selene PROPERTIES EXPORT_NAME selene)
target_link_libraries(selene_selene INTERFACE ${libraries})

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/selene")
install(TARGETS selene_selene selene_jinja ${libraries} EXPORT selene ARCHIVE)
install(EXPORT selene NAMESPACE selene:: FILE selene-targets.cmake DESTINATION "${package_dir}")
install(DIRECTORY src/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/selene" FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE)
configure_package_config_file(cmake/selene-config.cmake.in "${PROJECT_BINARY_DIR}/selene-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/selene-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/selene-config.cmake" "${PROJECT_BINARY_DIR}/selene-config-version.cmake"
        DESTINATION "${package_dir}")
if(SELENE_DUCKDB_LIBRARY)
  install(FILES "${SELENE_DUCKDB_LIBRARY}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(selene PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
endif()
