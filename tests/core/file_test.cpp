#include "core/file.h"

#include <gtest/gtest.h>

#include <optional>

#include "core/error.h"
#include "failing_writes.h"
#include "small_disk.h"
#include "temporary_folder.h"

namespace selene {
namespace {

namespace fs = std::filesystem;
using testing::FailingWrites;
using testing::message_of;
using testing::ScopedEnvironment;
using testing::slurp;

class FileTest : public ::testing::Test {
 protected:
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::recursive_directory_iterator(folder_.path()), {}));
  }
  testing::TemporaryFolder folder_;
};

TEST_F(FileTest, ReadsEveryByte) {
  const std::string bytes("a\0\r\n\xFF", 5);
  EXPECT_EQ(read_file(folder_.file("f", bytes)), bytes);
  EXPECT_EQ(read_file(folder_.file("empty", "")), "");
}

TEST_F(FileTest, SaysWhatCannotBeRead) {
  const std::string path = (folder_ / "none").string();
  EXPECT_EQ(message_of<Error>([&] { read_file(path); }),
            path + ": cannot read: No such file or directory");
  EXPECT_EQ(message_of<Error>([&] { read_file(folder_.path()); }),
            folder_.path().string() + ": cannot read: not a file");
}

TEST_F(FileTest, WritesAndReplacesAtomically) {
  write_file_atomically(folder_ / "f", "one");
  EXPECT_EQ(slurp(folder_ / "f"), "one");
  write_file_atomically(folder_ / "f", "two");
  EXPECT_EQ(slurp(folder_ / "f"), "two");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, MakesMissingFolders) {
  write_file_atomically(folder_ / "a/b/f", "x");
  EXPECT_EQ(slurp(folder_ / "a/b/f"), "x");
}

TEST_F(FileTest, AFailingWriteLeavesTheOldFileAndNoOther) {
  write_file_atomically(folder_ / "f", "old");
  const std::string path = (folder_ / "f").string();
  {
    const FailingWrites full(1000);
    EXPECT_EQ(message_of<Error>([&] { write_file_atomically(path, std::string(5000, 'x')); }),
              path + ": cannot write: File too large");
  }
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, WhatIsNotCommittedLeavesNothing) {
  {
    AtomicFile file(folder_ / "f");
    file.append("half");
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(FileTest, ACommitReplacesOnlyWhatItMay) {
  const std::string path = (folder_ / "f").string();
  AtomicFile file(path);
  file.append("new");
  folder_.file("f", "of another");
  EXPECT_EQ(message_of<Error>([&] { file.commit(/*overwrite=*/false); }),
            path + ": the output file exists; give --overwrite or name another file");
  EXPECT_EQ(slurp(path), "of another");
  file.commit();
  EXPECT_EQ(slurp(path), "new");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, SaysWhatCannotBeWritten) {
  folder_.file("f", "");
  EXPECT_EQ(message_of<Error>([&] { write_file_atomically(folder_ / "f/g", "x"); }),
            (folder_ / "f").string() + ": cannot make the folder: Not a directory");
  fs::create_directory(folder_ / "d");
  const std::string folder = (folder_ / "d").string();
  EXPECT_EQ(message_of<Error>([&] { write_file_atomically(folder, "x"); }),
            folder + ": cannot write: Is a directory");
  EXPECT_EQ(files(), 2u);
}

TEST_F(FileTest, AFullDiskSaysToFreeSpace) {
  const std::string path = (folder_ / "rows").string();
  const std::string remedy =
      ": cannot write: No space left on device; free some space and run the same command again";
  const auto on_full_disk = [&] {
    AppendFile file(path, 0);
    file.append("one\n");
    const std::string appended =
        message_of<Error>([&] { file.append(std::string(1'000'000, 'x') + "\n"); });
    const std::string written =
        message_of<Error>([&] { write_file_atomically(path + "2", std::string(1'000'000, 'x')); });
    return appended + "|" + written + "|" + slurp(path);
  };
  const std::optional<std::string> said =
      testing::on_small_disk(folder_.path(), 64 << 10, on_full_disk);
  if (!said) GTEST_SKIP() << "SKIPPED: no right to mount a small disk";
  EXPECT_EQ(*said, path + remedy + "|" + path + "2" + remedy + "|one\n");
}

TEST_F(FileTest, RenamesOverAnExistingFile) {
  folder_.file("from", "new");
  folder_.file("to", "old");
  rename_synced(folder_ / "from", folder_ / "to");
  EXPECT_EQ(slurp(folder_ / "to"), "new");
  EXPECT_FALSE(fs::exists(folder_ / "from"));
}

TEST_F(FileTest, SaysWhatCannotBeRenamed) {
  const std::string to = (folder_ / "to").string();
  EXPECT_EQ(message_of<Error>([&] { rename_synced(folder_ / "from", to); }),
            to + ": cannot write: No such file or directory");
}

TEST_F(FileTest, RenamesToANewNameOnly) {
  folder_.file("from", "new");
  folder_.file("to", "old");
  EXPECT_FALSE(rename_to_new(folder_ / "from", folder_ / "to"));
  EXPECT_EQ(slurp(folder_ / "to"), "old");
  EXPECT_TRUE(rename_to_new(folder_ / "from", folder_ / "other"));
  EXPECT_EQ(slurp(folder_ / "other"), "new");
}

TEST_F(FileTest, AnOutputIsAFileInAFolderThatIsThere) {
  const auto error_of = [&](std::string_view name) {
    return message_of<Error>([&] { output_target(folder_ / name, /*overwrite=*/false); });
  };
  const auto at = [&](std::string_view name) { return (folder_ / name).string(); };
  EXPECT_EQ(error_of("out"), "");
  for (const char* name : {".", "new/"})
    EXPECT_EQ(error_of(name), at(name) + ": the output names a folder; name a file");
  for (const char* name : {"new/out", "new/../out"}) {
    EXPECT_EQ(error_of(name), at(name) + ": the output's folder is not there; make it: mkdir -p " +
                                  fs::path(at(name)).parent_path().string());
  }
  folder_.file("old", "");
  EXPECT_EQ(error_of("old"),
            at("old") + ": the output file exists; give --overwrite or name another file");
  EXPECT_EQ(output_target(folder_ / "old", /*overwrite=*/true), folder_ / "old");
  EXPECT_EQ(message_of<Error>([] { output_target("/dev/null", true); }),
            "/dev/null: the output is not a regular file; write to standard output (-) and "
            "redirect that");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, SaysHowMuchSpaceIsNeeded) {
  check_space(folder_.path(), 0);
  const std::string message =
      message_of<Error>([&] { check_space(folder_.path(), std::uint64_t{1} << 60); });
  EXPECT_TRUE(message.starts_with(folder_.path().string() +
                                  ": not enough disk space: 1152921504606.8 MB more are needed, "))
      << message;
  EXPECT_TRUE(message.ends_with(" MB are free; free some space and run the same command again"))
      << message;
}

TEST_F(FileTest, FollowsLinks) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink(folder_ / "c/d", folder_ / "b");
  EXPECT_EQ(link_target(folder_ / "a"), folder_ / "c/d");
  EXPECT_EQ(link_target("no/link"), "no/link");
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_EQ(message_of<Error>([&] { link_target(folder_ / "circle"); }),
            (folder_ / "circle").string() + ": symbolic links go in a circle");
}

// Of a file, which is made, and of a folder.
TEST_F(FileTest, ALockIsOneHoldersAlone) {
  for (const fs::path& path : {folder_ / "a/file", folder_.path()}) {
    {
      const FileLock lock(path);
      EXPECT_EQ(message_of<Error>([&] { FileLock other(path); }),
                path.string() +
                    ": another process is at work on it; wait until it ends, then run the same "
                    "command again");
    }
    EXPECT_EQ(message_of<Error>([&] { FileLock other(path); }), "");
  }
}

TEST_F(FileTest, AppendsRows) {
  AppendFile file(folder_ / "a/rows", 0);
  file.append("one\n");
  file.append("two\n");
  file.sync();
  EXPECT_EQ(slurp(folder_ / "a/rows"), "one\ntwo\n");
}

TEST_F(FileTest, KeepsTheBytesAskedForAndAppendsThere) {
  folder_.file("rows", "one\ntwo\nthr");
  AppendFile file(folder_ / "rows", 8);
  file.append("three\n");
  EXPECT_EQ(slurp(folder_ / "rows"), "one\ntwo\nthree\n");
}

TEST_F(FileTest, AFailingAppendLeavesWholeRows) {
  const std::string path = (folder_ / "rows").string();
  AppendFile file(path, 0);
  file.append("one\n");
  {
    const FailingWrites full(1000);
    EXPECT_EQ(message_of<Error>([&] { file.append(std::string(5000, 'x') + "\n"); }),
              path + ": cannot write: File too large");
  }
  EXPECT_EQ(slurp(path), "one\n");
  file.append("two\n");
  EXPECT_EQ(slurp(path), "one\ntwo\n");
}

TEST_F(FileTest, UserFoldersFollowTheEnvironment) {
  const ScopedEnvironment home("HOME", "/home/x");
  {
    const ScopedEnvironment ours("SELENE_DATA_HOME", "/data");
    const ScopedEnvironment cache("SELENE_CACHE", "/cache");
    EXPECT_EQ(data_dir(), "/data");
    EXPECT_EQ(cache_dir(), "/cache");
  }
  const ScopedEnvironment ours("SELENE_DATA_HOME", "");
  const ScopedEnvironment cache("SELENE_CACHE", "");
  {
    const ScopedEnvironment xdg_data("XDG_DATA_HOME", "/xdg/data");
    const ScopedEnvironment xdg_cache("XDG_CACHE_HOME", "/xdg/cache");
    EXPECT_EQ(data_dir(), "/xdg/data/selene");
    EXPECT_EQ(cache_dir(), "/xdg/cache/selene");
  }
  const ScopedEnvironment xdg_data("XDG_DATA_HOME", "");
  const ScopedEnvironment xdg_cache("XDG_CACHE_HOME", "");
  EXPECT_EQ(data_dir(), "/home/x/.local/share/selene");
  EXPECT_EQ(cache_dir(), "/home/x/.cache/selene");
  const ScopedEnvironment no_home("HOME", "");
  EXPECT_EQ(message_of<Error>([] { data_dir(); }),
            "no home folder: HOME is not set; set SELENE_DATA_HOME to a folder");
  EXPECT_EQ(message_of<Error>([] { cache_dir(); }),
            "no home folder: HOME is not set; set SELENE_CACHE to a folder");
}

}  // namespace
}  // namespace selene
