// The commands beside `selene judge`: templates, models, doctor, and what the program says of
// itself.
#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/lock.h"
#include "default_model.h"
#include "judge/template.h"
#include "program.h"
#include "table/table.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

TEST(Templates, ListsTheBuiltInOnes) {
  const Finished finished = run({"templates"});
  EXPECT_EQ(finished.exit_code, 0);
  for (const judge::Template& form : judge::builtin_templates()) {
    EXPECT_NE(finished.out.find("\n" + form.name + " "), std::string::npos) << finished.out;
  }
}

TEST(Templates, ShowsTheFile) {
  for (const judge::Template& form : judge::builtin_templates()) {
    const Finished finished = run({"templates", "show", form.name});
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(finished.out, slurp(source_file("templates/" + form.name + ".yaml")));
  }
  const Finished unknown = run({"templates", "show", "nope"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_TRUE(unknown.err.starts_with("error: unknown template 'nope'; built in: absolute, "))
      << unknown.err;
}

TEST(Templates, ChecksAFileAndAFolder) {
  const Finished folder = run({"templates", "check", source_file("templates")});
  EXPECT_EQ(folder.exit_code, 0) << folder.err;
  EXPECT_NE(
      folder.out.find(
          "pairwise-ties: ok\n  kind       ours\n  task       pairwise\n  labels     A, B, Tie\n"),
      std::string::npos)
      << folder.out;

  const TemporaryFolder made;
  const std::string wrong = made.file("wrong.yaml", "user_template: '{user_input} {rubic}'\n");
  const Finished finished = run({"templates", "check", wrong});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_TRUE(
      finished.err.starts_with("error: " + wrong + ": unknown placeholder '{rubic}'; known: "))
      << finished.err;
}

TEST(Templates, RendersPromptsWithoutAModel) {
  const std::string samples = source_file("examples/answers.jsonl");
  Call call{.args = {"templates", "render", "", samples},
            .environment = {{"SELENE_MODEL", "/nowhere.gguf"}}};
  const Finished plain = run(call);
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_TRUE(plain.out.starts_with("== capital (absolute)\nYou grade one response")) << plain.out;
  EXPECT_NE(plain.out.find("\n\n== haiku (pairwise)\n"), std::string::npos) << plain.out;
  EXPECT_NE(plain.out.find("\n\n== tone (labels)\n"), std::string::npos) << plain.out;

  call.args.emplace_back("--json");
  const Finished json = run(call);
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const auto rows = rows_of(json.out);
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_EQ(rows[0].at("id"), "capital");
  EXPECT_EQ(rows[0].at("template"), "absolute");
  EXPECT_NE(plain.out.find(rows[0].at("prompt").get<std::string>()), std::string::npos);
  EXPECT_EQ(rows[0].at("flags"), Json::array());
}

TEST(Templates, RenderSendsATerminalNoControlCharacters) {
  Json row = {{"id", "a\x1b[2J"}, {"task", "absolute"}, {"input", "Hi"}, {"response", "\x1b[2J"}};
  const TemporaryFolder folder;
  const std::string samples = folder.file("samples.jsonl", row.dump() + "\n");
  const Call call{.args = {"templates", "render", "absolute", samples}};
  const Finished piped = run(call);
  EXPECT_TRUE(piped.out.starts_with("== a\xEF\xBF\xBD[2J (absolute)\n")) << piped.out;
  EXPECT_NE(piped.out.find("\x1b[2J\n"), std::string::npos) << "the prompt, byte for byte";
  const Finished shown = run(on_terminal(call));
  EXPECT_NE(shown.out.find("== a\xEF\xBF\xBD[2J (absolute)\r\n"), std::string::npos) << shown.out;
  EXPECT_EQ(shown.out.find('\x1b'), std::string::npos) << shown.out;
}

TEST(Templates, TwoOfAFolderForTheSameSamplesAreRefused) {
  const TemporaryFolder folder;
  const std::string form = slurp(source_file("templates/absolute.yaml"));
  folder.file("a.yaml", form);
  folder.file("b.yaml", form);
  const Finished finished = run({"templates", "check", folder.path()});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "error: " + folder.path().string() +
                              ": a.yaml and b.yaml have the same name, 'absolute'; keep one of "
                              "them there, or name a file instead of the folder\n");
}

TEST(Templates, RenderNamesTheRowThatDoesNotFit) {
  const Finished finished =
      run({"templates", "render", "pairwise", source_file("examples/answers.jsonl")});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find(
                "answers.jsonl:1: no template for task absolute with the labels 1, 2, 3, 4, 5"),
            std::string::npos)
      << finished.err;
}

TEST(Models, ListsWhatThereIs) {
  const Finished table = run({"models"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_NE(table.out.find("selene-1-mini"), std::string::npos) << table.out;

  const Finished json = run({"models", "--json"});
  ASSERT_EQ(json.exit_code, 0);
  const Json list = Json::parse(json.out);
  size_t defaults = 0;
  for (const Json& model : list) defaults += model.at("default").get<bool>() ? 1 : 0;
  EXPECT_EQ(defaults, 1u) << json.out;
  EXPECT_EQ(list[0].at("name"), "smollm2-135m");
  EXPECT_EQ(list[0].at("licence"), "Apache-2.0");
}

TEST(Models, PullKnowsWhatIsThere) {
  if (!std::filesystem::exists(model::store_path("default")))
    GTEST_SKIP() << "the default model is not on this machine";
  const Finished finished = run({"models", "pull"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(finished.out.ends_with("models/smollm2-135m-instruct-q8_0.gguf\n")) << finished.out;
  EXPECT_EQ(finished.err, "it is already there\n");
}

TEST(Models, PullRefusesAnUnknownName) {
  const Finished finished = run({"models", "pull", "nope"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_TRUE(
      finished.err.starts_with("error: unknown model 'nope'; known: smollm2-135m, selene-1-mini, "))
      << finished.err;
}

TEST(Doctor, SaysThatTheModelIsMissing) {
  const TemporaryFolder folder;
  const Finished without =
      run(Call{.args = {"doctor"}, .environment = {{"SELENE_MODEL", folder / "none.gguf"}}});
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_NE(without.out.find("MISSING: "), std::string::npos) << without.out;
  EXPECT_NE(without.out.find("not ready: see above\n"), std::string::npos) << without.out;
}

TEST(Doctor, SaysThatTheModelIsNotTheRecordedOne) {
  const TemporaryFolder folder;
  const std::string model = folder.file("models/smollm2-135m-instruct-q8_0.gguf", "damaged");
  const std::string message =
      model + ": the model 'smollm2-135m' is not the recorded one: expected " +
      lock_value("smollm2-135m-instruct", "q8_0_sha256") + ", got " + sha256("damaged") +
      "; make it again: selene models pull smollm2-135m\n";
  const std::map<std::string, std::string> environment = {{"SELENE_DATA_HOME", folder.path()},
                                                          {"SELENE_CACHE", folder / "cache"},
                                                          {"SELENE_MODEL", ""}};
  const Finished doctor = run(Call{.args = {"doctor"}, .environment = environment});
  EXPECT_EQ(doctor.exit_code, 1);
  EXPECT_NE(doctor.out.find("MISMATCH: " + message), std::string::npos) << doctor.out;

  const Finished judge = run(Call{.args = {"judge", "--task", "absolute", "--input", "Hi",
                                           "--response", "Hello", "--no-ledger"},
                                  .environment = environment});
  EXPECT_EQ(judge.exit_code, 1);
  EXPECT_EQ(judge.err, "error: " + message);
}

using ReadyDoctor = DefaultModelTest;

TEST_F(ReadyDoctor, SaysThatTheProgramCanJudge) {
  const Finished with = run({"doctor"});
  EXPECT_EQ(with.exit_code, 0) << with.out;
  EXPECT_NE(with.out.find("\nready: selene judge FILE.jsonl\n"), std::string::npos) << with.out;
}

TEST(Program, SaysItsVersionAndItsHelp) {
  const Finished version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.out.starts_with("selene 0.1.0 (llama.cpp ")) << version.out;
  const std::string tables =
      table::is_available() ? "DuckDB " + table::version() : std::string("no DuckDB");
  EXPECT_TRUE(version.out.ends_with("; " + tables + ")\n")) << version.out;

  const Finished help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("Examples:\n  selene judge examples/answers.jsonl"), std::string::npos)
      << help.out;
  EXPECT_EQ(help.err, "");
}

using ReadyVerify = DefaultModelTest;

TEST_F(ReadyVerify, SaysWhatExactnessCostsWithItsRange) {
  const TemporaryFolder folder;
  const std::string sample =
      folder.file("one.jsonl", R"({"task": "absolute", "input": "2+2?", "response": "4"})"
                               "\n");
  const Finished finished = run({"verify", sample, "--max-tokens", "1", "--threads", "1"});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_NE(finished.out.find("\nexactness takes "), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find(", 3 runs with the rules and 3 without, in turn)\n"),
            std::string::npos)
      << finished.out;
}

// In a store of its own: what --keep makes is listed there and judges under its own name.
TEST(Models, TuneMeasuresFormatsAndKeepsOne) {
  if (!std::filesystem::exists(model::store_path("default")))
    GTEST_SKIP() << "the default model is not on this machine";
  const TemporaryFolder store;
  const std::map<std::string, std::string> environment = {
      {"SELENE_DATA_HOME", store.path().string()},
      {"SELENE_MODEL", model::store_path("default").string()}};
  const Finished measured = run({.args = {"models", "tune", "--formats", "bf16", "--rows", "2",
                                          "--repeats", "1", "--max-tokens", "4", "--json"},
                                 .environment = environment});
  ASSERT_EQ(measured.exit_code, 0) << measured.err;
  const std::vector<Json> rows = rows_of(measured.out);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("format"), "as it is");
  EXPECT_EQ(rows[0].at("mean_distance"), 0.0);
  EXPECT_EQ(rows[1].at("format"), "bf16");
  EXPECT_GT(rows[1].at("mean_distance"), 0.0);
  EXPECT_LT(rows[1].at("largest_distance"), 0.5);
  EXPECT_GT(rows[1].at("prefill_tokens_per_s"), 0.0);
  EXPECT_FALSE(std::filesystem::exists(store / "models/tuned"));
  EXPECT_TRUE(std::filesystem::is_empty(store / "models"));

  const Finished kept =
      run({.args = {"models", "tune", "--keep", "q4_0"}, .environment = environment});
  ASSERT_EQ(kept.exit_code, 0) << kept.err;
  const std::string name = "smollm2-135m-instruct-q8_0-q4_0";
  EXPECT_TRUE(kept.out.ends_with("models/tuned/" + name + ".gguf\n")) << kept.out;
  EXPECT_NE(run({.args = {"models"}, .environment = environment}).out.find(name),
            std::string::npos);
  const Finished judged =
      run({.args = {"judge", "--judge", name, "--task", "classification", "--input", "2+2?",
                    "--response", "4", "--mode", "verdict", "--no-ledger", "--format", "jsonl"},
           .environment = environment});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  EXPECT_EQ(rows_of(judged.out)[0].at("judge").at("name"), name);
}

}  // namespace
}  // namespace selene::testing
