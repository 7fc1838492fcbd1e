#include "report/picture.h"

#include "core/error.h"
#include "core/file.h"
#include "core/process.h"

namespace selene::report {

void write_picture(const std::filesystem::path& file, const std::string& svg) {
  const std::string ending = file.extension().string();
  if (ending == ".svg") return write_file_atomically(file, svg);
  if (ending != ".png")
    throw Error("a picture is .svg or .png", file.string(), "end the file's name so");
  const ScratchFolder scratch(std::filesystem::temp_directory_path(), "selene-picture-");
  const std::filesystem::path drawing = scratch.path() / "drawing.svg";
  const std::filesystem::path picture = scratch.path() / "picture.png";
  write_file_atomically(drawing, svg);
  const Finished converted = run_program(
      {"rsvg-convert", "--zoom", "2", "--output", picture.string(), drawing.string()},
      "install it (Debian, Ubuntu: sudo apt-get install librsvg2-bin), or ask for .svg");
  if (converted.exit_code != 0)
    throw Error("rsvg-convert failed: " + last_lines(converted.output), file.string());
  write_file_atomically(file, read_file(picture));
}

}  // namespace selene::report
