#include "data/row_output.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "failing_writes.h"
#include "temporary_folder.h"

namespace selene::data {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::message_of;
using testing::slurp;

class RowOutputTest : public ::testing::Test {
 protected:
  Json work_ = {{"input_sha256", "00"}, {"judge", {{"mode", "verdict"}}}};
  testing::TemporaryFolder folder_;
  fs::path out_ = folder_ / "out.jsonl";
  fs::path part_ = folder_ / "out.jsonl.part";
};

TEST_F(RowOutputTest, RowsGetTheirNameAtTheEnd) {
  RowOutput output(out_, work_, false);
  output.append({{"id", 1}});
  EXPECT_FALSE(fs::exists(out_));
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
  output.append({{"id", 2}});
  RunRecord record("judge");
  output.finish(record);
  EXPECT_EQ(slurp(out_), "{\"id\":1}\n{\"id\":2}\n");
  EXPECT_TRUE(fs::exists(folder_ / "out.jsonl.run.json"));
  EXPECT_FALSE(fs::exists(part_));
  EXPECT_FALSE(fs::exists(folder_ / "out.jsonl.part.json"));
}

TEST_F(RowOutputTest, TheSameWorkGoesOnAfterWholeRows) {
  { RowOutput(out_, work_, false).append({{"id", 1}}); }
  folder_.file("out.jsonl.part",
               slurp(part_) + "{\"id\":2}\n{\"id\":");  // Killed in the third row.
  RowOutput output(out_, work_, false);
  EXPECT_EQ(output.rows_kept(), 2u);
  output.append({{"id", 3}});
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
}

TEST_F(RowOutputTest, OtherWorkIsRefusedAndNamed) {
  { RowOutput(out_, work_, false).append({{"id", 1}}); }
  Json other = work_;
  other["judge"]["mode"] = "critique";
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, other, false); }),
            part_.string() +
                ": this file was begun by other work (it differs at /judge/mode); give --overwrite "
                "to start anew, or "
                "another --out");
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
  EXPECT_EQ(RowOutput(out_, other, true).rows_kept(), 0u);
  EXPECT_EQ(slurp(part_), "");
}

TEST_F(RowOutputTest, APartOfUnknownWorkIsRefused) {
  folder_.file("out.jsonl.part", "{\"id\":1}\n");
  const std::string expected =
      part_.string() +
      ": this file was begun by other work (its .part.json cannot be read); "
      "give --overwrite to start anew, or another --out";
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, work_, false); }), expected);
  for (const char* damaged : {"", "{\"input", "[]", "null"}) {
    folder_.file("out.jsonl.part.json", damaged);
    EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, work_, false); }), expected) << damaged;
  }
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
}

TEST_F(RowOutputTest, AnExistingFileIsKeptWithoutOverwrite) {
  folder_.file("out.jsonl", "old");
  const std::string expected =
      out_.string() + ": the output file exists; give --overwrite or another --out";
  EXPECT_EQ(message_of<Error>([&] { RowOutput::check_new(out_, false); }), expected);
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, work_, false); }), expected);
  EXPECT_EQ(slurp(out_), "old");
  {
    RowOutput output(out_, work_, true);
    EXPECT_EQ(slurp(out_), "old");  // Until the new one is whole.
    RunRecord record("judge");
    output.finish(record);
  }
  EXPECT_EQ(slurp(out_), "");
}

TEST_F(RowOutputTest, AFolderIsNoOutput) {
  EXPECT_EQ(message_of<Error>([&] { RowOutput::check_new(folder_.path(), true); }),
            folder_.path().string() + ": the output is a folder; name a file");
}

TEST_F(RowOutputTest, AFailingWriteKeepsWholeRows) {
  RowOutput output(out_, work_, false);
  output.append({{"id", 1}});
  {
    const testing::FailingWrites full(1000);
    EXPECT_EQ(message_of<Error>([&] {
                output.append({{"text", std::string(5000, 'x')}});
              }),
              part_.string() + ": cannot write: File too large");
  }
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
  EXPECT_EQ(RowOutput(out_, work_, false).rows_kept(), 1u);
}

}  // namespace
}  // namespace selene::data
