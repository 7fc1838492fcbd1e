// A file of weights as it may come from anywhere.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  try {
    const char* at = nullptr;
    for (const model::SafetensorsTensor& tensor : model::read_safetensors(file).tensors) {
      ensure(at == nullptr || tensor.bytes.data() == at, "tensors with a gap or an overlap");
      at = tensor.bytes.data() + tensor.bytes.size();
    }
    ensure(at == nullptr || at == file.data() + file.size(), "tensors that end before their file");
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
