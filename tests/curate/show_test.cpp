#include "curate/show.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "small_curation.h"

namespace selene::curate {
namespace {

using testing::Json;
using testing::message_of;

class Show : public ::testing::Test {
 protected:
  Show() { testing::write_small_curation(folder_); }

  std::string refusal(const std::string& id) const {
    return message_of<Error>([&] { find_pair(folder_.path(), id); });
  }
  std::string id_of(const std::string& id) const {
    return find_pair(folder_.path(), id).row.at("id").get<std::string>();
  }

  testing::TemporaryFolder folder_;
};

std::string golden(const std::string& name) {
  return read_file(std::string(SELENE_SOURCE_DIR "/tests/curate/golden/") + name);
}

// Made by this code, and read.
TEST_F(Show, OneBelowTheOtherIsTheGoldenFile) {
  EXPECT_EQ(pair_text(find_pair(folder_.path()), {.columns = 72}), golden("pair.txt"));
}
TEST_F(Show, SideBySideIsTheGoldenFile) {
  EXPECT_EQ(pair_text(find_pair(folder_.path()), {.columns = 100, .is_terminal = true}),
            golden("pair_wide.txt"));
}

TEST_F(Show, IsSideBySideOnAWideTerminalAlone) {
  const FoundPair pair = find_pair(folder_.path());
  const std::string below = pair_text(pair, {.columns = 120});
  EXPECT_EQ(below.find("\xE2\x94\x82"), std::string::npos);
  EXPECT_EQ(pair_text(pair, {.columns = 99, .is_terminal = true}).find("\xE2\x94\x82"),
            std::string::npos);
  EXPECT_NE(pair_text(pair, {.columns = 120, .is_terminal = true}).find("\xE2\x94\x82"),
            std::string::npos);
}

TEST_F(Show, MarksTheVerdictsInColour) {
  const std::string text = pair_text(find_pair(folder_.path()), {.columns = 80, .color = true});
  EXPECT_NE(text.find("\x1b[32m\xE2\x96\xB6 **Result:** Yes\x1b[0m\n"), std::string::npos);
  EXPECT_NE(text.find("\x1b[31m\xE2\x96\xB6 **Result:** No\x1b[0m\n"), std::string::npos);
}

TEST_F(Show, FindsPairsByTheirIdAndTheirRows) {
  EXPECT_EQ(id_of(""), "creak/train_1#1");
  EXPECT_EQ(id_of("saf/7#1"), "saf/7#1");
  EXPECT_EQ(id_of("saf/7"), "saf/7#1");
  EXPECT_EQ(id_of("train_1"), "creak/train_1#1");
  EXPECT_EQ(id_of("creak/train_3#2"), "creak/train_3#2");
  EXPECT_EQ(find_pair(folder_.path(), "creak/7").split, "validation");
}

TEST_F(Show, SaysWhyThereIsNone) {
  const std::string folder = folder_.path().string();
  EXPECT_EQ(refusal("creak/train_2"), folder +
                                          ": no pair was made of 'creak/train_2': it was dropped; "
                                          "`selene curate explain` says where and why");
  EXPECT_EQ(refusal("7"),
            folder +
                ": 2 rows have the id '7', such as creak/7 and saf/7; give it with its "
                "source: SOURCE/ID");
  EXPECT_EQ(refusal("saf/8"),
            folder +
                ": no pair has the id 'saf/8'; the nearest: saf/7; give it as SOURCE/ID#N, or the "
                "row's as SOURCE/ID; without one the first is shown");
  for (const char* split : {"train.jsonl", "validation.jsonl"}) folder_.file(split, "");
  EXPECT_EQ(refusal(""), folder + ": it has no pairs");
}

TEST_F(Show, AVerdictAloneIsMarkedToo) {
  FoundPair pair = find_pair(folder_.path());
  pair.row["chosen"][0]["content"] = "**Result:** Yes";
  EXPECT_NE(pair_text(pair, {.columns = 80}).find("\n\xE2\x96\xB6 **Result:** Yes\n"),
            std::string::npos);
}

TEST_F(Show, TextOfOthersDoesNothingToATerminal) {
  FoundPair pair = find_pair(folder_.path());
  const std::string hostile = "\x1b[2J\x07 \xE2\x80\xAE";
  for (const char* key : {"id", "task", "label", "group"}) pair.row[key] = hostile;
  pair.row["prompt"][0] = {{"role", hostile}, {"content", hostile}};
  pair.row["chosen"][0]["content"] = hostile + "\n" + hostile;
  pair.row["provenance"]["steps"][0][1] = hostile;
  for (const bool wide : {false, true}) {
    const std::string text = pair_text(pair, {.columns = 100, .is_terminal = wide});
    for (const char* bytes : {"\x1b", "\x07", "\xE2\x80\xAE"})
      EXPECT_EQ(text.find(bytes), std::string::npos);
  }
}

TEST_F(Show, RefusesWhatIsNoPair) {
  const std::string failure = message_of<Error>([] {
    pair_text({"train", Json::object()}, report::Terminal{});
  });
  EXPECT_EQ(failure.find("this is no pair of a curation: "), 0u) << failure;
}

}  // namespace
}  // namespace selene::curate
