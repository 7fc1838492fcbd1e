// A judge file as anyone may write it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "judge/judge_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  try {
    const judge::JudgeSpec spec =
        judge::parse_judge_file({reinterpret_cast<const char*>(bytes), size}, "fuzz.yaml");
    ensure(!spec.members.empty(), "a judge without members");
    for (const judge::MemberSpec& member : spec.members) {
      ensure(member.model.empty() != member.endpoints.empty(), "a member is both or nothing");
      ensure(member.weight > 0 && member.weight <= 1e9, "a weight that cannot be");
      judge::policy_of(member.settings, 0);
    }
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
