// `selene check label`: a person's labels, asked for in the terminal without showing what the judge
// says, and kept as they are given.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "check/people.h"
#include "cli/arguments.h"
#include "cli/check_flags.h"
#include "cli/commands.h"
#include "cli/judge_output.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/text.h"
#include "data/judgment.h"
#include "report/table.h"

namespace selene::cli {
namespace {

struct LabelCommand {
  std::string checks;
  std::string answers;
  std::string map;
  std::string out;
  std::string check;
};

struct Question {
  const check::Answer* answer;
  const check::Check* check;
};

// A labels' file of before is gone on with; a last row that a kill cut short is an error of it.
AppendFile open_labels(const std::string& path) {
  const bool there = std::filesystem::exists(path);
  return AppendFile(path, there ? std::filesystem::file_size(path) : 0);
}

// What a person typed: a label or its number, or one of the commands.
struct Typed {
  enum class What { Label, Skip, Back, Quit, Nothing } what = What::Nothing;
  std::string label{};
};

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

// Whether labels are typed by their place in the list: not where they are numbers themselves.
bool are_numbered(const std::vector<std::string>& labels) {
  return std::none_of(labels.begin(), labels.end(), [](const std::string& label) {
    return data::label_number(label).has_value();
  });
}

Typed understand(std::string_view text, const std::vector<std::string>& labels) {
  if (text.empty()) return {};
  for (const std::string& label : labels) {
    if (text == label) return {Typed::What::Label, label};
  }
  const std::string small = lower(text);
  for (const std::string& label : labels) {
    const bool is_only = std::count_if(labels.begin(), labels.end(), [&](const std::string& one) {
                           return lower(one) == small;
                         }) == 1;
    if (is_only && lower(label) == small && small.size() > 1) return {Typed::What::Label, label};
  }
  if (text == "s") return {Typed::What::Skip};
  if (text == "b") return {Typed::What::Back};
  if (text == "q") return {Typed::What::Quit};
  if (!are_numbered(labels)) return {};
  size_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || number > labels.size()) return {};
    number = 10 * number + static_cast<size_t>(c - '0');
  }
  if (number < 1 || number > labels.size()) return {};
  return {Typed::What::Label, labels[number - 1]};
}

class Session {
 public:
  Session(const check::ChecksFile& checks, const check::Answers& answers,
          const LabelCommand& options)
      : options_(options), terminal_(report::terminal(STDOUT_FILENO)) {
    if (std::filesystem::exists(options.out)) {
      known_ = check::read_labels(options.out, checks, answers).labels;
    }
    for (const check::Check& one : checks.checks) {
      if (!one.judged || (!options.check.empty() && one.name != options.check)) continue;
      for (const check::Answer& answer : answers.answers) {
        if (one.applies(answer)) questions_.push_back({&answer, &one});
      }
    }
    if (questions_.empty()) {
      throw Error(options.check.empty() ? std::string("no judged check is for any answer")
                                        : fmt::format("no judged check is named '{}'",
                                                      cut_to_columns(options.check, 60)),
                  checks.name);
    }
  }

  // The number of labels given in this session.
  size_t run() {
    AppendFile file = open_labels(options_.out);
    size_t given = 0;
    size_t at = next_open(0);
    while (at < questions_.size() && !interrupted()) {
      const Question& question = questions_[at];
      show(question, at);
      const std::optional<std::string> line = ask(question);
      if (!line) break;
      const Typed typed = understand(trim(*line), question.check->judged->labels);
      switch (typed.what) {
        case Typed::What::Quit:
          return given;
        case Typed::What::Back:
          at = at > 0 ? at - 1 : 0;
          break;
        case Typed::What::Skip:
          at = next_open(at + 1);
          break;
        case Typed::What::Nothing:
          put("Type a label or its number, s to skip, b to go back, q to stop.\n");
          break;
        case Typed::What::Label:
          file.append(nlohmann::ordered_json{{"id", question.answer->id},
                                             {"check", question.check->name},
                                             {"label", typed.label},
                                             {"answer", check::answer_digest(*question.answer)}}
                          .dump() +
                      "\n");
          file.sync();
          known_[{question.answer->id, question.check->name}] = typed.label;
          ++given;
          at = next_open(at + 1);
          break;
      }
    }
    return given;
  }

  size_t left() const {
    size_t open = 0;
    for (const Question& one : questions_) open += known_.contains(key(one)) ? 0 : 1;
    return open;
  }

 private:
  static std::pair<std::string, std::string> key(const Question& question) {
    return {question.answer->id, question.check->name};
  }

  size_t next_open(size_t from) const {
    while (from < questions_.size() && known_.contains(key(questions_[from]))) ++from;
    return from;
  }

  void show_field(const check::Answer& answer, const char* field) const {
    const auto found = answer.fields.find(field);
    if (found == answer.fields.end()) return;
    put(fmt::format("{}\n{}\n\n", report::styled(field, report::Style::Bold, terminal_.color),
                    printable(check::field_text(*found))));
  }

  void show(const Question& question, size_t at) const {
    put(fmt::format("\n{}\n\n",
                    report::styled(fmt::format("{} of {}, id {}", at + 1, questions_.size(),
                                               cut_to_columns(question.answer->id, 60)),
                                   report::Style::Dim, terminal_.color)));
    for (const char* field : {"context", "input", "reference", "response"})
      show_field(*question.answer, field);
    const check::Judged& asked = *question.check->judged;
    put(fmt::format(
        "{}\n", report::styled(printable(asked.criteria), report::Style::Bold, terminal_.color)));
    const bool numbered = are_numbered(asked.labels);
    for (size_t i = 0; i < asked.labels.size(); ++i) {
      std::string description;
      for (const auto& [label, text] : asked.rubric) {
        if (label == asked.labels[i]) description = ": " + printable(text);
      }
      const std::string number = numbered ? fmt::format("{}) ", i + 1) : "";
      put(fmt::format("  {}{}{}\n", number, printable(asked.labels[i]), description));
    }
    if (const auto known = known_.find(key(question)); known != known_.end())
      put(fmt::format("You said {}.\n", known->second));
  }

  static std::optional<std::string> ask(const Question&) {
    put("> ");
    flush_output();
    std::string line;
    if (!std::getline(std::cin, line) || interrupted()) return std::nullopt;
    return line;
  }

  const LabelCommand& options_;
  report::Terminal terminal_;
  std::vector<Question> questions_;
  check::PeopleLabels known_;
};

int run_label(const LabelCommand& options) {
  const check::ChecksFile checks = check::parse_checks(read_file(options.checks), options.checks);
  const NamedFile inputs[] = {{"checks file", options.checks}, {"answers", options.answers}};
  check_not_input(options.out, inputs);
  const check::Answers answers = read_mapped_answers(options.answers, options.map, checks);
  const FileLock lock(output_target(options.out, /*overwrite=*/true));
  Session session(checks, answers, options);
  const size_t given = session.run();
  std::fprintf(stderr, "\nnew labels: %zu, questions left: %zu, kept in %s%s\n", given,
               session.left(), options.out.c_str(),
               session.left() > 0 ? "; the same command goes on from here" : "");
  return interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace

void add_check_label_command(CLI::App& check, int& exit_code) {
  auto options = std::make_shared<LabelCommand>();
  CLI::App* command = check.add_subcommand(
      "label", "Label answers yourself, blind to the judge, to see how far to trust it");
  command->footer(R"(Examples:
  selene check label checks.yaml answers.csv --out labels.jsonl
  selene check checks.yaml answers.csv --human labels.jsonl      adds the judge's agreement with you

A label is kept as soon as it is given; the same command goes on where it stopped. Type a label or its number,
s to skip, b to go back, q to stop.)");
  command->add_option("CHECKS", options->checks, "Checks file (YAML)")
      ->check(not_empty())
      ->required();
  command->add_option("ANSWERS", options->answers, "Answers: a .csv, .tsv or JSONL file")
      ->check(not_empty())
      ->required();
  command->add_option("--out", options->out, "JSONL file of labels, made or gone on with")
      ->check(not_empty())
      ->required();
  command->add_option("--check", options->check, "Only the judged check of this name")
      ->check(not_empty());
  command->add_option("--map", options->map, "Your columns: input=question,response=answer")
      ->check(not_empty());
  command->callback([options, &exit_code] { exit_code = run_label(*options); });
}

}  // namespace selene::cli
