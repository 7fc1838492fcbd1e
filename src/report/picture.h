// A chart into a file, in the format that the file's name ends with.
#pragma once

#include <filesystem>
#include <string>

namespace selene::report {

// .svg as it is; .png through rsvg-convert (Debian: librsvg2-bin), two pixels to a unit. Written
// whole or not at all. Throws Error: another ending, no rsvg-convert, a file that cannot be
// written.
void write_picture(const std::filesystem::path& file, const std::string& svg);

}  // namespace selene::report
