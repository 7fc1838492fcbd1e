#include "data/row_output.h"

#include <sys/stat.h>

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
  // What a run that stops after one row leaves.
  void write_first_row() const {
    RowOutput output(out_, false);
    output.begin(work_);
    output.append({{"id", 1}});
  }
  std::string begin_message(const Json& work) const {
    return message_of<Error>([&] { RowOutput(out_, false).begin(work); });
  }

  Json work_ = {{"input_sha256", "00"}, {"judge", {{"mode", "verdict"}}}};
  testing::TemporaryFolder folder_;
  fs::path out_ = folder_ / "out.jsonl";
  fs::path part_ = folder_ / "out.jsonl.part";
};

TEST_F(RowOutputTest, RowsGetTheirNameAtTheEnd) {
  RowOutput output(out_, false);
  output.begin(work_);
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
  write_first_row();
  folder_.file("out.jsonl.part",
               slurp(part_) + "{\"id\":2}\n{\"id\":");  // Killed in the third row.
  RowOutput output(out_, false);
  output.begin(work_);
  EXPECT_EQ(output.rows_kept(), 2u);
  output.append({{"id", 3}});
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
}

TEST_F(RowOutputTest, OtherWorkIsRefusedAndNamed) {
  write_first_row();
  Json other = work_;
  other["judge"]["mode"] = "critique";
  EXPECT_EQ(begin_message(other),
            part_.string() +
                ": this file was begun by other work (it differs at /judge/mode); give --overwrite "
                "to start anew, or name another file");
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
  RowOutput output(out_, true);
  output.begin(other);
  EXPECT_EQ(output.rows_kept(), 0u);
  EXPECT_EQ(slurp(part_), "");
}

TEST_F(RowOutputTest, APartOfUnknownWorkIsRefused) {
  folder_.file("out.jsonl.part", "{\"id\":1}\n");
  const auto refused = [&](const std::string& why) {
    return part_.string() + ": this file was begun by other work (" + why +
           "); give --overwrite to start anew, or name another file";
  };
  EXPECT_EQ(begin_message(work_), refused("there is no out.jsonl.part.json"));
  for (const char* damaged : {"", "{\"input", "[]", "null"}) {
    folder_.file("out.jsonl.part.json", damaged);
    EXPECT_EQ(begin_message(work_), refused("out.jsonl.part.json cannot be read")) << damaged;
  }
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
}

TEST_F(RowOutputTest, AnExistingFileIsKeptWithoutOverwrite) {
  folder_.file("out.jsonl", "old");
  const std::string expected =
      out_.string() + ": the output file exists; give --overwrite or name another file";
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, false); }), expected);
  EXPECT_EQ(slurp(out_), "old");
  {
    RowOutput output(out_, true);
    output.begin(work_);
    EXPECT_EQ(slurp(out_), "old");  // Until the new one is whole.
    RunRecord record("judge");
    output.finish(record);
  }
  EXPECT_EQ(slurp(out_), "");
}

TEST_F(RowOutputTest, AFileThatAppearsDuringTheRunIsKept) {
  RunRecord record("judge");
  {
    RowOutput output(out_, false);
    output.begin(work_);
    output.append({{"id", 1}});
    folder_.file("out.jsonl", "of another");
    EXPECT_EQ(message_of<Error>([&] { output.finish(record); }),
              out_.string() + ": the output file has appeared during the run; all rows are in " +
                  part_.string() +
                  "; move it away or give --overwrite, and run the same command again");
  }
  EXPECT_EQ(slurp(out_), "of another");
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
  EXPECT_FALSE(fs::exists(folder_ / "out.jsonl.run.json"));
  RowOutput output(out_, true);
  output.begin(work_);
  EXPECT_EQ(output.rows_kept(), 1u);
  output.finish(record);
  EXPECT_EQ(slurp(out_), "{\"id\":1}\n");
}

TEST_F(RowOutputTest, ARecordOfAnotherProgramIsKeptWithoutOverwrite) {
  const fs::path record = folder_.file("out.jsonl.run.json", "{\"mine\": true}");
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, false); }),
            record.string() +
                ": this file is in the place of the output's record, and selene did not write it; "
                "give --overwrite or name another file");
  EXPECT_EQ(slurp(record), "{\"mine\": true}");
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, true); }), "");
  folder_.file("out.jsonl.run.json", "{\"command\": \"judge\", \"selene\": \"0.0.1\"}");
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, false); }), "");
}

TEST_F(RowOutputTest, RowsAreDroppedOnlyWithOverwrite) {
  write_first_row();
  const Error why("a row is wrong", "out.jsonl.part:1", "a remedy");
  {
    RowOutput output(out_, false);
    output.begin(work_);
    EXPECT_EQ(message_of<Error>([&] { output.drop_rows(why); }),
              "out.jsonl.part:1: a row is wrong; give --overwrite to start anew, or name another "
              "file");
  }
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
  RowOutput output(out_, true);
  output.begin(work_);
  output.drop_rows(why);
  EXPECT_EQ(output.rows_kept(), 0u);
  output.append({{"id", 2}});
  EXPECT_EQ(slurp(part_), "{\"id\":2}\n");
}

TEST_F(RowOutputTest, AFolderIsNoOutput) {
  EXPECT_EQ(message_of<Error>([&] { RowOutput(folder_.path(), true); }),
            folder_.path().string() + ": the output names a folder; name a file");
}

TEST_F(RowOutputTest, AFailingWriteKeepsWholeRows) {
  RowOutput output(out_, false);
  output.begin(work_);
  output.append({{"id", 1}});
  {
    const testing::FailingWrites full(1000);
    EXPECT_EQ(message_of<Error>([&] {
                output.append({{"text", std::string(5000, 'x')}});
              }),
              part_.string() + ": cannot write: File too large");
  }
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
}

TEST_F(RowOutputTest, OverwritingGoesOnWithTheSameWork) {
  folder_.file("out.jsonl", "old");
  {
    RowOutput stopped(out_, true);
    stopped.begin(work_);
    stopped.append({{"id", 1}});
  }
  RowOutput output(out_, true);
  output.begin(work_);
  EXPECT_EQ(output.rows_kept(), 1u);
  EXPECT_EQ(slurp(out_), "old");
}

TEST_F(RowOutputTest, APartWithoutARowIsLeftToNobody) {
  { RowOutput(out_, false); }
  { RowOutput(out_, false).begin(work_); }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  // A kill leaves it, which is no other work.
  folder_.file("out.jsonl.part", "");
  RowOutput output(out_, false);
  output.begin(work_);
  EXPECT_EQ(output.rows_kept(), 0u);
}

TEST_F(RowOutputTest, OneProcessAloneWritesAPart) {
  RowOutput output(out_, false);
  output.begin(work_);
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, true); }),
            part_.string() +
                ": another process is at work on it; wait until it ends, then run the same command "
                "again");
  output.append({{"id", 1}});
  EXPECT_EQ(slurp(part_), "{\"id\":1}\n");
}

TEST_F(RowOutputTest, ALinkIsFollowed) {
  fs::create_directory(folder_ / "far");
  const fs::path far = folder_ / "far/judgments.jsonl";
  fs::create_symlink("far/judgments.jsonl", out_);
  RowOutput output(out_, false);
  output.begin(work_);
  output.append({{"id", 1}});
  RunRecord record("judge");
  output.finish(record);
  EXPECT_TRUE(fs::is_symlink(out_));
  EXPECT_EQ(slurp(far), "{\"id\":1}\n");
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, false); }),
            out_.string() + ": the output file exists; give --overwrite or name another file");
}

TEST_F(RowOutputTest, APipeIsNoOutput) {
  ASSERT_EQ(::mkfifo(out_.c_str(), 0600), 0);
  EXPECT_EQ(message_of<Error>([&] { RowOutput(out_, true); }),
            out_.string() +
                ": the output is not a regular file; write to standard output (-) and redirect "
                "that");
}

}  // namespace
}  // namespace selene::data
