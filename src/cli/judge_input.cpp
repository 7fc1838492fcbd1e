#include "cli/judge_input.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "cli/arguments.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;

struct FieldFlag {
  const char* field;
  const char* flag;
  std::string RowFlags::*value;
};
constexpr FieldFlag kTexts[] = {{"task", "--task", &RowFlags::task},
                                {"input", "--input", &RowFlags::input},
                                {"context", "--context", &RowFlags::context},
                                {"response", "--response", &RowFlags::response},
                                {"response_a", "--response-a", &RowFlags::response_a},
                                {"response_b", "--response-b", &RowFlags::response_b},
                                {"reference", "--reference", &RowFlags::reference},
                                {"criteria", "--criteria", &RowFlags::criteria}};
constexpr FieldFlag kLabels = {"labels", "--labels", &RowFlags::labels};

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// An error of a row, said of the flags that it was made of.
UsageError of_flags(const Error& failure) {
  std::string what = failure.message();
  const auto reword = [&](const FieldFlag& one) {
    const std::string quoted = std::string("'") + one.field + "'";
    replace_all(what, "the field " + quoted, one.flag);
    replace_all(what, quoted, one.flag);
  };
  for (const FieldFlag& one : kTexts) reword(one);
  reword(kLabels);
  return UsageError(what, "", failure.remedy());
}

std::vector<std::string> split_labels(const std::string& text) {
  std::vector<std::string> labels;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t comma = std::min(text.find(',', start), text.size());
    labels.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return labels;
}

// Labels are wrong before any row is read.
void check_labels(const std::vector<std::string>& labels) {
  try {
    data::check_labels(labels, data::Task::Classification);
  } catch (const Error& failure) {
    const UsageError usage = of_flags(failure);
    const bool named = usage.message().find(kLabels.flag) != std::string::npos;
    throw named ? usage : UsageError(usage.message(), kLabels.flag);
  }
}

// A flag that was given counts, also an empty one (--response "").
Json row_fields(const CLI::App& command, const RowFlags& flags) {
  Json fields = Json::object();
  for (const FieldFlag& one : kTexts) {
    if (command.count(one.flag) > 0) fields[one.field] = flags.*one.value;
  }
  if (command.count(kLabels.flag) > 0) {
    const std::vector<std::string> labels = split_labels(flags.labels);
    check_labels(labels);
    fields[kLabels.field] = labels;
  }
  return fields;
}

}  // namespace

void add_row_flags(CLI::App& command, RowFlags& flags) {
  command.add_option("FILE", flags.file, "Samples as JSONL, or - for standard input")
      ->check(not_empty());
  const char* one = "One sample, or a field of every row";
  command
      .add_option("--task", flags.task,
                  "absolute (a score), classification (Yes/No) or pairwise (A/B)")
      ->check(CLI::IsMember({"absolute", "classification", "pairwise"}))
      ->group(one);
  command.add_option("--input", flags.input, "What the response answers")->group(one);
  command.add_option("--context", flags.context, "Given with the input")->group(one);
  command.add_option("--response", flags.response, "What is judged")->group(one);
  command.add_option("--response-a", flags.response_a, "Pairwise: the first response")->group(one);
  command.add_option("--response-b", flags.response_b, "Pairwise: the second")->group(one);
  command.add_option("--reference", flags.reference, "A known good answer")->group(one);
  command.add_option("--criteria", flags.criteria, "The question asked of the response")
      ->group(one);
  command
      .add_option("--labels", flags.labels,
                  "Allowed labels, with commas between: 1,2,3 or safe,unsafe")
      ->group(one);
}

data::InputRows open_rows(const CLI::App& command, const RowFlags& flags) {
  Json fields = row_fields(command, flags);
  if (!flags.file.empty()) return data::InputRows(flags.file, std::move(fields));
  if (!fields.contains("input")) {
    throw UsageError("nothing to judge", "",
                     "give a JSONL file, - for standard input, or --task, --input and --response");
  }
  return data::InputRows(std::move(fields));
}

size_t check_rows(const data::InputRows& rows, const RowFlags& flags) {
  if (!flags.file.empty()) return rows.check_all();
  try {
    return rows.check_all();
  } catch (const Error& failure) {
    throw of_flags(failure);
  }
}

void throw_row_error(const Error& failure, const std::string& place, const RowFlags& flags) {
  if (flags.file.empty()) throw of_flags(failure);
  throw failure.at(place);
}

}  // namespace selene::cli
