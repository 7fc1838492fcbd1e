// The judgments of an OUT.part that others have written to: counted, or refused with the line.
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
  const fuzz::MemoryFile part({reinterpret_cast<const char*>(bytes), size});
  cli::Counts counts;
  if (const std::optional<Error> wrong = cli::count_kept(part.path(), input, counts)) {
    ensure(is_valid_utf8(wrong->what()), "a message is invalid UTF-8");
    ensure(wrong->where().starts_with(part.path().string() + ":"), "no line is named");
  } else {
    ensure(counts.kept == counts.done() && counts.kept <= 2, "rows are miscounted");
  }
  return 0;
}
