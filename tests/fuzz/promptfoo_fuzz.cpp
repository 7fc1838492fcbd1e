// A promptfoo configuration as it may come. What is imported is a checks file that we read.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "check/checks_file.h"
#include "check/promptfoo.h"
#include "core/error.h"
#include "core/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  try {
    const auto read = [](const std::filesystem::path& name) -> std::string {
      throw Error("there is no such file", name.string());
    };
    const check::PromptfooImport import =
        check::import_promptfoo({.config = {reinterpret_cast<const char*>(bytes), size},
                                 .name = "fuzz.yaml",
                                 .results = nullptr,
                                 .read = read});
    for (const std::string& line : import.dropped)
      ensure(is_valid_utf8(line), "a message is invalid UTF-8");
    if (import.check_count == 0) return 0;
    const check::ChecksFile file = check::parse_checks(import.checks, "imported.yaml");
    ensure(file.checks.size() == import.check_count, "checks are lost");
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
    ensure(!failure.where().starts_with("imported.yaml"), "an import that we do not read");
  }
  return 0;
}
