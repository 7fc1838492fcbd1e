#include "check/first_checks.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

// A field and what people call its column, the likeliest first.
struct Guess {
  const char* field;
  std::vector<std::string> names;
};
const std::vector<Guess>& guesses() {
  static const std::vector<Guess> all{
      {"input",
       {"input", "question", "prompt", "query", "instruction", "user_input", "user", "message",
        "request", "ticket", "problem"}},
      {"response",
       {"response", "answer", "output", "completion", "reply", "actual_output", "generated",
        "generation", "model_output", "prediction", "result"}},
      {"reference",
       {"reference", "expected", "expected_output", "ideal", "ground_truth", "gold", "target",
        "golden_answer", "reference_answer", "correct_answer"}},
      {"context",
       {"context", "retrieval_context", "contexts", "documents", "passage", "passages",
        "source_text", "background"}},
  };
  return all;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The column whose name is one of the guess, whatever its case; empty when none is.
std::string column_of(const Guess& guess, const std::vector<std::string>& columns) {
  for (const std::string& name : guess.names) {
    for (const std::string& column : columns) {
      if (lower(column) == name) return column;
    }
  }
  return "";
}

// A text as YAML takes it whatever it holds.
std::string quoted(const std::string& text) { return Json(text).dump(); }

// What the responses have in common.
struct Facts {
  size_t responses = 0;
  size_t json = 0;
  size_t longest = 0;
};

Facts facts_of(const Answers& answers, const std::string& column) {
  Facts facts;
  for (const Answer& answer : answers.answers) {
    const auto found = answer.fields.find(column);
    if (found == answer.fields.end()) continue;
    const std::string text = field_text(*found);
    ++facts.responses;
    facts.longest = std::max(facts.longest, text.size());
    const Json value = Json::parse(text, nullptr, false);
    if (value.is_object() || value.is_array()) ++facts.json;
  }
  return facts;
}

// 1234 → 2000.
size_t round_up(size_t value) {
  size_t step = 1;
  while (step * 10 <= value) step *= 10;
  return std::max<size_t>((value + step - 1) / step * step, 10);
}

}  // namespace

std::string first_checks(const Answers& answers, const ColumnMap& map) {
  std::vector<std::pair<std::string, std::string>> found = map;
  const auto column = [&](const std::string& field) -> std::string {
    for (const auto& [name, own] : found) {
      if (name == field) return own;
    }
    return "";
  };
  for (const Guess& guess : guesses()) {
    if (!column(guess.field).empty()) continue;
    if (const std::string own = column_of(guess, answers.columns); !own.empty())
      found.emplace_back(guess.field, own);
  }
  const std::string response = column("response");
  if (response.empty()) {
    throw Error(fmt::format("no column looks like the response; the columns are {}",
                            fmt::join(answers.columns, ", ")),
                answers.name, "say which it is: --map response=COLUMN");
  }
  const Facts facts = facts_of(answers, response);

  std::string text = fmt::format(
      "# Checks of {} ({} answers). Keep what matters to you, change the words, and run:\n"
      "#   selene check THIS_FILE {}\n\n",
      answers.name, answers.answers.size(), answers.name);
  std::vector<std::string> renamed;
  for (const auto& [field, own] : found) {
    if (field != own) renamed.push_back(fmt::format("{}: {}", field, quoted(own)));
  }
  if (!renamed.empty()) {
    text += fmt::format("# What your columns are called here.\nmap: {{{}}}\n\n",
                        fmt::join(renamed, ", "));
  }
  text +=
      "# The judge: a name (selene models), a GGUF file, or URL#model of a server. The default one "
      "is tiny and judges\n# near chance: get a real one with `selene models pull selene-1-mini`.\n"
      "# judge: selene-1-mini\n\n"
      "# The build is red when fewer answers pass all their checks. `on: lower` asks it of the "
      "lower end of the 95%\n# interval, so that luck with few answers is not enough.\n"
      "gate:\n  min_pass_rate: 0.9\n  on: point\n\n"
      "# Judged answers whose two likeliest labels are nearer than this are listed to be looked "
      "at.\nlook:\n  margin: 0.1\n  counts_as: not_passed  # or unknown: left out of the rates\n\n"
      "checks:\n"
      "  # Checks without a judge cost nothing.\n"
      "  - name: not empty\n    regex: '\\S'\n";
  text += fmt::format(
      "  - name: not too long\n    length: {{max: {}, unit: characters}}  # the longest here has "
      "{} bytes\n",
      round_up(facts.longest), facts.longest);
  if (facts.json > 0 && facts.json == facts.responses)
    text += "  - name: is JSON\n    json: true\n";
  text +=
      "  - name: no talk of being a model\n    ignore_case: true\n"
      "    not_contains: [\"as an ai\", \"language model\"]\n";
  if (column("input").empty()) {
    text +=
        "\n  # No column looks like the input, which a judge needs: name it with `map: {input: "
        "COLUMN}` above, then\n  # use this:\n"
        "  # - name: answers the question\n"
        "  #   criteria: Does the response answer the question, wholly and correctly?\n";
    return text;
  }
  text +=
      "\n  # Checks by the judge: a question, the labels it may give (Yes and No unless said) and "
      "those that pass.\n"
      "  - name: answers the question\n"
      "    criteria: Does the response answer the question, wholly and correctly?\n"
      "    pass: [\"Yes\"]\n";
  if (!column("context").empty()) {
    text +=
        "  - name: keeps to the context\n"
        "    criteria: Is everything that the response claims supported by the context?\n"
        "    pass: [\"Yes\"]\n";
  }
  if (!column("reference").empty()) {
    text +=
        "  - name: agrees with the reference\n"
        "    criteria: Does the response say the same as the reference answer?\n"
        "    pass: [\"Yes\"]\n"
        "  - name: words of the reference\n"
        "    similarity: {to: reference, measure: token_f1, at_least: 0.3}\n";
  }
  text +=
      "  - name: tone\n    task: absolute\n"
      "    criteria: Is the response friendly and to the point?\n"
      "    rubric:\n      \"1\": rude, or beside the point\n      \"2\": cold or rambling\n"
      "      \"3\": neutral\n      \"4\": friendly\n      \"5\": friendly and to the point\n"
      "    pass: score >= 3\n";
  return text;
}

}  // namespace selene::check
