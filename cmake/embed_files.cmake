# Run by selene_embed() at build time: writes OUTPUT, a C++ file with the bytes of FILES as character arrays
# (string literals have a length limit on some compilers, and a file may hold any bytes).
set(arrays "")
set(rows "")
set(i 0)
foreach(file IN LISTS FILES)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
  file(RELATIVE_PATH name "${ROOT}" "${file}")
  string(APPEND arrays "constexpr char kFile${i}[] = {${bytes}'\\0'};\n")
  string(APPEND rows "    {\"${name}\", {kFile${i}, sizeof kFile${i} - 1}},\n")
  math(EXPR i "${i} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// Made by cmake/embed_files.cmake.
#include \"core/embedded.h\"

namespace selene {
namespace {
${arrays}
constexpr EmbeddedFile kFiles[] = {
${rows}};
}  // namespace

std::span<const EmbeddedFile> ${FUNCTION}() { return kFiles; }

}  // namespace selene
")
