#include "core/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace selene {
namespace {

TEST(Error, ReadsWhereWhatRemedy) {
  EXPECT_STREQ(Error("bad row").what(), "bad row");
  EXPECT_STREQ(Error("bad row", "votes.jsonl:17").what(), "votes.jsonl:17: bad row");
  EXPECT_STREQ(Error("bad row", "", "mend it").what(), "bad row; mend it");
  EXPECT_STREQ(Error("bad row", "votes.jsonl:17", "mend it").what(),
               "votes.jsonl:17: bad row; mend it");
}

TEST(Error, KeepsItsParts) {
  const Error error("bad row", "votes.jsonl:17", "mend it");
  EXPECT_EQ(error.message(), "bad row");
  EXPECT_EQ(error.where(), "votes.jsonl:17");
  EXPECT_EQ(error.remedy(), "mend it");
}

TEST(Error, TakesAPlaceLater) {
  EXPECT_STREQ(Error("bad row", "", "mend it").at("a.jsonl:3").what(),
               "a.jsonl:3: bad row; mend it");
}

TEST(Error, AUsageErrorIsAnError) { EXPECT_THROW(throw UsageError("two inputs"), Error); }

TEST(Error, ABrokenInvariantIsALogicError) {
  EXPECT_NO_THROW(ensure(true, "fine"));
  try {
    ensure(false, "the books do not balance");
    FAIL();
  } catch (const std::logic_error& failure) {
    EXPECT_STREQ(failure.what(), "the books do not balance");
  }
}

TEST(Error, ErrnoIsText) { EXPECT_EQ(errno_text(ENOSPC), "No space left on device"); }

}  // namespace
}  // namespace selene
