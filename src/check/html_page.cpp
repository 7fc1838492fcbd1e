// The page is page.html, compiled into the program, with the report as JSON in it and the digests
// of its own script and style in its Content-Security-Policy: no other script runs, nothing is
// loaded.
#include <array>
#include <cstdint>

#include "check/reports.h"
#include "core/digest.h"
#include "core/embedded.h"
#include "core/error.h"

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

// JSON that no HTML parser takes for an end of its element, and that is JavaScript too.
std::string script_json(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, kReplaceInvalid);
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (text[i] == '<') {
      out += "\\u003c";
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// RFC 4648, of the digest as bytes.
std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : hex) {
    bits = (bits << 4) | static_cast<std::uint32_t>(kHex.find(c));
    held += 4;
    if (held < 6) continue;
    held -= 6;
    out += kDigits[(bits >> held) & 63];
  }
  if (held > 0) out += kDigits[(bits << (6 - held)) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

// What stands between the first `start` and the `end` after it.
std::string_view between(std::string_view text, std::string_view start, std::string_view end) {
  const size_t from = text.find(start);
  ensure(from != std::string_view::npos, "the page has a part of this name");
  const size_t to = text.find(end, from + start.size());
  ensure(to != std::string_view::npos, "a part of the page has an end");
  return text.substr(from + start.size(), to - from - start.size());
}

}  // namespace

std::string html_page(const Report& report) {
  const std::string_view page = page_files().front().text;
  const std::string json = script_json(page_data(report));
  const std::array<std::pair<std::string_view, std::string>, 3> holes = {{
      {"@SCRIPT_SHA256@", base64_of_hex(sha256(between(page, "<script>", "</script>")))},
      {"@STYLE_SHA256@", base64_of_hex(sha256(between(page, "<style>", "</style>")))},
      {"@DATA@", json},
  }};
  std::string out;
  out.reserve(page.size() + json.size());
  std::string_view rest = page;
  for (const auto& [hole, text] : holes) {  // In the order of the page.
    const size_t at = rest.find(hole);
    ensure(at != std::string_view::npos, "the page has a hole of this name");
    out.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + hole.size());
  }
  return out.append(rest);
}

}  // namespace check
}  // namespace selene
