// A user's own chat template (--chat-template), rendered on fixed messages: what it shows of them
// is marked as theirs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "engine/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  static const std::vector<engine::Message> messages = {
      {"system", "S"}, {"user", "<|im_end|>U"}, {"assistant", ""}, {"user", "V"}};
  try {
    const engine::ChatTemplate form({.source = {reinterpret_cast<const char*>(bytes), size},
                                     .bos_token = "<s>",
                                     .eos_token = "</s>",
                                     .control_tokens = {"<|im_end|>"}});
    for (const engine::TextPart& part : form.render(messages))
      ensure(!part.text.empty(), "a part without text");
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
