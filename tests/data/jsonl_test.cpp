#include "data/jsonl.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::data {
namespace {

using testing::message_of;

std::string error_of(const std::string& text) {
  return message_of<Error>([&] { parse_object(text); });
}

std::string nested(int depth) {
  return "{\"a\":" + std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']') + "}";
}

TEST(ParseObject, KeepsTheOrderOfFields) {
  EXPECT_EQ(parse_object(R"( {"b": 1, "a": {"d": [true, null], "c": "x"}} )").dump(),
            R"({"b":1,"a":{"d":[true,null],"c":"x"}})");
}

TEST(ParseObject, KeepsTextAsItIs) {
  EXPECT_EQ(parse_object(R"({"a": "\u00e9\ud83d\ude00\u0000\n"})").at("a").get<std::string>(),
            std::string("\xC3\xA9\xF0\x9F\x98\x80\0\n", 8));
}

TEST(ParseObject, SaysWhereTheJsonIsMalformed) {
  EXPECT_TRUE(error_of("{\"a\": 1,}").starts_with("malformed JSON at column 9: syntax error"))
      << error_of("{\"a\": 1,}");
  EXPECT_TRUE(error_of("{\"a\": nul}").starts_with("malformed JSON at column 10: "));
  EXPECT_TRUE(error_of("{'a': 1}").starts_with("malformed JSON at column 2: "));
  EXPECT_TRUE(error_of("{\"a\": 1} {\"b\": 2}").starts_with("malformed JSON at column 10: "));
  EXPECT_TRUE(error_of("{\"a\": \"\t\"}").starts_with("malformed JSON at column 8: "));
  EXPECT_TRUE(error_of("{\"a\": \"\\ud800\"}")
                  .starts_with("malformed JSON at column "));  // Half a surrogate pair.
  EXPECT_TRUE(error_of("{\"a\": ").starts_with("malformed JSON at column 7: "));
  EXPECT_TRUE(error_of("").starts_with("malformed JSON at column 1: "));
  EXPECT_EQ(
      error_of(std::string("{\"a\": 1}\0{}", 11)),
      "malformed JSON: byte 9 of the line is zero; if this is UTF-16, save the file as UTF-8");
}

TEST(ParseObject, AMalformedLineSaysWhatALineIs) {
  for (const char* line : {"[", "{", "  \"a\": 1,"})
    EXPECT_TRUE(error_of(line).ends_with("; write one object {…} a line")) << error_of(line);
}

TEST(ParseObject, TheMessageIsHarmlessAndShort) {
  const std::string message = error_of("{\"a\": \"\x1b[2J" + std::string(5000, 'x') + "\"}");
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 400u);
}

TEST(ParseObject, RefusesANumberThatNoDoubleHolds) {
  EXPECT_EQ(error_of("{\"a\": -1e999}"), "malformed JSON: number overflow parsing '-1e999'");
  EXPECT_EQ(error_of("{\"a\": 1e-999}"), "");
}

TEST(ParseObject, RefusesAnIntegerThatWouldBeRounded) {
  EXPECT_EQ(error_of("{\"id\": 12345678901234567890123}"),
            "the integer 12345678901234567890123 of the field 'id' has more than 64 bits; write it "
            "as a string");
  EXPECT_EQ(
      error_of(R"({"a": {"b": [{"c": 1}, -9223372036854775809]}})"),
      "the integer -9223372036854775809 of the field 'b' has more than 64 bits; write it as a "
      "string");
  EXPECT_EQ(
      parse_object(R"({"a": [18446744073709551615, -9223372036854775808, 0.10, 1e22]})").dump(),
      R"({"a":[18446744073709551615,-9223372036854775808,0.1,1e+22]})");
}

TEST(ParseObject, SaysWhereUtf8IsInvalid) {
  EXPECT_EQ(error_of("{\"a\": \"\xFF\"}"),
            "invalid UTF-8 at byte 8 of the line; save the file as UTF-8");
  EXPECT_EQ(error_of("{\"\xE2\x82\": 1}"),
            "invalid UTF-8 at byte 3 of the line; save the file as UTF-8");
  EXPECT_EQ(error_of("{\"a\": 1}\xC3"),
            "invalid UTF-8 at byte 9 of the line; save the file as UTF-8");
}

TEST(ParseObject, RefusesAKeyTwiceInOneObject) {
  EXPECT_EQ(error_of(R"({"a": 1, "b": 2, "a": 3})"),
            "the key 'a' stands twice in one object; keep one of the two");
  EXPECT_EQ(error_of(R"({"x": [{"a": 1, "a": 1}]})"),
            "the key 'a' stands twice in one object; keep one of the two");
  EXPECT_EQ(error_of(R"({"a": 1, "\u0061": 3})"),
            "the key 'a' stands twice in one object; keep one of the two");
  EXPECT_EQ(error_of(R"({"a": {"a": {"b": 1}}, "c": {"b": 1}})"), "");
}

TEST(ParseObject, RefusesDeepNesting) {
  EXPECT_EQ(error_of(nested(63)), "");
  EXPECT_EQ(error_of(nested(64)), "JSON nested deeper than 64; write the inner part as a string");
  EXPECT_EQ(error_of(nested(1'000'000)),
            "JSON nested deeper than 64; write the inner part as a string");
}

TEST(ParseObject, RefusesWhatIsNoObject) {
  const std::string remedy = "; write one object {…} a line";
  EXPECT_EQ(error_of("[1]"), "a row must be a JSON object, this is array" + remedy);
  EXPECT_EQ(error_of("\"text\""), "a row must be a JSON object, this is string" + remedy);
  EXPECT_EQ(error_of("17"), "a row must be a JSON object, this is number" + remedy);
  EXPECT_EQ(error_of("null"), "a row must be a JSON object, this is null" + remedy);
}

class JsonlReaderTest : public ::testing::Test {
 protected:
  std::vector<std::pair<size_t, std::string>> rows_of(const std::string& text) {
    JsonlReader reader(folder_.file("rows.jsonl", text));
    std::vector<std::pair<size_t, std::string>> rows;
    for (Row row; reader.next(row);) rows.emplace_back(row.line, row.value.dump());
    return rows;
  }
  using Rows = std::vector<std::pair<size_t, std::string>>;

  testing::TemporaryFolder folder_;
  std::string path_ = (folder_ / "rows.jsonl").string();
};

TEST_F(JsonlReaderTest, ReadsRowsWithTheirLines) {
  EXPECT_EQ(rows_of("{\"a\":1}\n{\"a\":2}\n"), (Rows{{1, "{\"a\":1}"}, {2, "{\"a\":2}"}}));
}

TEST_F(JsonlReaderTest, TheLastLineNeedsNoEnd) { EXPECT_EQ(rows_of("{}\n{}").size(), 2u); }

TEST_F(JsonlReaderTest, PassesOverBlankLinesAndCountsThem) {
  EXPECT_EQ(rows_of("\n \t\n{\"a\":1}\n\r\n\n{\"a\":2}\n\n"),
            (Rows{{3, "{\"a\":1}"}, {6, "{\"a\":2}"}}));
  EXPECT_TRUE(rows_of("").empty());
  EXPECT_TRUE(rows_of("\n\n").empty());
}

TEST_F(JsonlReaderTest, AcceptsAByteOrderMarkAndCrLf) {
  EXPECT_EQ(rows_of("\xEF\xBB\xBF{\"a\":1}\r\n{\"a\":2}\r\n"),
            (Rows{{1, "{\"a\":1}"}, {2, "{\"a\":2}"}}));
  EXPECT_TRUE(rows_of("\xEF\xBB\xBF").empty());
}

TEST_F(JsonlReaderTest, SaysWhatAnotherFormatIs) {
  const auto error_of_file = [&](const std::string& bytes) {
    return message_of<Error>([&] { rows_of(bytes); });
  };
  const std::string utf16 = path_ + ":1: this is UTF-16, not UTF-8; save the file as UTF-8";
  EXPECT_EQ(error_of_file(std::string("\xFF\xFE{\0}\0\n\0", 8)), utf16);
  EXPECT_EQ(error_of_file(std::string("\xFE\xFF\0{\0}\0\n", 8)), utf16);
  EXPECT_EQ(error_of_file("\x1F\x8B\x08"),
            path_ + ":1: this is a gzip file, not JSONL; decompress it first: gunzip");
  EXPECT_EQ(error_of_file("\x28\xB5\x2F\xFD"),
            path_ + ":1: this is a zstd file, not JSONL; decompress it first: unzstd");
  EXPECT_EQ(error_of_file("PK\x03\x04"),
            path_ + ":1: this is a zip file, not JSONL; decompress it first: unzip");
}

TEST_F(JsonlReaderTest, ErrorsNameFileAndLine) {
  EXPECT_EQ(message_of<Error>([&] { rows_of("{}\n\n{\"a\": 1, \"a\": 2}\n"); }),
            path_ + ":3: the key 'a' stands twice in one object; keep one of the two");
  EXPECT_EQ(message_of<Error>([&] { rows_of("{}\n\xFF\n"); }),
            path_ + ":2: invalid UTF-8 at byte 1 of the line; save the file as UTF-8");
}

TEST_F(JsonlReaderTest, AnotherNameCanStandForTheFile) {
  const auto file = folder_.file("spool", "[]\n");
  EXPECT_EQ(message_of<Error>([&] {
              JsonlReader reader(file, "<stdin>");
              Row row;
              reader.next(row);
            }),
            "<stdin>:1: a row must be a JSON object, this is array; write one object {…} a line");
}

TEST_F(JsonlReaderTest, SaysWhatCannotBeRead) {
  const std::string none = (folder_ / "none").string();
  EXPECT_EQ(message_of<Error>([&] { JsonlReader reader(none); }),
            none + ": cannot read: No such file or directory");
  const std::string folder = folder_.path().string();
  EXPECT_EQ(message_of<Error>([&] { JsonlReader reader(folder); }),
            folder + ": cannot read: this is a folder");
}

TEST_F(JsonlReaderTest, KeepsLongLines) {
  const std::string text(3 << 20, 'x');
  EXPECT_EQ(rows_of("{\"a\":\"" + text + "\"}\n{}\n").at(0).second.size(), text.size() + 8);
}

TEST_F(JsonlReaderTest, RefusesALineWithoutEnd) {
  // A sparse file: zeros without a newline.
  std::filesystem::resize_file(folder_.file("rows.jsonl", ""), JsonlReader::kMaxLineBytes + 10);
  EXPECT_EQ(
      message_of<Error>([&] {
        JsonlReader reader(path_);
        Row row;
        reader.next(row);
      }),
      path_ + ":1: a line longer than 256 MiB; is this really a JSONL file, one object a line?");
}

TEST_F(JsonlReaderTest, CountsBytesForAProgressLine) {
  const std::string text = "{\"a\":1}\n\n{\"a\":2}\n";
  JsonlReader reader(folder_.file("rows.jsonl", text));
  Row row;
  while (reader.next(row)) {
  }
  EXPECT_EQ(reader.bytes_read(), text.size());
}

}  // namespace
}  // namespace selene::data
