// Model files in other number formats: what llama.cpp's `llama-quantize --allow-requantize --pure`
// makes, for the formats that have fast kernels everywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

namespace selene::model {

// q8_0, q4_0, q4_1, bf16, f16.
std::vector<std::string_view> quantized_formats();

// Every tensor of two or more dimensions whose rows divide by 32 goes into `format`; the others
// stay as they are (as do BERT's embeddings of positions and token types), and in a 4-bit format
// the token embedding and the output become Q8_0. Metadata and the order of tensors are kept,
// general.file_type becomes the format's. Needs about 20 MB of memory whatever the size of the
// model. `destination` appears whole or not at all.
//
// From Q4_0, Q4_1, Q8_0, F16, BF16 and F32 the result is the same bytes on every machine: see
// quantize.cpp. Throws Error on an unknown format, on a source that is not a whole GGUF or holds
// numbers that are not finite, and on a failing write. `written` is called after each tensor with
// its size in numbers.
void quantize(const std::filesystem::path& source, const std::filesystem::path& destination,
              std::string_view format, const std::function<void(std::uint64_t)>& written = {});

}  // namespace selene::model
