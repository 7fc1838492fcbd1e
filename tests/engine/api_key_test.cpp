#include "engine/api_key.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

namespace fs = std::filesystem;
using testing::message_of;
using testing::ScopedEnvironment;

std::string error_of(const std::string& key_env, const fs::path& key_file = "") {
  return message_of<Error>([&] { read_api_key(key_env, key_file); });
}

TEST(ApiKey, ComesFromTheEnvironment) {
  const ScopedEnvironment variable("SELENE_TEST_KEY", " sk-123 ");
  const ApiKey key = read_api_key("SELENE_TEST_KEY", "");
  EXPECT_EQ(key.key, "sk-123");
  EXPECT_EQ(key.warning, "");
}

TEST(ApiKey, ComesFromTheFirstLineOfAFile) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.file("key", "sk-123\r\nnot this\n");
  fs::permissions(path, fs::perms::owner_read);
  const ApiKey key = read_api_key("", path);
  EXPECT_EQ(key.key, "sk-123");
  EXPECT_EQ(key.warning, "");
}

TEST(ApiKey, WarnsOfAFileThatOthersCanRead) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.file("key", "sk-123\n");
  fs::permissions(path, fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(read_api_key("", path).warning,
            path.string() + " can be read by other users; `chmod 600` it");
}

TEST(ApiKey, NoneIsAskedFor) { EXPECT_EQ(read_api_key("", "").key, ""); }

TEST(ApiKey, ErrorsNameThePlaceAndNeverTheKey) {
  EXPECT_EQ(
      error_of("SELENE_TEST_NO_KEY"),
      "SELENE_TEST_NO_KEY: the environment variable is not set; export it, or use --key-file");
  EXPECT_EQ(error_of("sk-123"),
            "--key-env takes the name of an environment variable, not the key; put the key into a "
            "variable and give its "
            "name");
  EXPECT_EQ(error_of("A", "b"), "--key-env and --key-file are both given; give one of them");
  const testing::TemporaryFolder folder;
  EXPECT_NE(error_of("", folder / "none").find("none"), std::string::npos);
  EXPECT_EQ(error_of("", folder.file("empty", "\nsk-123\n")),
            (folder / "empty").string() + ": there is no key in it");
  EXPECT_EQ(error_of("", folder.file("two", "sk-123 sk-456\n")),
            (folder / "two").string() +
                ": what is in it cannot be a key: it has characters other than printable ASCII");
  const ScopedEnvironment variable("SELENE_TEST_KEY", "sk\r\nX-Header: 1");
  EXPECT_EQ(error_of("SELENE_TEST_KEY"),
            "SELENE_TEST_KEY: what is in it cannot be a key: it has characters other than "
            "printable ASCII");
}

}  // namespace
}  // namespace selene::engine
