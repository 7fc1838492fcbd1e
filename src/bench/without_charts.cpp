// A program that was built without d3 and Observable Plot.
#include "core/embedded.h"

namespace selene {

std::span<const EmbeddedFile> chart_files();

std::span<const EmbeddedFile> chart_files() { return {}; }

}  // namespace selene
