#include "cli/example_requests.h"

#include <CLI/CLI.hpp>

#include "cli/judge_flags.h"
#include "core/embedded.h"
#include "core/error.h"
#include "judge/prompt.h"
#include "judge/template.h"

namespace selene::cli {
namespace {

data::InputRows open_unchecked(const std::string& path) {
  if (!path.empty()) return data::InputRows(path, nlohmann::ordered_json::object());
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.ends_with("answers.jsonl")) {
      return data::InputRows::from_text(std::string(file.text), "examples/answers.jsonl");
    }
  }
  throw Error("this program carries no examples", "", "give a JSONL file of samples");
}

}  // namespace

void add_example_flags(CLI::App& command, ExampleFlags& flags) {
  command.add_option("--rows", flags.rows, "Samples to take from the file")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command.add_option("--max-tokens", flags.max_tokens, "Longest critique, in tokens")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  command.add_option("--threads", flags.threads, "0: one a core")
      ->capture_default_str()
      ->check(thread_range());
  command.add_flag("--json", flags.json, "One JSON object a line");
}

data::InputRows open_samples(const std::string& path) {
  data::InputRows input = open_unchecked(path);
  input.check_all();
  return input;
}

std::vector<engine::Request> make_requests(const data::InputRows& input, size_t rows,
                                           int max_tokens) {
  const judge::TemplateSet templates = judge::TemplateSet::open("");
  data::InputRows::Reader reader(input);
  std::vector<engine::Request> requests;
  for (const data::Sample& sample : reader.next(rows)) {
    std::vector<data::Sample> orders{sample};
    if (sample.task == data::Task::Pairwise) orders.push_back(data::swapped(sample));
    for (const data::Sample& one : orders) {
      for (const judge::Mode mode : {judge::Mode::Critique, judge::Mode::Verdict}) {
        requests.push_back(judge::make_request(templates.pick(one), one,
                                               {.mode = mode, .max_tokens = max_tokens}));
      }
    }
  }
  return requests;
}

}  // namespace selene::cli
