// The page is page.html, compiled into the program, with the report as JSON in it and the digests
// of its own script and style in its Content-Security-Policy: no other script runs, nothing is
// loaded.
#include "check/reports.h"
#include "core/embedded.h"
#include "report/offline_page.h"

namespace selene {

std::span<const EmbeddedFile> page_files();  // page.html alone, from src/check/CMakeLists.txt.

namespace check {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kReplaceInvalid = Json::error_handler_t::replace;

// Lists of pairs: a JavaScript object puts keys that are numbers first.
Json pairs(const data::Distribution& probabilities) {
  Json list = Json::array();
  for (const auto& [label, probability] : probabilities) {
    list.push_back(Json::array({label, probability}));
  }
  return list;
}

// Values as text: JavaScript rounds large integers.
Json pairs(const Json& fields) {
  Json list = Json::array();
  for (const auto& [name, value] : fields.items()) {
    list.push_back(
        Json::array({name, value.is_string() ? value.get<std::string>()
                                             : value.dump(2, ' ', false, kReplaceInvalid)}));
  }
  return list;
}

Json answer_data(const AnswerResult& answer, const std::vector<std::string>& checks) {
  Json row = to_json(answer, checks);
  row["id"] = answer.id;
  row["line"] = answer.line;
  row["fields"] = pairs(row["fields"]);
  Json& outcomes = row["outcomes"] = Json::array();
  for (size_t i = 0; i < checks.size(); ++i) {
    Json outcome = std::move(row["checks"][checks[i]]);
    const data::Distribution& probabilities = answer.outcomes[i].probabilities;
    if (!probabilities.empty()) outcome["probabilities"] = pairs(probabilities);
    outcomes.push_back(std::move(outcome));
  }
  row.erase("checks");
  return row;
}

// Of a baseline's row, which is a user's file, what the page shows; null where nothing of the
// answer has changed.
Json before_data(const Json& row, const Json& now, const std::vector<std::string>& checks) {
  if (row == now || !row.contains("fields") || !row["fields"].is_object()) return nullptr;
  Json before = {{"fields", pairs(row["fields"])}};
  Json& outcomes = before["outcomes"] = Json::array();
  for (const std::string& check : checks) {
    const Json& old = row["checks"][check];
    Json outcome = Json::object();
    for (const char* name : {"status", "reason", "label", "critique"}) {
      if (old.contains(name) && old[name].is_string()) outcome[name] = old[name];
    }
    if (old.contains("probabilities") && old["probabilities"].is_object()) {
      for (const auto& [label, probability] : old["probabilities"].items()) {
        if (probability.is_number())
          outcome["probabilities"].push_back(Json::array({label, probability}));
      }
    }
    outcomes.push_back(std::move(outcome));
  }
  return before;
}

Json page_data(const Report& report) {
  Json page = Json::object();
  page["summary"] = summary_json(report);
  if (report.has_baseline) page["summary"]["baseline"].erase("changes");
  Json& checks = page["checks"] = Json::array();
  for (size_t i = 0; i < report.checks.size(); ++i) {
    checks.push_back({{"name", report.checks[i]}, {"description", report.descriptions.at(i)}});
  }
  Json& answers = page["answers"] = Json::array();
  for (size_t i = 0; i < report.answers.size(); ++i) {
    answers.push_back(answer_data(report.answers[i], report.checks));
    if (report.before.empty()) continue;
    Json before =
        before_data(report.before[i], to_json(report.answers[i], report.checks), report.checks);
    if (!before.is_null()) answers.back()["before"] = std::move(before);
  }
  for (const Change& change : report.changes) {
    answers.at(change.answer)["outcomes"].at(change.check)["before"] = status_name(change.before);
  }
  return page;
}

}  // namespace

std::string html_page(const Report& report) {
  const std::string_view page = page_files().front().text;
  const report::Hole holes[] = {
      {"@SCRIPT_SHA256@", report::policy_digest(report::between(page, "<script>", "</script>"))},
      {"@STYLE_SHA256@", report::policy_digest(report::between(page, "<style>", "</style>"))},
      {"@DATA@", report::script_json(page_data(report))},
  };
  return report::fill_holes(page, holes);
}

}  // namespace check
}  // namespace selene
