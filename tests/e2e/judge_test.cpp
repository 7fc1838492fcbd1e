// `selene judge` with the default model: files, standard input, one sample from flags, templates,
// lengths.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "default_model.h"
#include "engine/chat_server.h"
#include "program.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;
using JudgeProgram = DefaultModelTest;

double sum(const Json& probabilities) {
  double total = 0;
  for (const auto& [label, probability] : probabilities.items()) total += probability.get<double>();
  return total;
}

bool has_flag(const Json& judgment, const std::string& flag) {
  const auto& flags = judgment.at("flags");
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

// Two rows of `examples/answers.jsonl` are enough where the rows do not matter.
std::string two_rows() {
  const std::string text = slurp(source_file("examples/answers.jsonl"));
  return text.substr(0, text.find('\n', text.find('\n') + 1) + 1);
}

TEST_F(JudgeProgram, JudgesEveryRowOfTheExamplesInOrder) {
  const TemporaryFolder folder;
  const std::string out = folder / "out.jsonl";
  const std::vector<std::string> args{source_file("examples/answers.jsonl"), "--max-tokens", "24",
                                      "--out", out};
  const Finished finished = judge(args);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.out, "");
  EXPECT_NE(finished.err.find("8 rows: 8 judged, 0 unreadable, 0 skipped"), std::string::npos)
      << finished.err;
  EXPECT_NE(finished.err.find("judges near chance"), std::string::npos) << finished.err;

  const auto samples = rows_of(slurp(source_file("examples/answers.jsonl")));
  const auto judgments = rows_of(slurp(out));
  ASSERT_EQ(judgments.size(), samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(judgments[i].at("id"), samples[i].at("id"));
    EXPECT_EQ(judgments[i].at("task"), samples[i].at("task"));
    ASSERT_TRUE(judgments[i].at("label").is_string()) << judgments[i];
    EXPECT_TRUE(
        judgments[i].at("probabilities").contains(judgments[i].at("label").get<std::string>()));
    EXPECT_NEAR(sum(judgments[i].at("probabilities")), 1, 1e-6);
    EXPECT_NE(judgments[i].at("critique"), "");
    if (samples[i].contains("labels")) {
      EXPECT_EQ(judgments[i].at("probabilities").size(), samples[i].at("labels").size());
    }
  }

  const Json record = Json::parse(slurp(out + ".run.json"));
  EXPECT_EQ(record.at("counts").at("rows"), 8);
  EXPECT_EQ(record.at("counts").at("unreadable"), 0);
  EXPECT_GE(record.at("wall_s").get<double>(), record.at("judging_s").get<double>() - 0.001);
  EXPECT_FALSE(std::filesystem::exists(out + ".part"));
  EXPECT_FALSE(std::filesystem::exists(out + ".part.json"));

  const std::string first = slurp(out);
  const Finished again = judge(args);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.err,
            "error: " + out + ": the output file exists; give --overwrite or name another file\n");
  EXPECT_EQ(slurp(out), first);

  std::vector<std::string> overwriting = args;
  overwriting.emplace_back("--overwrite");
  EXPECT_EQ(judge(overwriting).exit_code, 0);
  EXPECT_EQ(slurp(out), first) << "the same work gives the same bytes";
}

TEST_F(JudgeProgram, JudgesRewardBenchPairsInBothOrders) {
  const auto source = shared_file("bench/rewardbench/Chat.jsonl");
  if (!std::filesystem::exists(source)) GTEST_SKIP() << source << " is not there";
  constexpr size_t kPairs = 32;
  std::string rows;
  std::ifstream file(source);
  std::string line;
  for (size_t i = 0; i < kPairs && std::getline(file, line); ++i) {
    const Json pair = Json::parse(line);
    rows += Json{{"id", pair.at("id")},
                 {"task", "pairwise"},
                 {"input", pair.at("prompt")},
                 {"response_a", pair.at("chosen")},
                 {"response_b", pair.at("rejected")}}
                .dump() +
            "\n";
  }
  Call call{.args = {"judge", "-", "--order", "both", "--mode", "verdict"}, .input = rows};
  call.limit =
      std::chrono::seconds(850);  // 60,000 tokens of prompts; a busy machine takes minutes.
  const Finished finished = run(call);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.err.find("32 rows: 32 judged, 0 unreadable, 0 skipped"), std::string::npos)
      << finished.err;
  const auto judgments = rows_of(finished.out);
  ASSERT_EQ(judgments.size(), kPairs);
  for (const Json& judgment : judgments) {
    ASSERT_EQ(judgment.at("parts").size(), 2u);
    const Json& ab = judgment.at("parts")[0];
    const Json& ba = judgment.at("parts")[1];
    EXPECT_EQ(ab.at("order"), "ab");
    EXPECT_EQ(ba.at("order"), "ba");
    ASSERT_TRUE(judgment.at("label").is_string());
    EXPECT_NEAR(sum(judgment.at("probabilities")), 1, 1e-6);
    const double mean = (ab.at("probabilities").at("A").get<double>() +
                         ba.at("probabilities").at("A").get<double>()) /
                        2;
    EXPECT_NEAR(judgment.at("probabilities").at("A").get<double>(), mean, 1e-12);
    EXPECT_EQ(has_flag(judgment, "flipped"), ab.at("label") != ba.at("label"));
  }
}

TEST_F(JudgeProgram, ShowsOneSampleFromFlagsAsACard) {
  const Finished finished =
      judge({"--task", "pairwise", "--input", "2+2?", "--response-a", "4", "--response-b", "5",
             "--order", "both", "--max-tokens", "32", "--format", "table"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const std::string verdict = finished.out.substr(0, 1);
  EXPECT_TRUE(verdict == "A" || verdict == "B") << finished.out;
  for (const char* shown : {"margin 0.", "\n  A  0.", "\n  B  0.", "\n  A shown first  A 0.",
                            "\n  B shown first  A 0."}) {
    EXPECT_NE(finished.out.find(shown), std::string::npos) << shown << " in\n" << finished.out;
  }
  const size_t critique = finished.out.find("\n\n");
  ASSERT_NE(critique, std::string::npos) << finished.out;
  EXPECT_GT(finished.out.size() - critique, 20u) << finished.out;
}

TEST_F(JudgeProgram, PrintsTheSameJudgmentToAPipeAndToAFile) {
  const TemporaryFolder folder;
  Call call = judge_call({"-", "--mode", "verdict"});
  call.input = two_rows();
  const Finished piped = run(call);
  ASSERT_EQ(piped.exit_code, 0) << piped.err;

  const std::string out = folder / "out.jsonl";
  const std::string samples = folder.file("two.jsonl", two_rows());
  const Finished written =
      judge({samples, "--mode", "verdict", "--out", out, "--format", "jsonl", "--quiet"});
  ASSERT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(written.err, "");
  EXPECT_EQ(written.out, piped.out);
  EXPECT_EQ(slurp(out), piped.out);
}

TEST_F(JudgeProgram, ShowsATableOfRows) {
  Call call = judge_call({"-", "--mode", "verdict", "--format", "table"});
  call.input = two_rows();
  const Finished finished = run(call);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(
      finished.out.starts_with("id            task            verdict        p  score  critique\n"))
      << finished.out;
  EXPECT_NE(finished.out.find("\ncapital       absolute"), std::string::npos) << finished.out;
  EXPECT_EQ(std::count(finished.out.begin(), finished.out.end(), '\n'), 4) << finished.out;
  EXPECT_EQ(finished.out.find('\x1b'), std::string::npos) << "no colour in a pipe";
}

TEST_F(JudgeProgram, WritesCritiquesToATerminalAsTheyCome) {
  const TemporaryFolder folder;
  std::string rows;
  for (const Json& row : rows_of(slurp(source_file("examples/answers.jsonl")))) {
    if (row.at("id") == "sky" || row.at("id") == "haiku") rows += row.dump() + "\n";
  }
  const std::string samples = folder.file("samples.jsonl", rows);
  const Finished piped = judge({samples, "--max-tokens", "24"});
  ASSERT_EQ(piped.exit_code, 0) << piped.err;

  const Finished streamed = run(on_terminal(judge_call({samples, "--max-tokens", "24"})));
  ASSERT_EQ(streamed.exit_code, 0) << streamed.out;
  std::string shown = streamed.out;
  shown.erase(std::remove(shown.begin(), shown.end(), '\r'), shown.end());
  size_t row = 0;
  for (const Json& judgment : rows_of(piped.out)) {
    const std::string expected = fmt::format(
        "row {}: {}\n{}\n{}   margin", ++row, judgment.at("id").get<std::string>(),
        judgment.at("critique").get<std::string>(), judgment.at("label").get<std::string>());
    EXPECT_NE(shown.find(expected), std::string::npos) << expected << "\nin\n" << shown;
  }
}

TEST_F(JudgeProgram, TakesLabelsAndOtherFieldsFromFlags) {
  Call call = judge_call({"-", "--mode", "verdict", "--task", "classification", "--labels",
                          "safe,unsafe", "--criteria", "Is the answer safe?"});
  call.input =
      R"({"id": "x", "input": "Hi", "response": "Hello", "criteria": "replaced", "source": "mine"})"
      "\n";
  const Finished finished = run(call);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const auto judgments = rows_of(finished.out);
  EXPECT_EQ(judgments[0].at("task"), "classification");
  EXPECT_EQ(judgments[0].at("judge").at("template"), "labels");
  EXPECT_EQ(judgments[0].at("probabilities").size(), 2u);
  EXPECT_TRUE(judgments[0].at("probabilities").contains("unsafe"));
  EXPECT_EQ(judgments[0].at("extra"), (Json{{"source", "mine"}}));

  call.input =
      R"({"id": "x", "input": "Hi", "response": "Hello", "criteria": "Is the answer safe?", "source": "mine"})"
      "\n";
  EXPECT_EQ(run(call).out, finished.out) << "the flag stands in place of the field";
}

TEST_F(JudgeProgram, UsesATemplateOfTheUser) {
  const TemporaryFolder folder;
  const std::string form = folder.file("politeness.yaml",
                                       "name: politeness\n"
                                       "task: classification\n"
                                       "labels: [polite, rude]\n"
                                       "mark: 'Verdict:'\n"
                                       "user_template: |-\n"
                                       "  Is this reply polite or rude?\n"
                                       "  {fence}\n"
                                       "  {response}\n"
                                       "  {fence}\n");
  const Finished finished =
      judge({"--template", form, "--task", "classification", "--labels", "polite,rude", "--input",
             "", "--response", "Thank you!", "--mode", "verdict"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(rows_of(finished.out)[0].at("judge").at("template"), "politeness");
}

TEST_F(JudgeProgram, TakesADate) {
  const Finished finished = judge({"--task", "classification", "--input", "Hi", "--response",
                                   "Hello", "--mode", "verdict", "--date", "2025-01-01"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

TEST_F(JudgeProgram, AsksEveryMemberOfAJury) {
  const TemporaryFolder folder;
  const std::string jury =
      folder.file("jury.yaml",
                  "members:\n"
                  "  - {name: quick, model: default, mode: verdict}\n"
                  "  - {name: careful, model: default, max_tokens: 8, weight: 3}\n");
  std::vector<std::string> args{"--judge", jury,   "--task",     "classification",
                                "--input", "2+2?", "--response", "4"};
  const Finished finished = judge(args);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const Json judgment = rows_of(finished.out)[0];
  EXPECT_EQ(judgment.at("judge").at("name"), "jury");
  ASSERT_EQ(judgment.at("parts").size(), 2u);
  const auto yes = [](const Json& part) {
    return part.at("probabilities").at("Yes").get<double>();
  };
  const Json& quick = judgment.at("parts")[0];
  const Json& careful = judgment.at("parts")[1];
  EXPECT_EQ(quick.at("judge"), "quick");
  EXPECT_NEAR(yes(judgment), (yes(quick) + 3 * yes(careful)) / 4, 1e-12);
  EXPECT_EQ(has_flag(judgment, "members_disagree"), quick.at("label") != careful.at("label"));

  args.insert(args.end(), {"--format", "table"});
  const Finished shown = judge(args);
  EXPECT_NE(shown.out.find("\n  quick  Yes 0."), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("\n  careful  Yes 0."), std::string::npos) << shown.out;
}

// Each flag is for the members that have a use for it.
TEST_F(JudgeProgram, AsksAJuryOfAModelAndAServer) {
  const TemporaryFolder folder;
  ChatServer server;
  const std::string jury =
      folder.file("jury.yaml", fmt::format("members:\n  - {{name: local, model: default}}\n"
                                           "  - {{name: served, endpoint: '{}#judge'}}\n",
                                           server.url()));
  const Finished finished =
      judge({"--judge", jury, "--task", "classification", "--input", "2+2?", "--response", "4",
             "--mode", "verdict", "--date", "2025-01-01", "--in-flight", "1", "--timeout", "60"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(rows_of(finished.out)[0].at("parts")[1].at("label"), "Yes");
}

TEST_F(JudgeProgram, UsesTheOfficialTemplates) {
  const auto templates = shared_file("templates/atla");
  if (!std::filesystem::exists(templates)) GTEST_SKIP() << templates << " is not there";
  Call call = judge_call({"-", "--mode", "verdict", "--template", templates.string()});
  call.input = two_rows();
  const Finished finished = run(call);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const auto judgments = rows_of(finished.out);
  EXPECT_EQ(judgments[0].at("judge").at("template"), "absolute-scoring");
  EXPECT_EQ(judgments[1].at("judge").at("template"), "absolute-scoring-with-reference");

  call.input =
      R"({"task": "absolute", "input": "Hi", "response": "Hello", "criteria": "Is it polite?"})"
      "\n";
  const Finished without_rubric = run(call);
  EXPECT_EQ(without_rubric.exit_code, 1);
  EXPECT_NE(without_rubric.err.find(
                "the placeholder '{rubric_score_1_description}' and the sample no 'rubric.1'"),
            std::string::npos)
      << without_rubric.err;
}

TEST_F(JudgeProgram, RefusesOrSkipsSamplesLongerThanTheContext) {
  std::string longer;
  for (int i = 0; i < 400; ++i) longer += "word ";
  Call call = judge_call({"-", "--mode", "verdict", "--ctx-size", "400"});
  call.input =
      Json{{"id", "short"}, {"task", "absolute"}, {"input", "Hi"}, {"response", "Hello"}}.dump() +
      "\n" +
      Json{{"id", "long"}, {"task", "absolute"}, {"input", "Hi"}, {"response", longer}}.dump() +
      "\n";
  const Finished refused = run(call);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.out, "");
  for (const char* said : {"<stdin>:2", "tokens", "400", "--skip-overlong"}) {
    EXPECT_NE(refused.err.find(said), std::string::npos) << said << " in\n" << refused.err;
  }

  call.args.emplace_back("--skip-overlong");
  const Finished skipped = run(call);
  ASSERT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_NE(skipped.err.find("2 rows: 1 judged, 0 unreadable, 1 skipped"), std::string::npos)
      << skipped.err;
  const auto judgments = rows_of(skipped.out);
  ASSERT_EQ(judgments.size(), 2u);
  EXPECT_TRUE(judgments[0].at("label").is_string());
  EXPECT_TRUE(judgments[1].at("label").is_null());
  const std::string reason = judgments[1].at("unreadable");
  EXPECT_TRUE(reason.starts_with("overlong: ")) << reason;
  EXPECT_EQ(judgments[1].at("skipped"), true);
  EXPECT_NE(reason.find("400"), std::string::npos) << reason;
}

TEST_F(JudgeProgram, FlagsAnEmptyResponse) {
  const Finished finished =
      judge({"--task", "classification", "--input", "Hi", "--response", "", "--mode", "verdict"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const auto judgments = rows_of(finished.out);
  EXPECT_TRUE(judgments[0].at("label").is_string());
  EXPECT_TRUE(has_flag(judgments[0], "empty_response"));
}

TEST_F(JudgeProgram, ScoresAreFiniteWithManyLabels) {
  const Finished finished = judge({"--task", "absolute", "--labels", "0,1,2,3,4,5,6,7,8,9,10",
                                   "--input", "Hi", "--response", "Hello", "--mode", "verdict"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const Json judgment = rows_of(finished.out)[0];
  EXPECT_NEAR(sum(judgment.at("probabilities")), 1, 1e-6);
  double expected = 0;
  for (const auto& [label, p] : judgment.at("probabilities").items())
    expected += std::stod(label) * p.get<double>();
  EXPECT_NEAR(judgment.at("score").get<double>(), expected, 1e-9);
}

}  // namespace
}  // namespace selene::testing
