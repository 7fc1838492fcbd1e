// The judgments of an OUT.part that others have written to: counted, or refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "cli/judge_output.h"
#include "core/error.h"
#include "core/text.h"
#include "data/input_rows.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  static const data::InputRows input =
      data::InputRows::from_text(R"({"id": "a", "task": "absolute", "input": "I", "response": "R"})"
                                 "\n"
                                 R"({"task": "classification", "input": "I", "response": "R"})"
                                 "\n",
                                 "rows.jsonl");
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const fuzz::MemoryFile part(text);
  const auto ends = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  const size_t lines = ends + (text.empty() || text.ends_with('\n') ? 0 : 1);
  cli::Counts counts;
  if (const std::optional<Error> wrong = cli::count_kept(part.path(), lines, input, counts)) {
    ensure(is_valid_utf8(wrong->what()), "a message is invalid UTF-8");
    ensure(wrong->where().starts_with(part.path().string()), "the file is not named");
  } else {
    ensure(counts.kept == counts.done() && counts.kept == lines && lines <= 2,
           "rows are miscounted");
  }
  return 0;
}
