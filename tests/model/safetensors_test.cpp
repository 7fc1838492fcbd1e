#include "model/safetensors.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "model/gguf_builder.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using testing::le;
using testing::message_of;

std::string file_of(std::string_view header, std::string_view data) {
  return le(static_cast<std::uint64_t>(header.size())) + std::string(header) + std::string(data);
}

std::string problem(std::string_view header, std::string_view data) {
  const std::string file = file_of(header, data);
  return message_of<Error>([&] { read_safetensors(file); });
}

TEST(Safetensors, ReadsWhatStandsInTheFile) {
  const std::string file = file_of(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
      R"("a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}} )",
      std::string("\x80\x3f\x00\x40", 4) + le(1.5f) + le(-2.0f));
  const SafetensorsLayout layout = read_safetensors(file);
  ASSERT_EQ(layout.tensors.size(), 2u);
  EXPECT_EQ(layout.tensors[0].name, "a");  // In the order of the bytes.
  EXPECT_EQ(layout.tensors[0].type, "BF16");
  EXPECT_EQ(layout.tensors[0].shape, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(layout.tensors[1].bytes, le(1.5f) + le(-2.0f));
  EXPECT_EQ(layout.metadata.at("format"), "pt");
}

TEST(Safetensors, WhatIsWrittenIsReadBack) {
  const std::vector<SafetensorsTensor> tensors{{.name = "a \"b\"", .type = "F16", .shape = {2, 3}},
                                               {.name = "c", .type = "F32", .shape = {2}}};
  const std::string header = safetensors_header(tensors);
  EXPECT_EQ(header.size() % 8, 0u);
  const std::string file = header + std::string(12 + 8, '\1');
  const SafetensorsLayout layout = read_safetensors(file);
  ASSERT_EQ(layout.tensors.size(), 2u);
  EXPECT_EQ(layout.tensors[0].name, "a \"b\"");
  EXPECT_EQ(layout.tensors[0].elements, 6u);
  EXPECT_EQ(layout.tensors[1].bytes.size(), 8u);
}

TEST(Safetensors, AFileThatIsCutShortIsRefused) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(problem(header, "1234"),
            "truncated: its tensors need 8 bytes, 4 are there; fetch or copy the file again");
  const std::string cut = file_of(header, "").substr(0, 20);
  EXPECT_EQ(message_of<Error>([&] { read_safetensors(cut); }),
            "truncated: the file has 20 bytes, its header alone 54; fetch or copy the file again");
  EXPECT_EQ(message_of<Error>([] { read_safetensors("abc"); }),
            "not a safetensors file; fetch or copy the file again");
}

TEST(Safetensors, OtherFilesAreNamed) {
  EXPECT_EQ(message_of<Error>([] {
              read_safetensors({"GGUF\3\0\0\0.....", 13});
            }),
            "not a safetensors file: it is GGUF");
  EXPECT_NE(message_of<Error>([] {
              read_safetensors("version https://git-lfs.github.com/spec/v1\n");
            }).find("git lfs pull"),
            std::string::npos);
}

TEST(Safetensors, HostileHeadersAreRefused) {
  const auto starts = [](const std::string& text, std::string_view with) {
    EXPECT_EQ(text.substr(0, with.size()), with);
  };
  starts(problem("[1]", ""), "damaged: its header is no JSON object");
  starts(problem("{", ""), "damaged: its header is not valid JSON");
  starts(problem(R"({"a":[[[[[[1]]]]]]})", ""), "damaged: its header is nested too deeply");
  starts(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                 R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                 "1234"),
         "damaged: the tensor 'a' stands twice");
  // Two tensors of the same bytes, a gap, bytes that no tensor has.
  starts(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                 R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                 "1234"),
         "damaged: the tensor 'b' begins at 0, expected 4");
  starts(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678"),
         "damaged: the tensor 'a' begins at 4, expected 0");
  starts(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "12345678"),
         "damaged: 4 bytes follow the last tensor");
  starts(problem(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234"),
         "damaged: the tensor 'a' has offsets that do not fit its shape");
  starts(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", "1234"),
         "damaged: the tensor 'a' has offsets that do not fit its shape");
  starts(problem(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}})",
                 ""),
         "damaged: the tensor 'a' has an impossible shape");
  starts(problem(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234"),
         "damaged: 'shape' of the tensor 'a' is no list of whole numbers");
  starts(problem(R"({"a":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}})", "1234"),
         "the tensor 'a' is of the type 'Q9', which is not known");
  starts(problem(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", "1234"),
         "damaged: the tensor 'a' has no dtype");
  starts(problem(R"({"a":3})", ""), "damaged: the tensor 'a' is no object");
  starts(problem(R"({"__metadata__":{"a":1}})", ""), "damaged: the metadata 'a' is no text");
  const std::string huge = le(std::uint64_t{1} << 40) + "{}";
  starts(message_of<Error>([&] { read_safetensors(huge); }),
         "damaged: its header has 1099511627776 bytes");
}

}  // namespace
}  // namespace selene::model
