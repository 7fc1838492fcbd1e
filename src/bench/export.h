// The judgments of a run in the files that other programs' scorers read.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace selene::bench {

struct ExportFormat {
  std::string_view name;
  std::string_view help;
  // The text of the file. Throws Error where the benchmark is none for this format.
  std::string (*write)(const std::filesystem::path& folder, const std::string& benchmark);
};

std::span<const ExportFormat> export_formats();
// Throws Error that names the known ones.
const ExportFormat& find_export_format(std::string_view name);

}  // namespace selene::bench
