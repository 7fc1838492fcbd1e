# selene_embed(TARGET FUNCTION FILE...)
#
# Compiles files into TARGET and defines `std::span<const selene::EmbeddedFile> selene::FUNCTION()` (declared in
# core/embedded.h), with each file under its path from the root of the repository. A changed file is embedded again.
set(SELENE_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake")

function(selene_embed target function)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${PROJECT_SOURCE_DIR}" "-DFUNCTION=${function}" "-DOUTPUT=${output}"
            "-DFILES=${ARGN}" -P "${SELENE_EMBED_SCRIPT}"
    DEPENDS ${ARGN} "${SELENE_EMBED_SCRIPT}"
    COMMENT "Embedding ${function}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
