#include "model/gguf.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "model/gguf_builder.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using testing::gguf_text;
using testing::GgufBuilder;
using testing::le;
using testing::message_of;
using testing::tiny_model;

std::string error_of(const std::string& bytes) {
  return message_of<Error>([&] { inspect_gguf_bytes(bytes); });
}

TEST(Gguf, SaysWhatTheFileSays) {
  const std::string bytes = tiny_model().build();
  const GgufInfo info = inspect_gguf_bytes(bytes);
  EXPECT_EQ(info.architecture, "llama");
  EXPECT_EQ(info.name, "Tiny");
  EXPECT_EQ(info.file_type, "F32");
  EXPECT_FALSE(info.is_adapter);
  EXPECT_EQ(info.tensors, 2u);
  EXPECT_EQ(info.parameters, 67u);
  EXPECT_EQ(info.context_length, 128u);
  EXPECT_EQ(info.layers, 2u);
  EXPECT_EQ(info.heads, 4u);
  EXPECT_EQ(info.kv_heads, 2u);
  EXPECT_EQ(info.key_size, 16u);
  EXPECT_EQ(info.value_size, 16u);
  EXPECT_EQ(info.embedding_size, 64u);
  EXPECT_EQ(info.vocabulary, 3u);
  EXPECT_EQ(info.chat_template, "{{ messages }}");
  EXPECT_EQ(info.bytes, bytes.size());
}

TEST(Gguf, TakesTheLargestWhereLayersDiffer) {
  GgufBuilder file;
  file.text("general.architecture", "x")
      .u32s("x.attention.head_count", {2, 8, 4})
      .u32("x.attention.key_length", 5)
      .floats("t", {1}, {1});
  const GgufInfo info = inspect_gguf_bytes(file.build());
  EXPECT_EQ(info.heads, 8u);
  EXPECT_EQ(info.kv_heads, 8u);  // As many as heads, where the file does not say.
  EXPECT_EQ(info.key_size, 5u);
}

TEST(Gguf, KnowsAnAdapter) {
  GgufBuilder file;
  file.text("general.architecture", "llama")
      .text("general.type", "adapter")
      .text("adapter.type", "lora");
  EXPECT_TRUE(inspect_gguf_bytes(file.build()).is_adapter);
}

TEST(Gguf, ReadsVersionTwo) {
  GgufBuilder file = tiny_model();
  file.version = 2;
  EXPECT_EQ(inspect_gguf_bytes(file.build()).architecture, "llama");
}

TEST(Gguf, HonoursTheAlignment) {
  GgufBuilder file = tiny_model();
  file.u32("general.alignment", 256);
  file.alignment = 256;
  EXPECT_EQ(inspect_gguf_bytes(file.build()).tensors, 2u);
}

TEST(Gguf, SaysWhatAFileIsThatIsNotGguf) {
  const std::string not_gguf = "not a GGUF file: it ";
  EXPECT_EQ(error_of(""), not_gguf + "is empty; fetch or copy the file again");
  EXPECT_EQ(error_of("<!DOCTYPE html><html>"),
            not_gguf + "looks like an HTML page: the download gave a web page instead of the file");
  EXPECT_EQ(error_of("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
            not_gguf + "looks like a git-lfs pointer: run `git lfs pull` for the file itself");
  EXPECT_EQ(error_of("PK\x03\x04wheel"),
            not_gguf +
                "looks like a zip archive (a wheel or a PyTorch file): unpack or convert it first");
  EXPECT_EQ(error_of(le(std::uint64_t{20}) + "{\"weight\": {}}"),
            not_gguf + "looks like a safetensors file: convert it to GGUF");
  EXPECT_EQ(error_of("tjgg1234"), not_gguf + "looks like an old GGML file: convert it to GGUF");
  EXPECT_EQ(error_of("\x1f\x8bzip"), not_gguf + "looks like a gzip archive: unpack it first");
  EXPECT_EQ(error_of("just some words, many of them"), not_gguf + "starts with 'just some words,'");
  EXPECT_EQ(error_of("GGU"), not_gguf + "starts with 'GGU'");
}

TEST(Gguf, RefusesOtherVersions) {
  GgufBuilder file = tiny_model();
  file.version = 1;
  EXPECT_EQ(error_of(file.build()),
            "GGUF version 1, only 2 and 3 can be read; convert the model again");
  file.version = 4;
  EXPECT_EQ(error_of(file.build()),
            "GGUF version 4, only 2 and 3 can be read; convert the model again");
  file.version = 0x03000000;
  EXPECT_EQ(error_of(file.build()), "a big-endian GGUF file, this machine is little-endian");
}

TEST(Gguf, AVocabularyIsNoModel) {
  GgufBuilder file = tiny_model();
  file.tensors.clear();
  EXPECT_EQ(error_of(file.header()),
            "a GGUF file without tensors: a vocabulary, no model that can judge; give a file that "
            "has the "
            "weights too");
}

TEST(Gguf, TruncatedNamesBothSizes) {
  const std::string bytes = tiny_model().build();
  const size_t needed = bytes.size() - 20;  // The last tensor's padding is not needed.
  EXPECT_EQ(error_of(bytes.substr(0, needed)), "");
  EXPECT_EQ(error_of(bytes.substr(0, needed - 1)),
            "truncated: the file has " + std::to_string(needed - 1) + " bytes, its tensors need " +
                std::to_string(needed) + "; fetch or copy the file again");
}

TEST(Gguf, EveryShorterFileIsRefused) {
  const std::string bytes = tiny_model().build();
  for (size_t length = 0; length < bytes.size() - 20; ++length) {
    EXPECT_NE(error_of(bytes.substr(0, length)), "") << length;
  }
  EXPECT_EQ(
      error_of(bytes.substr(0, 300)),
      "truncated: the file ends inside its header, after 300 bytes; fetch or copy the file again");
}

TEST(Gguf, RefusesCountsThatTheFileCannotHold) {
  const std::string start = "GGUF" + le(std::uint32_t{3});
  const auto huge = std::uint64_t{1} << 60;
  EXPECT_EQ(error_of(start + le(huge) + le(std::uint64_t{0})),
            "truncated or damaged: it names 1152921504606846976 tensors, more than 24 bytes can "
            "hold; fetch or copy the "
            "file again");
  EXPECT_EQ(error_of(start + le(std::uint64_t{0}) + le(huge)),
            "truncated or damaged: it names 1152921504606846976 metadata entries, more than 24 "
            "bytes can hold; fetch or "
            "copy the file again");
  GgufBuilder file;
  file.entries.push_back(gguf_text("list") + le(std::uint32_t{9}) + le(std::uint32_t{0}) +
                         le(huge));
  EXPECT_NE(error_of(file.build()).find("1152921504606846976 list elements"), std::string::npos);
}

TEST(Gguf, RefusesDamagedMetadata) {
  GgufBuilder unknown;
  unknown.entries.push_back(gguf_text("k") + le(std::uint32_t{13}) + le(std::uint64_t{0}));
  EXPECT_EQ(error_of(unknown.build()),
            "damaged: the metadata 'k' is of the unknown type 13; fetch or copy the file again");
  GgufBuilder nested;
  nested.entries.push_back(gguf_text("k") + le(std::uint32_t{9}) + le(std::uint32_t{9}) +
                           le(std::uint64_t{0}));
  EXPECT_EQ(error_of(nested.build()), "the metadata 'k' is a list of lists, which is not known");
  GgufBuilder twice;
  twice.u32("k", 1).u32("k", 2);
  EXPECT_EQ(error_of(twice.build()),
            "damaged: the metadata 'k' stands twice; fetch or copy the file again");
  GgufBuilder empty;
  empty.u32("", 1);
  EXPECT_EQ(error_of(empty.build()),
            "damaged: a metadata key of 0 bytes; fetch or copy the file again");
  GgufBuilder alignment = tiny_model();
  alignment.u32("general.alignment", 24);
  EXPECT_EQ(error_of(alignment.build()),
            "damaged: general.alignment is not a small power of two; fetch or copy the file again");
}

TEST(Gguf, RefusesMetadataOfAnotherType) {
  GgufBuilder number;
  number.text("general.architecture", "llama").text("llama.block_count", "two");
  EXPECT_EQ(error_of(number.build()),
            "damaged: 'llama.block_count' is not a whole number of at least 0");
  GgufBuilder text;
  text.u32("general.architecture", 1);
  EXPECT_EQ(error_of(text.build()), "damaged: 'general.architecture' is not a text");
  GgufBuilder negative;
  negative.text("general.architecture", "llama");
  negative.entries.push_back(gguf_text("llama.block_count") + le(std::uint32_t{5}) +
                             le(std::int32_t{-1}));
  EXPECT_EQ(error_of(negative.build()),
            "damaged: 'llama.block_count' is not a whole number of at least 0");
}

TEST(Gguf, RefusesAFileWithoutArchitecture) {
  EXPECT_EQ(error_of(GgufBuilder{}.u32("k", 1).build()),
            "a GGUF file without 'general.architecture'; this is no model that llama.cpp can run");
}

TEST(Gguf, RefusesImpossibleTensors) {
  const auto error_with = [](std::vector<std::uint64_t> shape, std::int32_t type,
                             std::string name = "t") {
    GgufBuilder file;
    file.tensor(std::move(name), std::move(shape), type, std::string(64, 'x'));
    return error_of(file.build());
  };
  const std::string again = "; fetch or copy the file again";
  EXPECT_EQ(error_with({0}, 0), "damaged: the tensor 't' has the shape 0 x 1 x 1 x 1" + again);
  // The product is 0 in 64 bits.
  EXPECT_EQ(error_with({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0),
            "damaged: the tensor 't' has the shape 4294967296 x 4294967296 x 1 x 1" + again);
  EXPECT_EQ(error_with({~std::uint64_t{0}}, 0),
            "damaged: the tensor 't' has the shape 18446744073709551615 x 1 x 1 x 1" + again);
  EXPECT_EQ(error_with({}, 0), "damaged: the tensor 't' has 0 dimensions" + again);
  EXPECT_EQ(error_with({1, 1, 1, 1, 1}, 0), "damaged: the tensor 't' has 5 dimensions" + again);
  EXPECT_EQ(error_with({33}, 8),
            "damaged: rows of the tensor 't' have 33 numbers, not a multiple of 32" + again);
  for (const std::int32_t type : {-1, 4, 1000}) {  // 4 was Q4_2, removed long ago.
    EXPECT_EQ(error_with({32}, type),
              "the tensor 't' is of type " + std::to_string(type) +
                  ", which this llama.cpp does not know; the file may need a newer version of "
                  "this program");
  }
  EXPECT_EQ(error_with({16}, 0, std::string(64, 'n')),
            "damaged: a tensor's name has 64 bytes" + again);
}

TEST(Gguf, RefusesTensorsThatOverlapOrRepeat) {
  GgufBuilder twice = tiny_model();
  twice.tensors[1].name = twice.tensors[0].name;
  EXPECT_EQ(error_of(twice.build()),
            "damaged: the tensor 'token_embd.weight' stands twice; fetch or copy the file again");
  std::string bytes = tiny_model().build();
  const std::string offset = le(std::int32_t{0}) + le(std::uint64_t{256});
  bytes.replace(bytes.rfind(offset), offset.size(), le(std::int32_t{0}) + le(std::uint64_t{224}));
  EXPECT_EQ(error_of(bytes),
            "damaged: the tensor 'output_norm.weight' stands at 224, expected at 256; fetch or "
            "copy the file again");
}

TEST(Gguf, NamesInMessagesAreHarmlessOnATerminal) {
  GgufBuilder file;
  file.u32("\x1b[2Jkey", 1).u32("\x1b[2Jkey", 1);
  EXPECT_EQ(error_of(file.build()).find('\x1b'), std::string::npos);
}

TEST(Gguf, ErrorsNameTheFile) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("model.gguf", "<html>");
  EXPECT_EQ(message_of<Error>([&] { inspect_gguf(path); }),
            path +
                ": not a GGUF file: it looks like an HTML page: the download gave a web page "
                "instead of the file");
  EXPECT_EQ(message_of<Error>([&] { inspect_gguf(folder / "none"); }),
            (folder / "none").string() + ": cannot read: No such file or directory");
  EXPECT_EQ(message_of<Error>([&] { inspect_gguf(folder.path()); }),
            folder.path().string() + ": cannot read: not a file");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(message_of<Error>([&] { inspect_gguf(folder / "pipe"); }),
            (folder / "pipe").string() + ": cannot read: not a file");
}

}  // namespace
}  // namespace selene::model
