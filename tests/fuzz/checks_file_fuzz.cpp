// A checks file as anyone may write it. Its plain checks look at an answer that has all fields.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "check/checks_file.h"
#include "core/error.h"
#include "core/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  try {
    const check::ChecksFile file =
        check::parse_checks({reinterpret_cast<const char*>(bytes), size}, "fuzz.yaml");
    ensure(!file.checks.empty(), "a file without checks");
    ensure(file.threshold > 0 && file.threshold <= 1, "a threshold that cannot be");
    std::set<std::string> names;
    for (const check::Check& one : file.checks) {
      ensure(names.insert(one.name).second, "two checks of one name");
      ensure(one.judged.has_value() != (one.plain != nullptr), "a check is one of two kinds");
      ensure(one.weight > 0, "a weight that cannot be");
      ensure(is_valid_utf8(one.description()), "a description is invalid UTF-8");
    }
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
