// Q8_0 files from any GGUF: what llama.cpp's `llama-quantize --allow-requantize SOURCE DESTINATION
// Q8_0` makes.
#pragma once

#include <filesystem>

namespace selene::model {

// Every tensor of two or more dimensions whose rows divide by 32 becomes Q8_0; the others stay as
// they are. Metadata and the order of tensors are kept, general.file_type becomes 7 (mostly Q8_0).
// Needs about 20 MB of memory whatever the size of the model. `destination` appears whole or not at
// all.
//
// From Q4_0, Q4_1, Q8_0, F16, BF16 and F32 the result is the same bytes on every machine: see
// quantize.cpp. Throws Error on a source that is not a whole GGUF or holds numbers that are not
// finite, and on a failing write.
void quantize_q8_0(const std::filesystem::path& source, const std::filesystem::path& destination);

}  // namespace selene::model
