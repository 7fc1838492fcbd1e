# selene_embed(TARGET FUNCTION [ROOT FOLDER] FILE...)
#
# Compiles files into TARGET and defines `std::span<const selene::EmbeddedFile> selene::FUNCTION()` (declared in
# core/embedded.h), with each file under its path from ROOT (default: the root of the repository). A changed file is
# embedded again.
set(SELENE_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake")

function(selene_embed target function)
  cmake_parse_arguments(ARG "" "ROOT" "" ${ARGN})
  if(NOT ARG_ROOT)
    set(ARG_ROOT "${PROJECT_SOURCE_DIR}")
  endif()
  set(files ${ARG_UNPARSED_ARGUMENTS})
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${ARG_ROOT}" "-DFUNCTION=${function}" "-DOUTPUT=${output}" "-DFILES=${files}"
            -P "${SELENE_EMBED_SCRIPT}"
    DEPENDS ${files} "${SELENE_EMBED_SCRIPT}"
    COMMENT "Embedding ${function}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
