#include "model/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "failing_writes.h"
#include "model/gguf.h"
#include "model/gguf_builder.h"
#include "model/gguf_layout.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using testing::GgufBuilder;
using testing::message_of;
using testing::slurp;
using testing::tiny_model;

constexpr std::int32_t kQ4_1 = 3;
constexpr std::int32_t kQ8_0 = 8;
constexpr std::int32_t kI32 = 26;

std::string quantized(const GgufBuilder& file) {
  const testing::TemporaryFolder folder;
  quantize(folder.file("in.gguf", file.build()), folder / "out.gguf", "q8_0");
  return slurp(folder / "out.gguf");
}

// A Q8_0 block by hand: the scale as half precision, then 32 bytes.
std::string q8_block(std::uint16_t half_scale, const std::vector<int>& values) {
  std::string block = testing::le(half_scale);
  for (const int value : values) block += static_cast<char>(value);
  return block;
}

TEST(Quantize, ABlockHasItsLargestNumberAt127) {
  // Largest 127: the scale is 1 (0x3C00 in half precision) and every whole number is kept as it is.
  std::vector<float> row;
  std::vector<int> expected;
  for (int i = 0; i < 32; ++i) {
    row.push_back(static_cast<float>(i * 4 + 3));
    expected.push_back(i * 4 + 3);
  }
  row.insert(row.end(), 32, 0.0f);  // The second row: nothing but zero.
  GgufBuilder file;
  file.text("general.architecture", "llama").floats("w", {32, 2}, row);
  const std::string out = quantized(file);
  const GgufLayout layout = read_gguf_layout(out);
  ASSERT_EQ(layout.tensors.size(), 1u);
  EXPECT_EQ(layout.tensors[0].type, kQ8_0);
  EXPECT_EQ(layout.tensors[0].bytes,
            q8_block(0x3C00, expected) + q8_block(0, std::vector<int>(32, 0)));
}

TEST(Quantize, ReadsQuantizedNumbers) {
  // Q4_1: scale 1, minimum -8, then two numbers a byte, low halves first. 0..15 twice, so -8..7
  // twice.
  std::string block = testing::le(std::uint16_t{0x3C00}) + testing::le(std::uint16_t{0xC800});
  std::vector<int> expected;
  for (int i = 0; i < 16; ++i) block += static_cast<char>(i | i << 4);
  for (int i = 0; i < 32; ++i)
    expected.push_back(static_cast<int>(std::round((i % 16 - 8) * 127.0 / 8)));
  GgufBuilder file;
  file.text("general.architecture", "llama").tensor("w", {32, 2}, kQ4_1, block + block);
  const std::string out = quantized(file);
  const std::uint16_t scale = 0x2C08;  // 8/127 = 0.0629921 in half precision
  EXPECT_EQ(read_gguf_layout(out).tensors[0].bytes,
            q8_block(scale, expected) + q8_block(scale, expected));
}

TEST(Quantize, LeavesWhatCannotBeConverted) {
  GgufBuilder file;
  file.text("general.architecture", "llama");
  file.floats("norm.weight", {64}, std::vector<float>(64, 1.0f));
  file.floats("one_row.weight", {32, 1},
              std::vector<float>(32, 1.0f));  // ggml counts one dimension.
  file.floats("odd.weight", {33, 2}, std::vector<float>(66, 1.0f));
  file.tensor("table", {32, 2}, kI32, std::string(256, '\1'));
  file.floats("token_types.weight", {32, 2}, std::vector<float>(64, 1.0f));
  file.floats("position_embd.weight", {32, 2}, std::vector<float>(64, 1.0f));
  const std::string out = quantized(file);
  const GgufLayout layout = read_gguf_layout(out);
  ASSERT_EQ(layout.tensors.size(), file.tensors.size());
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    EXPECT_EQ(layout.tensors[i].name, file.tensors[i].name);
    EXPECT_EQ(layout.tensors[i].type, file.tensors[i].type);
    EXPECT_EQ(layout.tensors[i].bytes, file.tensors[i].bytes);
  }
}

TEST(Quantize, WritesTheOtherFormats) {
  std::vector<float> row;
  for (int i = 0; i < 32; ++i) row.push_back(static_cast<float>(i % 16 - 8));
  GgufBuilder file;
  file.text("general.architecture", "llama")
      .floats("token_embd.weight", {32, 2}, std::vector<float>(64, 1.0f));
  row.insert(row.end(), 32, 0.0f);
  file.floats("w", {32, 2}, row);
  const testing::TemporaryFolder folder;
  const std::string source = folder.file("in.gguf", file.build());
  const auto made = [&](std::string_view format) {
    quantize(source, folder / "out.gguf", format);
    return slurp(folder / "out.gguf");
  };
  // Q4_0: the number of largest magnitude, -8, at 0; scale 1; two a byte, low halves first.
  std::string block = testing::le(std::uint16_t{0x3C00});
  for (int i = 0; i < 16; ++i) block += static_cast<char>(i | i << 4);
  const std::string q4 = made("q4_0");
  EXPECT_EQ(read_gguf_layout(q4).tensors[1].bytes.substr(0, 18), block);
  EXPECT_EQ(read_gguf_layout(q4).tensors[0].type, kQ8_0);  // The embedding keeps more.
  EXPECT_EQ(read_gguf_layout(q4).number("general.file_type"), 2u);
  // BF16: the upper half of the float's bits; -8 is 0xC100.
  const std::string bf16 = made("bf16");
  EXPECT_EQ(read_gguf_layout(bf16).tensors[1].bytes.substr(0, 2),
            testing::le(std::uint16_t{0xC100}));
  // Half precision; -8 is 0xC800.
  EXPECT_EQ(read_gguf_layout(made("f16")).tensors[1].bytes.substr(0, 2),
            testing::le(std::uint16_t{0xC800}));
  EXPECT_EQ(message_of<Error>([&] { quantize(source, folder / "out.gguf", "q9"); }),
            "unknown format 'q9'; known: q8_0, q4_0, q4_1, bf16, f16");
}

TEST(Quantize, IsNothingNewForAQ8File) {
  const std::string once = quantized(tiny_model());
  const testing::TemporaryFolder folder;
  quantize(folder.file("in.gguf", once), folder / "out.gguf", "q8_0");
  EXPECT_EQ(slurp(folder / "out.gguf"), once);
}

TEST(Quantize, KeepsMetadataAndSetsTheFileType) {
  const std::string out = quantized(tiny_model());
  const GgufLayout before_layout = [] {
    static const std::string before = tiny_model().build();
    return read_gguf_layout(before);
  }();
  const GgufLayout layout = read_gguf_layout(out);
  ASSERT_EQ(layout.entries.size(), before_layout.entries.size() + 1);
  for (size_t i = 0; i < before_layout.entries.size(); ++i) {
    EXPECT_EQ(layout.entries[i].key, before_layout.entries[i].key);
    if (layout.entries[i].key != "general.file_type") {
      EXPECT_EQ(layout.entries[i].record, before_layout.entries[i].record);
    }
  }
  EXPECT_EQ(layout.number("general.file_type"), 7u);
  EXPECT_EQ(layout.number("general.quantization_version"), 2u);
  EXPECT_EQ(inspect_gguf_bytes(out).file_type, "Q8_0");
}

TEST(Quantize, KeepsTheAlignment) {
  GgufBuilder file = tiny_model();
  file.u32("general.alignment", 128);
  file.alignment = 128;
  EXPECT_EQ(inspect_gguf_bytes(quantized(file)).tensors, 2u);
}

TEST(Quantize, ATensorLargerThanOneSlabComesOutWhole) {
  // 2^22 numbers are done at a time: three slabs of rows of 2^21, all alike.
  const size_t row = size_t{1} << 21;
  std::vector<float> numbers(row * 5);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 128);
  GgufBuilder file;
  file.text("general.architecture", "llama").floats("w", {row, 5}, numbers);
  const std::string out = quantized(file);
  const std::string_view bytes = read_gguf_layout(out).tensors[0].bytes;
  ASSERT_EQ(bytes.size(), row * 5 / 32 * 34);
  const std::string_view first = bytes.substr(0, 4 * 34);  // 128 numbers.
  for (size_t at = 0; at < bytes.size(); at += first.size())
    ASSERT_EQ(bytes.substr(at, first.size()), first);
}

TEST(Quantize, RefusesNumbersThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    GgufBuilder file = tiny_model();
    std::memcpy(file.tensors[0].bytes.data() + 8, &bad, sizeof bad);
    EXPECT_EQ(message_of<Error>([&] { quantized(file); }),
              "the tensor 'token_embd.weight' holds numbers that are not finite");
  }
}

TEST(Quantize, AWrongSourceIsNamedAndNothingIsLeft) {
  const testing::TemporaryFolder folder;
  const std::string source = folder.file("in.gguf", "PK\x03\x04");
  EXPECT_EQ(message_of<Error>([&] { quantize(source, folder / "out.gguf", "q8_0"); }),
            source +
                ": not a GGUF file: it looks like a zip archive (a wheel or a PyTorch file): "
                "unpack or convert it first");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Quantize, AFailingWriteLeavesTheOldFile) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path source = folder.file("in.gguf", tiny_model().build());
  const std::filesystem::path destination = folder.file("out.gguf", "old");
  const std::string message = [&] {
    const testing::FailingWrites full(100);
    return message_of<Error>([&] { quantize(source, destination, "q8_0"); });
  }();
  EXPECT_NE(message.find("cannot write: File too large"), std::string::npos) << message;
  EXPECT_EQ(slurp(destination), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

}  // namespace
}  // namespace selene::model
