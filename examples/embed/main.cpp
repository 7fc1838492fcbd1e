// Judges two answers through libselene: opens the default model (or the one named as argument),
// prints each verdict with its distribution. CMakeLists.txt beside this file says how to build it.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "data/judgment.h"     // Judgment
#include "data/sample.h"       // Sample
#include "judge/judge_spec.h"  // parse_judge_spec, open_judge

namespace {

selene::data::Sample yes_or_no(std::string id, std::string input, std::string response) {
  selene::data::Sample sample;
  sample.id = std::move(id);
  sample.task = selene::data::Task::Classification;
  sample.input = std::move(input);
  sample.response = std::move(response);
  sample.criteria = "Is the answer correct?";
  sample.labels = selene::data::default_labels(sample.task);  // Yes, No
  return sample;
}

void print(const selene::data::Judgment& judgment) {
  std::printf("%s: %s\n", judgment.id.c_str(),
              judgment.label ? judgment.label->c_str() : judgment.unreadable.c_str());
  for (const auto& [label, probability] : judgment.probabilities)
    std::printf("  %-4s %.4f\n", label.c_str(), probability);
}

int run(const std::string& model) {
  const std::vector<selene::data::Sample> samples{
      yes_or_no("sum", "What is 2 + 2?", "4"),
      yes_or_no("capital", "What is the capital of France?", "Rome")};
  selene::judge::MemberSettings settings;
  settings.mode = "verdict";  // No critique: the quickest.
  selene::judge::Judge judge =
      selene::judge::open_judge(selene::judge::parse_judge_spec(model), settings, /*seed=*/0,
                                selene::judge::MachineOptions(), /*ledger=*/std::nullopt);
  size_t judged = 0;
  selene::judge::JudgeEvents events;
  events.judgment = [&](size_t, const selene::data::Judgment& judgment) {
    print(judgment);
    ++judged;
  };
  judge.judge(samples, events);
  return judged == samples.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "default");
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return 1;
  }
}
