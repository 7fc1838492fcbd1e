#include "core/digest.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene {
namespace {

using testing::message_of;
using testing::ScopedEnvironment;
using testing::slurp;

// FIPS 180-4, examples of NIST's Cryptographic Standards and Guidelines.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Digest, AgreesWithPublishedVectors) {
  EXPECT_EQ(sha256(""), kEmpty);
  EXPECT_EQ(sha256("abc"), kAbc);
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), kMillionA);
}

TEST(Digest, PartsAreTheWhole) {
  Sha256 digest;
  digest.update("a");
  digest.update("");
  digest.update("bc");
  EXPECT_EQ(digest.hex(), kAbc);
}

TEST(Digest, ReadsFiles) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(sha256_file(folder.file("empty", "")), kEmpty);
  EXPECT_EQ(sha256_file(folder.file("zero", std::string("\0\0", 2))),
            sha256(std::string_view("\0\0", 2)));
  // More than one buffer, and not a multiple of it.
  const std::string large((3 << 20) + 17, 'x');
  EXPECT_EQ(sha256_file(folder.file("large", large)), sha256(large));
}

TEST(Digest, AFileThatIsNotThereIsAnError) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder / "none").string();
  EXPECT_EQ(message_of<Error>([&] { sha256_file(path); }),
            path + ": cannot read: No such file or directory");
  EXPECT_EQ(message_of<Error>([&] { sha256_file_cached(path); }),
            path + ": No such file or directory");
}

TEST(Digest, AFolderIsAnError) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(sha256_file(folder.path()), Error);
}

class DigestCache : public ::testing::Test {
 protected:
  nlohmann::json cache() const {
    return nlohmann::json::parse(slurp(folder_ / "cache/digests.json"));
  }

  testing::TemporaryFolder folder_;
  ScopedEnvironment cache_{"SELENE_CACHE", (folder_ / "cache").string()};
};

TEST_F(DigestCache, RemembersAFile) {
  const auto file = folder_.file("abc", "abc");
  EXPECT_EQ(sha256_file_cached(file), kAbc);
  // Proof that the second answer comes from the cache: change it there.
  std::string text = slurp(folder_ / "cache/digests.json");
  text.replace(text.find("ba78"), 4, "1234");
  folder_.file("cache/digests.json", text);
  EXPECT_EQ(sha256_file_cached(file).substr(0, 4), "1234");
}

TEST_F(DigestCache, ReadsAChangedFileAgain) {
  const auto file = folder_.file("abc", "abc");
  sha256_file_cached(file);
  folder_.file("abc", "abcd");
  EXPECT_EQ(sha256_file_cached(file), sha256("abcd"));
  // The same size at another time.
  folder_.file("abc", "abcX");
  const timespec times[2] = {{1'000'000'000, 1}, {1'000'000'000, 1}};
  ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  EXPECT_EQ(sha256_file_cached(file), sha256("abcX"));
  EXPECT_EQ(cache().size(), 1u);
}

TEST_F(DigestCache, ADamagedCacheIsReplaced) {
  const auto file = folder_.file("abc", "abc");
  for (const char* damaged : {"{", "[]", "", "{\"x\": 1}", "\xFF"}) {
    folder_.file("cache/digests.json", damaged);
    EXPECT_EQ(sha256_file_cached(file), kAbc) << damaged;
  }
  const std::string key = std::filesystem::absolute(file).string();
  folder_.file("cache/digests.json", nlohmann::json{{key, {{"stamp", 1}, {"sha256", 2}}}}.dump());
  EXPECT_EQ(sha256_file_cached(file), kAbc);
  EXPECT_EQ(cache().at(key).at("sha256"), kAbc);
}

TEST_F(DigestCache, ACacheThatCannotBeWrittenIsPassedOver) {
  const auto file = folder_.file("abc", "abc");
  folder_.file("cache", "a file where the folder should be");
  EXPECT_EQ(sha256_file_cached(file), kAbc);
}

}  // namespace
}  // namespace selene
