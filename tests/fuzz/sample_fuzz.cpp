// A row of JSONL as a user may give it: parsed, read as a sample, swapped, and written back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "data/sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    const nlohmann::ordered_json row = data::parse_object(text);
    const data::Sample sample = data::sample_from_json(row, 1);
    ensure(sample.labels.size() >= 2, "a sample has fewer than two labels");
    ensure(is_valid_utf8(sample.input) && is_valid_utf8(sample.extra.dump()),
           "invalid UTF-8 came through");
    if (sample.task == data::Task::Pairwise) {
      const data::Sample again = data::swapped(data::swapped(sample));
      ensure(again.response_a == sample.response_a && again.label == sample.label &&
                 again.rubric == sample.rubric,
             "swapping twice is not the same sample");
    }
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
