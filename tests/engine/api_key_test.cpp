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

TEST(ApiKey, IsTakenOutOfAnAnswerAlsoWhereJsonEscapesIt) {
  EXPECT_EQ(without_key("Bearer sk-a/b+9, sk-a/b+9", "sk-a/b+9"), "Bearer [key], [key]");
  EXPECT_EQ(without_key(R"("sk-a\/b\u002B9" and "\u0073k-a/b\u002b9")", "sk-a/b+9"),
            R"("[key]" and "[key]")");
  for (const char* other : {"", "sk-a/b+", R"(sk-a\)", R"(sk-a\u00)", R"(sk-a\u002fb-9)"}) {
    EXPECT_EQ(without_key(other, "sk-a/b+9"), other);
  }
  EXPECT_EQ(without_key("none of these", ""), "none of these");
  EXPECT_EQ(without_key("none of these", "none"), "none of these") << "a placeholder";
}

}  // namespace
}  // namespace selene::engine
