// The gate's figures: 100 answers under 5 judged checks as one run against 500 judgments one at a
// time, and plain checks a second, reading included. Ends with lines `ours, peer, ratio, target`.
//
//   build/bench/gate [REWARDBENCH.jsonl]    the answers: the chosen ones of a RewardBench file
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "check/answers.h"
#include "check/checks_file.h"
#include "check/gate.h"
#include "check/run_checks.h"
#include "core/error.h"
#include "core/file.h"
#include "data/jsonl.h"
#include "judge/judge_spec.h"

namespace {

using namespace selene;
using Clock = std::chrono::steady_clock;

constexpr size_t kAnswers = 100;
constexpr size_t kLongest = 1200;  // Bytes of an answer and its input, for a run of minutes.
constexpr int kRepeats = 3;
constexpr const char* kQuestions[] = {
    "Does the response do what the input asks for?", "Is the response polite?",
    "Is everything that the response says true?", "Is the response easy to read?",
    "Does the response keep to the point?"};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

check::Answers read_rows(const std::string& path) {
  check::Answers answers;
  answers.name = path;
  answers.columns = {"id", "input", "response"};
  data::JsonlReader reader(path);
  for (data::Row row; answers.answers.size() < kAnswers && reader.next(row);) {
    const std::string prompt = row.value.at("prompt");
    const std::string chosen = row.value.at("chosen");
    if (prompt.size() + chosen.size() > kLongest) continue;
    const std::string id = std::to_string(row.line);
    answers.answers.push_back(
        {id,
         false,
         row.line,
         {{"id", id}, {"input", row.value.at("prompt")}, {"response", row.value.at("chosen")}}});
  }
  if (answers.answers.size() < kAnswers) throw Error("fewer than 100 rows", path);
  return answers;
}

check::ChecksFile judged_checks() {
  std::string yaml = "gate: {min_pass_rate: 0}\nchecks:\n";
  for (const char* question : kQuestions)
    yaml += fmt::format("  - name: \"{}\"\n    criteria: \"{}\"\n", question, question);
  return check::parse_checks(yaml, "checks.yaml");
}

judge::Judge open_default() {
  judge::MemberSettings settings;
  settings.mode = "verdict";
  return judge::open_judge(judge::parse_judge_spec(""), settings, 0, {}, std::nullopt);
}

double time_together(const check::ChecksFile& checks, const check::Answers& answers) {
  const auto start = Clock::now();
  std::vector<check::AnswerResult> results;
  check::RunOptions options;
  options.open = [](const check::JudgeChoice&) { return open_default(); };
  check::run_checks(checks, answers, options, results);
  return seconds_since(start);
}

// The same samples, each a batch of its own, in an order in which neighbours share no answer, as
// calls from an application come.
double time_single(const check::ChecksFile& checks, const check::Answers& answers) {
  std::vector<data::Sample> samples;
  for (const check::Answer& answer : answers.answers) {
    for (const check::Check& one : checks.checks) {
      data::Sample sample;
      sample.id = answer.id;
      sample.task = data::Task::Classification;
      sample.input = answer.fields.at("input").get<std::string>();
      sample.response = answer.fields.at("response").get<std::string>();
      sample.criteria = one.judged->criteria;
      sample.labels = one.judged->labels;
      samples.push_back(std::move(sample));
    }
  }
  std::mt19937 random(1);
  std::shuffle(samples.begin(), samples.end(), random);
  const auto start = Clock::now();
  judge::Judge judge = open_default();
  for (const data::Sample& sample : samples)
    judge.judge({&sample, 1}, {.judgment = [](size_t, const data::Judgment&) {}});
  return seconds_since(start);
}

// Reading, five plain checks and the decision of so many answers, a second.
double plain_rate(const check::Answers& answers) {
  constexpr size_t kRows = 200'000;
  const ScratchFolder folder(std::filesystem::temp_directory_path(), "selene-gate");
  const std::string path = (folder.path() / "answers.jsonl").string();
  std::ofstream file(path);
  for (size_t i = 0; i < kRows; ++i) {
    const auto& fields = answers.answers[i % answers.answers.size()].fields;
    file << nlohmann::ordered_json{{"id", i},
                                   {"response",
                                    fields.at("response").get<std::string>().substr(0, 300)}}
                .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
         << '\n';
  }
  file.close();
  const check::ChecksFile checks = check::parse_checks(
      "gate: {min_pass_rate: 0}\nchecks:\n  - {name: a, regex: '\\S'}\n"
      "  - {name: b, length: {max: 1000}}\n  - {name: c, not_contains: [as an ai, sorry]}\n"
      "  - {name: d, contains_any: [the, a]}\n  - {name: e, not_regex: '\\{\\{.*?\\}\\}'}\n",
      "checks.yaml");
  const auto start = Clock::now();
  check::Answers many = check::read_answers(path, {});
  std::vector<check::AnswerResult> results;
  check::run_checks(checks, many, {}, results);
  check::decide(checks, many, checks.gate, {}, std::move(results));
  return static_cast<double>(kRows) / seconds_since(start);
}

void print_line(const char* name, double ours, double peer, double target) {
  fmt::print("{}: ours {:.4g}/s, peer {:.4g}/s, ratio {:.2f}, target {}, {}\n", name, ours, peer,
             ours / peer, target, ours / peer >= target ? "met" : "missed");
}

int run(const std::string& path) {
  const check::Answers answers = read_rows(path);
  const check::ChecksFile checks = judged_checks();
  std::vector<double> together, single, plain;
  for (int i = 0; i < kRepeats; ++i) {
    together.push_back(500 / time_together(checks, answers));
    single.push_back(500 / time_single(checks, answers));
    plain.push_back(plain_rate(answers));
    fmt::print("run {}: together {:.2f}/s, one at a time {:.2f}/s, plain {:.0f} answers/s\n", i + 1,
               together.back(), single.back(), plain.back());
    std::fflush(stdout);
  }
  print_line("100 answers x 5 checks against 500 single judgments", median(together),
             median(single), 2);
  fmt::print("plain checks: ours {:.0f} answers/s with 5 checks, target 100000, {}\n",
             median(plain), median(plain) >= 100'000 ? "met" : "missed");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path =
      argc > 1 ? argv[1] : SELENE_SOURCE_DIR "/../shared/bench/rewardbench/Chat.jsonl";
  try {
    if (!std::filesystem::exists(path))
      throw Error("no such file", path, "name a RewardBench file");
    return run(path);
  } catch (const Error& failure) {
    fmt::print(stderr, "error: {}\n", failure.what());
    return 1;
  }
}
