#include "model/store.h"

#include <gtest/gtest.h>

#include <set>

#include "core/digest.h"
#include "core/error.h"
#include "core/lock.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using testing::message_of;
using testing::ScopedEnvironment;

class StoreTest : public ::testing::Test {
 protected:
  std::string error_of(const std::string& spec) {
    return message_of<Error>([&] { resolve_model(spec); });
  }

  testing::TemporaryFolder folder_;
  ScopedEnvironment data_home_{"SELENE_DATA_HOME", folder_.path().string()};
  ScopedEnvironment no_model_{"SELENE_MODEL", ""};
  ScopedEnvironment no_endpoint_{"SELENE_HF_ENDPOINT", ""};
};

TEST_F(StoreTest, NamesAndAliasesOfKnownModelsAreDistinct) {
  std::set<std::string_view> names;
  for (const KnownModel& model : known_models()) {
    EXPECT_TRUE(names.insert(model.name).second) << model.name;
    if (!model.alias.empty()) {
      EXPECT_TRUE(names.insert(model.alias).second) << model.alias;
    }
    EXPECT_EQ(find_known_model(model.name), &model);
    EXPECT_GT(model.bytes, 0u);
    EXPECT_FALSE(model.licence.empty());
    EXPECT_NO_THROW(store_path(model.name));
  }
  EXPECT_EQ(find_known_model("default")->name, "smollm2-135m");
  EXPECT_EQ(find_known_model(""), nullptr);
  EXPECT_EQ(find_known_model("nothing"), nullptr);
}

TEST_F(StoreTest, AKnownModelThatIsNotThereSaysHowToGetIt) {
  const std::string path = (folder_ / "models/smollm2-135m-instruct-q8_0.gguf").string();
  EXPECT_EQ(error_of("smollm2-135m"), "the model 'smollm2-135m' is not on this machine (" + path +
                                          "); get it with: selene models pull smollm2-135m");
  EXPECT_EQ(error_of("default"), error_of("smollm2-135m"));
  EXPECT_EQ(error_of(""), error_of("smollm2-135m"));
}

TEST_F(StoreTest, FindsAPulledModel) {
  const auto path = folder_.file("models/smollm2-135m-instruct-q8_0.gguf", "x");
  EXPECT_EQ(resolve_model("default").path, path);
  EXPECT_EQ(resolve_model("").name, "smollm2-135m");
}

TEST_F(StoreTest, AKnownHubModelIsTheSameFileAsItsSpec) {
  const auto path = folder_.file(
      "models/hf/AtlaAI/Selene-1-Mini-Llama-3.1-8B-Q4_K_M-GGUF/"
      "selene-1-mini-llama-3.1-8b-q4_k_m.gguf",
      "x");
  EXPECT_EQ(resolve_model("selene-1-mini").path, path);
  const std::string spec(find_known_model("selene-1-mini")->source);
  EXPECT_EQ(resolve_model(spec).path, path);
  EXPECT_EQ(resolve_model(spec).name, spec);
}

TEST_F(StoreTest, TheEnvironmentReplacesTheDefaultOnly) {
  const auto file = folder_.file("mine.gguf", "x");
  const ScopedEnvironment model("SELENE_MODEL", file.string());
  EXPECT_EQ(resolve_model("").path, file);
  EXPECT_EQ(resolve_model("default").name, "mine.gguf");
  EXPECT_NE(error_of("smollm2-135m"), "");
}

TEST_F(StoreTest, TheEnvironmentMayHoldAName) {
  const auto path = folder_.file("models/smollm2-135m-instruct-q8_0.gguf", "x");
  const ScopedEnvironment model("SELENE_MODEL", "default");
  EXPECT_EQ(resolve_model("").path, path);
}

TEST_F(StoreTest, APathIsAFile) {
  const auto path = folder_.file("some model.bin", "x");
  EXPECT_EQ(resolve_model(path.string()).path, path);
  EXPECT_EQ(resolve_model(path.string()).name, "some model.bin");
  EXPECT_EQ(error_of(folder_.path().string()),
            folder_.path().string() + ": this is a folder, a GGUF file is needed");
  EXPECT_EQ(error_of((folder_ / "none.gguf").string()),
            (folder_ / "none.gguf").string() + ": no such file");
  EXPECT_EQ(error_of("none.gguf"), "none.gguf: no such file");
}

TEST_F(StoreTest, OnlyAKnownModelMustBeTheRecordedOne) {
  const ScopedEnvironment cache("SELENE_CACHE", (folder_ / "cache").string());
  const auto path = folder_.file("models/smollm2-135m-instruct-q8_0.gguf", "x");
  EXPECT_EQ(message_of<Error>([] { check_recorded(resolve_model("")); }),
            path.string() + ": the model 'smollm2-135m' is not the recorded one: expected " +
                lock_value("smollm2-135m-instruct", "q8_0_sha256") + ", got " + sha256("x") +
                "; make it again: selene models pull smollm2-135m");
  EXPECT_NO_THROW(check_recorded(resolve_model(path.string())));
  const ScopedEnvironment model("SELENE_MODEL", path.string());
  EXPECT_NO_THROW(check_recorded(resolve_model("")));
  EXPECT_THROW(check_recorded(resolve_model("smollm2-135m")), Error);
}

TEST_F(StoreTest, AnUnknownNameListsTheKnownOnes) {
  EXPECT_EQ(error_of("selene"),
            "unknown model 'selene'; known: smollm2-135m, selene-1-mini, selene-1-mini-q8; or give "
            "a GGUF file or "
            "hf:owner/repo/file.gguf");
}

TEST_F(StoreTest, ASpecThatIsNotThereSaysHowToGetIt) {
  EXPECT_TRUE(
      error_of("hf:a/b/c.gguf").ends_with("; get it with: selene models pull hf:a/b/c.gguf"));
}

TEST_F(StoreTest, ReadsAHubSpec) {
  const HubFile plain = parse_hub_file("hf:owner/repo-1.0/file_q8.gguf");
  EXPECT_EQ(plain.owner, "owner");
  EXPECT_EQ(plain.repository, "repo-1.0");
  EXPECT_EQ(plain.file, "file_q8.gguf");
  EXPECT_EQ(plain.url(), "https://huggingface.co/owner/repo-1.0/resolve/main/file_q8.gguf");
  const HubFile deep = parse_hub_file("hf:o/r/sub/f.gguf@v1.2");
  EXPECT_EQ(deep.url(), "https://huggingface.co/o/r/resolve/v1.2/sub/f.gguf");
  EXPECT_EQ(store_path("hf:o/r/sub/f.gguf@v1.2"), folder_ / "models/hf/o/r@v1.2/sub/f.gguf");
  EXPECT_EQ(store_path("hf:o/r/f.gguf@main"), store_path("hf:o/r/f.gguf"));
  const ScopedEnvironment mirror("SELENE_HF_ENDPOINT", "https://mirror.example/hf/");
  EXPECT_EQ(plain.url(), "https://mirror.example/hf/owner/repo-1.0/resolve/main/file_q8.gguf");
}

TEST_F(StoreTest, RefusesAHubSpecThatCouldLeaveTheStore) {
  const std::string remedy = "; write hf:owner/repo/file.gguf, or hf:owner/repo/file.gguf@revision";
  for (const char* spec :
       {"hf:../repo/f.gguf", "hf:owner/../f.gguf", "hf:owner/repo/../../f.gguf",
        "hf:/etc/repo/f.gguf", "hf:owner/repo/.hidden.gguf", "hf:owner/repo//f.gguf",
        "hf:o w/repo/f.gguf", "hf:owner/repo/f?x=.gguf", "hf:owner/repo/f%2e.gguf",
        "hf:owner\\x/repo/f.gguf", "hf:owner/repo/f\n.gguf", "hf:user:pw/repo/f.gguf"}) {
    const std::string message = message_of<Error>([&] { parse_hub_file(spec); });
    EXPECT_NE(message.find("has a part that is not a plain name (letters, digits, '-', '_', '.')" +
                           remedy),
              std::string::npos)
        << message;
    EXPECT_THROW(store_path(spec), Error);
    EXPECT_THROW(resolve_model(spec), Error);
  }
  EXPECT_EQ(message_of<Error>([] { parse_hub_file("hf:owner/file.gguf"); }),
            "'hf:owner/file.gguf' lacks an owner, a repository or a file" + remedy);
  EXPECT_EQ(message_of<Error>([] { parse_hub_file("hf:owner/repo/file.bin"); }),
            "'hf:owner/repo/file.bin' does not name a .gguf file" + remedy);
  EXPECT_EQ(message_of<Error>([] { parse_hub_file("hf:owner/repo/file.gguf@../x"); }),
            "'hf:owner/repo/file.gguf@../x' has a revision that is not a plain name" + remedy);
  EXPECT_EQ(message_of<Error>([] { parse_hub_file("owner/repo/file.gguf"); }),
            "'owner/repo/file.gguf' does not begin with hf:" + remedy);
}

}  // namespace
}  // namespace selene::model
