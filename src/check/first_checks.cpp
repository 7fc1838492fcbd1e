#include "check/first_checks.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "check/checks_file.h"
#include "check/plain_check.h"
#include "core/error.h"
#include "core/text.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

// A field and what people call its column, the likeliest first.
struct Guess {
  const char* field;
  std::vector<std::string> names;
  std::vector<std::string> words;   // A longer name has one of them: "bot reply".
  std::vector<std::string> not_if;  // And none of these.
  std::vector<std::string> people;  // Who or what it may be named for, where texts stand in it.
};
const std::vector<Guess>& guesses() {
  static const std::vector<std::string> references{"expected", "reference", "ideal",  "gold",
                                                   "golden",   "truth",     "correct"};
  static const std::vector<Guess> all{
      {"input",
       {"input", "question", "prompt", "query", "instruction", "user_input", "user_message",
        "customer_message", "message", "request", "problem", "q"},
       {"input", "question", "prompt", "query", "instruction", "message", "request"},
       {"assistant", "bot", "agent", "system", "model"},
       {"user", "customer", "ticket"}},
      {"response",
       {"response", "answer", "output", "completion", "reply", "actual_output", "generated",
        "generation", "model_output", "prediction", "result", "agent_reply", "bot_reply", "a"},
       {"response", "answer", "output", "completion", "reply", "generated", "generation",
        "assistant", "bot"},
       references,
       {"assistant", "agent", "bot"}},
      {"reference",
       {"reference", "expected", "expected_output", "ideal", "ground_truth", "gold", "target",
        "golden_answer", "reference_answer", "correct_answer"},
       {"expected", "reference", "ideal", "golden"},
       {},
       {}},
      {"context",
       {"context", "retrieval_context", "contexts", "documents", "passage", "passages",
        "source_text", "background"},
       {"context", "contexts"},
       {},
       {}},
  };
  return all;
}

// "Bot Reply" and "bot-reply" are bot and reply.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words{""};
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      words.back() += static_cast<char>(std::tolower(byte));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool has_one_of(const std::vector<std::string>& words, const std::vector<std::string>& wanted) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
  });
}

// Whether a text of more than one word stands in the column: a ticket's number is none.
bool holds_prose(const Answers& answers, const std::string& column) {
  return std::any_of(answers.answers.begin(), answers.answers.end(), [&](const Answer& answer) {
    const auto found = answer.fields.find(column);
    return found != answer.fields.end() && found->is_string() &&
           trim(found->get_ref<const std::string&>()).find_first_of(" \t\n") !=
               std::string_view::npos;
  });
}

// The column whose name is one of the guess, whatever its case; else one with a word of it; else
// one named for a person. Empty when none is.
std::string column_of(const Guess& guess, const Answers& answers,
                      const std::vector<std::string>& taken) {
  static const std::vector<std::string> facts{"id",   "ids",    "name",  "type",
                                              "time", "date",   "score", "rating",
                                              "ms",   "tokens", "cost",  "length"};
  std::vector<std::string> free;
  for (const std::string& column : answers.columns) {
    if (std::find(taken.begin(), taken.end(), column) == taken.end()) free.push_back(column);
  }
  const auto named = [&](const std::vector<std::string>& names, bool prose) -> std::string {
    for (const std::string& name : names) {
      for (const std::string& column : free) {
        if (fmt::format("{}", fmt::join(words_of(column), "_")) == name &&
            (!prose || holds_prose(answers, column)))
          return column;
      }
    }
    return "";
  };
  if (const std::string own = named(guess.names, false); !own.empty()) return own;
  for (const std::string& column : free) {
    const std::vector<std::string> words = words_of(column);
    if (words.size() > 1 && has_one_of(words, guess.words) && !has_one_of(words, guess.not_if) &&
        !has_one_of(words, facts) && holds_prose(answers, column))
      return column;
  }
  return named(guess.people, true);
}

// A text as YAML takes it whatever it holds.
std::string quoted(const std::string& text) { return Json(text).dump(); }

// What the responses have in common.
struct Facts {
  size_t responses = 0;
  size_t json = 0;
  size_t longest = 0;  // In characters.
};

Facts facts_of(const Answers& answers, const std::string& column) {
  Facts facts;
  for (const Answer& answer : answers.answers) {
    const auto found = answer.fields.find(column);
    if (found == answer.fields.end()) continue;
    const std::string text = field_text(*found);
    ++facts.responses;
    facts.longest = std::max(facts.longest, count_characters(text));
    const Json value = Json::parse(text, nullptr, false);
    if (value.is_object() || value.is_array()) ++facts.json;
  }
  return facts;
}

bool is_missing_somewhere(const Answers& answers, const std::string& column) {
  return std::any_of(answers.answers.begin(), answers.answers.end(),
                     [&](const Answer& answer) { return !answer.fields.contains(column); });
}

// Whether people's labels stand in this column, and are those of a judged check.
bool has_yes_and_no(const Answers& answers, const std::string& column) {
  if (!has_column(answers, column)) return false;
  return std::all_of(answers.answers.begin(), answers.answers.end(), [&](const Answer& answer) {
    const auto found = answer.fields.find(column);
    return found == answer.fields.end() || *found == "Yes" || *found == "No";
  });
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
  const auto taken = [&] {
    std::vector<std::string> columns;
    for (const auto& [name, own] : found) columns.push_back(own);
    return columns;
  };
  for (const Guess& guess : guesses()) {
    if (!column(guess.field).empty()) continue;
    if (const std::string own = column_of(guess, answers, taken()); !own.empty())
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
    text += fmt::format(
        "# What your columns are called here, guessed by their names: look whether they are these."
        "\nmap: {{{}}}\n\n",
        fmt::join(renamed, ", "));
  }
  text +=
      "# The judge: a name (selene models), a GGUF file, or URL#model of a server. The default one "
      "is tiny and judges\n# near chance: get a real one with `selene models pull selene-1-mini`.\n"
      "# judge: selene-1-mini\n\n"
      "# The build is red where a check passes for fewer answers than its min_pass_rate; a check "
      "without one is shown\n# and decides nothing. To ask rates below 1 of the lower end of the "
      "95% "
      "interval, so that luck with few answers\n# is not enough:\n# gate: {on: lower}\n\n"
      "# To list judged answers that are nearly on the other side, and leave them out of the "
      "rates:\n# look: {margin: 0.1, counts_as: unknown}\n\n"
      "checks:\n"
      "  # Checks without a judge cost nothing.\n"
      "  - name: not empty\n    regex: '\\S'\n    min_pass_rate: 1\n";
  text += fmt::format(
      "  - name: not too long\n    length: {{max: {}, unit: characters}}  # the longest here has "
      "{}\n    min_pass_rate: 1\n",
      round_up(facts.longest), facts.longest);
  if (facts.json > 0 && facts.json == facts.responses)
    text += "  - name: is JSON\n    json: true\n    min_pass_rate: 1\n";
  text +=
      "  - name: no talk of being a model\n    ignore_case: true\n"
      "    not_contains: [\"as an ai\", \"language model\"]\n    min_pass_rate: 1\n";
  if (!column("reference").empty()) {
    text +=
        "  - name: words of the reference\n"
        "    when: {reference: {present: true}}\n"
        "    similarity: {to: reference, measure: token_f1, at_least: 0.3}\n";
  }
  const std::string input = column("input");
  if (input.empty()) {
    text +=
        "\n  # No column looks like the input, which a judge needs: name it with `map: {input: "
        "COLUMN}` above, then\n  # use this:\n"
        "  # - name: answers the question\n"
        "  #   criteria: Does the response answer the question, wholly and correctly?\n";
    return text;
  }
  const bool some_without = is_missing_somewhere(answers, input);
  const auto when = [&](const char* field) {
    std::vector<std::string> there;
    if (some_without) there.emplace_back("input: {present: true}");
    if (field != nullptr) there.push_back(fmt::format("{}: {{present: true}}", field));
    return there.empty() ? "" : fmt::format("    when: {{{}}}\n", fmt::join(there, ", "));
  };
  text +=
      "\n  # Checks by the judge: a question, the labels it may give (Yes and No unless said) and "
      "those that pass. They\n  # decide nothing yet: with a judge that you trust (selene check "
      "label says how far), give each a min_pass_rate.\n"
      "  - name: answers the question\n" +
      when(nullptr) +
      "    criteria: Does the response answer the question, wholly and correctly?\n"
      "    pass: [\"Yes\"]\n"
      "    # min_pass_rate: 0.9\n";
  if (has_yes_and_no(answers, "label")) text += "    human: label  # people's labels\n";
  if (!column("context").empty()) {
    text += "  - name: keeps to the context\n" + when("context") +
            "    criteria: Is everything that the response claims supported by the context?\n"
            "    pass: [\"Yes\"]\n";
  }
  if (!column("reference").empty()) {
    text += "  - name: agrees with the reference\n" + when("reference") +
            "    criteria: Does the response say the same as the reference answer?\n"
            "    pass: [\"Yes\"]\n";
  }
  text += "  - name: tone\n" + when(nullptr) +
          "    task: absolute\n"
          "    criteria: Is the response friendly and to the point?\n"
          "    rubric:\n      \"1\": rude, or beside the point\n      \"2\": cold or rambling\n"
          "      \"3\": neutral\n      \"4\": friendly\n      \"5\": friendly and to the point\n"
          "    pass: score >= 3\n";
  return text;
}

}  // namespace selene::check
