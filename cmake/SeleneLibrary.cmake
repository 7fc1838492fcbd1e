# selene_library(NAME [APART] SOURCES file... [DEPS target...] [PRIVATE_DEPS target...])
#
# The static library selene_NAME of the folder src/NAME, also known as selene::NAME. A dependency that is the name of
# another folder (core, data, ...) stands for its library. The include root is src/. DEPS show in our headers;
# PRIVATE_DEPS do not. One that stands APART is no part of selene::selene.
set_property(GLOBAL PROPERTY SELENE_LIBRARIES "")

function(selene_library name)
  cmake_parse_arguments(ARG "APART" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target selene_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(selene::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>"
                                              "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/selene>")
  selene_link(${target} PUBLIC ${ARG_DEPS})
  selene_link(${target} PRIVATE ${ARG_PRIVATE_DEPS})
  target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:selene_flags>")
  if(NOT ARG_APART)
    set_property(GLOBAL APPEND PROPERTY SELENE_LIBRARIES ${target})
  endif()
endfunction()

# selene_link(TARGET PUBLIC|PRIVATE name...): links folders by their short name and anything else as it is.
function(selene_link target scope)
  foreach(dep IN LISTS ARGN)
    if(TARGET selene_${dep})
      set(dep selene_${dep})
    endif()
    target_link_libraries(${target} ${scope} ${dep})
  endforeach()
endfunction()
