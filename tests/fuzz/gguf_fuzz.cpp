// A model file as it may come from anywhere: looked at before llama.cpp sees it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "model/gguf.h"
#include "model/gguf_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  try {
    model::inspect_gguf_bytes(file);
    std::uint64_t data = 0;
    for (const model::GgufTensor& tensor : model::read_gguf_layout(file).tensors)
      data += tensor.bytes.size();
    ensure(data <= size, "tensors that are larger than their file");
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
