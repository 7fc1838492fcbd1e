#include "data/input_rows.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;
using testing::message_of;

std::string line(int number) {
  return R"({"task": "absolute", "input": "i)" + std::to_string(number) + R"(", "response": "r"})" +
         "\n";
}

class InputRowsTest : public ::testing::Test {
 protected:
  std::string write(const std::string& text) { return folder_.file("rows.jsonl", text).string(); }
  std::string error_of(const std::string& text, Json fields = Json::object()) {
    const std::string path = write(text);
    return message_of<Error>([&] { InputRows(path, std::move(fields)).check_all(); });
  }

  testing::TemporaryFolder folder_;
  std::string path_ = (folder_ / "rows.jsonl").string();
};

TEST_F(InputRowsTest, CountsAndStreamsRows) {
  const InputRows rows(write(line(1) + "\n" + line(2) + line(3)), Json::object());
  EXPECT_EQ(rows.check_all(), 3u);
  EXPECT_EQ(rows.name(), path_);
  InputRows::Reader reader(rows);
  const auto two = reader.next(2);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1].input, "i2");
  EXPECT_EQ(two[1].id, "3");  // Its line.
  EXPECT_EQ(reader.place(1), path_ + ":3");
  EXPECT_EQ(reader.next(2).size(), 1u);
  EXPECT_TRUE(reader.next(2).empty());
}

TEST_F(InputRowsTest, SkipsRowsThatAreDone) {
  const InputRows rows(write(line(1) + line(2) + line(3)), Json::object());
  InputRows::Reader reader(rows);
  reader.skip(2);
  EXPECT_EQ(reader.next(5).at(0).input, "i3");
  InputRows::Reader past(rows);
  past.skip(9);
  EXPECT_TRUE(past.next(5).empty());
}

TEST_F(InputRowsTest, TheFirstErrorHasItsPlace) {
  EXPECT_EQ(error_of(line(1) + R"({"task": "absolute", "input": "x"})"),
            path_ + ":2: the field 'response' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error_of(line(1) + "\n{"),
            path_ +
                ":3: malformed JSON at column 2: syntax error while parsing object key - "
                "unexpected end of input; expected string literal; write one object {…} a line");
}

TEST_F(InputRowsTest, SeveralWrongRowsAreNamedTogether) {
  const std::string bad = R"({"task": "absolute", "input": "x"})";
  const std::string said = ": the field 'response' is missing; add it (docs/formats.md, Sample)";
  EXPECT_EQ(error_of(bad + "\n" + line(1) + bad), path_ + ":1" + said + "\n" + path_ + ":3" + said);
  std::string rows;
  std::string expected;
  for (int i = 1; i <= 7; ++i) {
    rows += bad + "\n";
    if (i <= 5) expected += path_ + ":" + std::to_string(i) + said + "\n";
  }
  EXPECT_EQ(error_of(rows), expected + "and 2 more");
}

TEST_F(InputRowsTest, ARepeatedIdNamesBothLines) {
  const std::string row = R"({"id": "x", "task": "absolute", "input": "", "response": ""})";
  EXPECT_EQ(error_of(row + "\n" + line(1) + row),
            path_ + ":3: the id 'x' was used in line 1; give each row an id of its own, or none");
}

TEST_F(InputRowsTest, NoRowsIsAnError) {
  EXPECT_EQ(error_of(""), path_ + ": there are no rows; write one JSON object a line");
  EXPECT_EQ(error_of("\n\n"), path_ + ": there are no rows; write one JSON object a line");
}

TEST_F(InputRowsTest, FlagsReplaceFieldsOfEveryRow) {
  const InputRows rows(write(line(1) + line(2)), {{"criteria", "new"}, {"input", "same"}});
  EXPECT_EQ(rows.check_all(), 2u);
  for (const Sample& sample : InputRows::Reader(rows).next(5)) {
    EXPECT_EQ(sample.criteria, "new");
    EXPECT_EQ(sample.input, "same");
  }
}

TEST_F(InputRowsTest, TheDigestCoversBytesAndFlags) {
  const std::string path = write(line(1));
  const std::string digest = InputRows(path, Json::object()).digest();
  EXPECT_EQ(InputRows(path, Json::object()).digest(), digest);
  EXPECT_NE(InputRows(path, {{"criteria", "x"}}).digest(), digest);
  write(line(2));
  EXPECT_NE(InputRows(path, Json::object()).digest(), digest);
}

TEST_F(InputRowsTest, OneRowOfTheCommandLine) {
  const InputRows rows(Json{{"task", "absolute"}, {"input", "i"}, {"response", "r"}});
  EXPECT_EQ(rows.check_all(), 1u);
  EXPECT_EQ(rows.name(), "<command line>");
  EXPECT_EQ(InputRows::Reader(rows).next(2).at(0).response, "r");
}

TEST_F(InputRowsTest, InvalidUtf8InAFlagIsAWrongUsage) {
  const Json broken = {{"criteria", "\xFF"}};
  const std::string path = write(line(1));
  const std::string expected = "<command line>: invalid UTF-8 in a flag";
  EXPECT_EQ(message_of<UsageError>([&] { InputRows rows(broken); }), expected);
  EXPECT_EQ(message_of<UsageError>([&] { InputRows rows(path, broken); }), expected);
}

TEST_F(InputRowsTest, StandardInputCanBeReadTwice) {
  const int before = ::dup(STDIN_FILENO);
  ASSERT_NE(std::freopen(write(line(1) + line(2)).c_str(), "r", stdin), nullptr);
  {
    const InputRows rows("-", Json::object());
    EXPECT_EQ(rows.name(), "<stdin>");
    EXPECT_EQ(rows.check_all(), 2u);
    EXPECT_EQ(InputRows::Reader(rows).next(5).size(), 2u);
  }
  ::dup2(before, STDIN_FILENO);
  ::close(before);
}

TEST_F(InputRowsTest, APipeCanBeReadTwice) {
  const std::string path = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path) << line(1) + line(2); });
  const InputRows rows(path, Json::object());
  writer.join();
  EXPECT_EQ(rows.name(), path);
  EXPECT_EQ(rows.check_all(), 2u);
  EXPECT_EQ(InputRows::Reader(rows).next(5).size(), 2u);
  EXPECT_EQ(rows.digest(), InputRows(write(line(1) + line(2)), Json::object()).digest());
}

TEST_F(InputRowsTest, ADeviceThatCannotBeReadIsAnError) {
  const std::string path = (folder_ / "socket").string();
  ASSERT_EQ(::mknod(path.c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_EQ(message_of<Error>([&] { InputRows rows(path, Json::object()); }),
            path + ": cannot read: No such device or address");
}

}  // namespace
}  // namespace selene::data
