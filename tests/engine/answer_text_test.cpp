#include "engine/answer_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace selene::engine {
namespace {

struct Written {
  std::string shown;  // All that add() gave, in order.
  std::string text;   // What finish() gave.
  bool stopped = false;
  bool invalid = false;
};

Written write(const std::string& stop, const std::vector<std::string>& pieces) {
  AnswerText answer(stop);
  Written written;
  for (const std::string& piece : pieces) {
    written.shown += answer.add(piece);
    if (answer.stopped()) break;
  }
  written.stopped = answer.stopped();
  written.text = answer.finish(written.invalid);
  return written;
}

TEST(AnswerText, WithoutAStopEverythingIsShownAtOnce) {
  AnswerText answer("");
  EXPECT_EQ(answer.add("It "), "It ");
  EXPECT_EQ(answer.add("is."), "is.");
  EXPECT_EQ(answer.add(""), "");
  EXPECT_FALSE(answer.stopped());
}

TEST(AnswerText, EndsBeforeTheStopText) {
  const Written written = write("**Result:**", {" It is", " good.\n\n", "**Result:**", " A"});
  EXPECT_TRUE(written.stopped);
  EXPECT_EQ(written.text, "It is good.");
  EXPECT_EQ(written.shown, " It is good.\n\n");
}

TEST(AnswerText, FindsTheStopHoweverItIsCut) {
  const std::string whole = "It is good.\n\n**Result:** A";
  for (size_t first = 0; first <= whole.size(); ++first) {
    for (size_t second = first; second <= whole.size(); ++second) {
      const Written written = write(
          "**Result:**",
          {whole.substr(0, first), whole.substr(first, second - first), whole.substr(second)});
      EXPECT_TRUE(written.stopped);
      EXPECT_EQ(written.text, "It is good.");
      EXPECT_EQ(written.shown, "It is good.\n\n");
    }
  }
}

TEST(AnswerText, FindsAStopInsideOnePiece) {
  const Written written = write("STOP", {"aSTOPbSTOP"});
  EXPECT_EQ(written.text, "a");
  EXPECT_TRUE(written.stopped);
}

TEST(AnswerText, HoldsBackWhatCouldBecomeTheStop) {
  AnswerText answer("**Result:**");
  EXPECT_EQ(answer.add("a **Res"), "a ");
  EXPECT_EQ(answer.add("t**"), "**Rest");
  EXPECT_EQ(answer.add("*"), "*");  // "**" is still held: the stop may begin there.
  EXPECT_EQ(answer.add("x"), "**x");
  EXPECT_FALSE(answer.stopped());
}

TEST(AnswerText, AStopThatNeverCompletesIsText) {
  EXPECT_EQ(write("**Result:**", {"a", " **Resul"}).text, "a **Resul");
}

TEST(AnswerText, AnAnswerThatIsOnlyTheStopIsEmpty) {
  const Written written = write("**Result:**", {" **Result:**"});
  EXPECT_TRUE(written.stopped);
  EXPECT_EQ(written.text, "");
}

TEST(AnswerText, ShowsWholeCharactersOnly) {
  AnswerText answer("");
  EXPECT_EQ(answer.add("\xF0\x9F"), "");
  EXPECT_EQ(answer.add("\x98"), "");
  EXPECT_EQ(answer.add("\x80!"), "\xF0\x9F\x98\x80!");
  bool invalid = true;
  EXPECT_EQ(answer.finish(invalid), "\xF0\x9F\x98\x80!");
  EXPECT_FALSE(invalid);
}

TEST(AnswerText, DropsACharacterCutOffAtTheEnd) {
  const Written cut = write("", {"good ", "\xE4\xBD"});
  EXPECT_EQ(cut.text, "good");
  EXPECT_FALSE(cut.invalid);
  const Written before_stop = write("STOP", {"good \xE4\xBD", "STOP"});
  EXPECT_EQ(before_stop.text, "good");
  EXPECT_EQ(before_stop.shown, "good ");
}

TEST(AnswerText, OtherBytesBecomeReplacementCharactersAndAreSaid) {
  const Written written = write("", {"a\xFF", "b\xC3", "c"});
  EXPECT_EQ(written.text,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD"
            "c");
  EXPECT_TRUE(written.invalid);
  EXPECT_EQ(written.shown, written.text);
}

// What was shown and what is returned are the same text, byte by byte fed or at once.
TEST(AnswerText, ShownAndReturnedTextAreTheSame) {
  const std::string bytes =
      "x\xE2\x82\xAC \xF0\x9F\x98\xE2\x82 \xC0\xAF\xED\xA0\x80 y\xF4\x90\x80\x80z";
  const Written at_once = write("", {bytes});
  std::vector<std::string> single;
  for (const char byte : bytes) single.emplace_back(1, byte);
  const Written one_by_one = write("", single);
  EXPECT_EQ(one_by_one.text, at_once.text);
  EXPECT_EQ(one_by_one.shown, at_once.shown);
  EXPECT_EQ(at_once.shown, at_once.text);
}

}  // namespace
}  // namespace selene::engine
