#include "curate/show.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"
#include "curate/find.h"
#include "curate/funnel.h"
#include "data/jsonl.h"

namespace selene::curate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using report::Style;
using report::Terminal;

constexpr size_t kSideBySide = 100;  // The least columns for it.
constexpr const char* kAgain =
    "the file was changed by hand or is damaged: run `selene curate` again";

fs::path file_of(const fs::path& folder, const char* split) {
  return folder / fmt::format("{}.jsonl", split);
}

FoundPair first_pair(const fs::path& folder) {
  for (const char* split : kSplits) {
    Json row = first_of(file_of(folder, split));
    if (!row.is_null()) return {split, std::move(row)};
  }
  throw Error("it has no pairs", folder.string());
}

[[noreturn]] void not_found(const fs::path& folder, const std::string& id) {
  bool dropped = false;
  each_about(folder / "dropped.jsonl", id, [&](const Json& row) {
    dropped = dropped || names(id, text_at(row, "id"), text_at(row, "source"));
    return !dropped;
  });
  if (dropped) {
    throw Error(fmt::format("no pair was made of '{}': it was dropped", printable(id)),
                folder.string(), "`selene curate explain` says where and why");
  }
  const std::vector<std::string> nearest = nearest_ids(folder, id, 3);
  throw Error(nearest.empty() ? fmt::format("no pair has the id '{}'", printable(id))
                              : fmt::format("no pair has the id '{}'; the nearest: {}",
                                            printable(id), fmt::join(nearest, ", ")),
              folder.string(),
              "give it as SOURCE/ID#N, or the row's as SOURCE/ID; without one the first is shown");
}

// A text in lines, the last ones of which are its verdict.
struct Judgment {
  std::string title;
  std::vector<std::string> lines;
  size_t verdict = 0;  // The first line of it.
  Style style = Style::Plain;
};

std::string content_of(const Json& row, const char* name) {
  std::string text;
  for (const Json& message : row.at(name))
    text += (text.empty() ? "" : "\n\n") + message.at("content").get<std::string>();
  return text;
}

// The verdict is the last line that is not empty.
Judgment judgment_of(const Json& row, const char* name, const char* label, size_t columns) {
  Judgment judgment;
  judgment.title = fmt::format("{}: {}", name, text_at(row, label));
  const std::string text(trim(content_of(row, name)));
  const size_t end = text.rfind('\n');
  if (end != std::string::npos) judgment.lines = wrap_to_columns(text.substr(0, end), columns);
  judgment.verdict = judgment.lines.size();
  const std::string verdict = end == std::string::npos ? text : text.substr(end + 1);
  for (const std::string& line : wrap_to_columns("\xE2\x96\xB6 " + verdict, columns))  // ▶
    judgment.lines.push_back(line);
  return judgment;
}

std::string rule(const std::string& title, size_t columns) {
  std::string text =
      "\xE2\x94\x80\xE2\x94\x80 " + cut_to_columns(title, columns > 8 ? columns - 8 : 1) + " ";
  for (size_t used = display_columns(text); used < columns; ++used) text += "\xE2\x94\x80";  // ─
  return text;
}

std::string styled_line(const Judgment& judgment, size_t line, bool color) {
  return report::styled(judgment.lines[line],
                        line >= judgment.verdict ? judgment.style : Style::Plain, color);
}

std::string one_below_the_other(const std::vector<Judgment>& judgments, Terminal terminal) {
  std::string text;
  for (const Judgment& judgment : judgments) {
    text += "\n" +
            report::styled(rule(judgment.title, terminal.columns), judgment.style, terminal.color) +
            "\n";
    for (size_t i = 0; i < judgment.lines.size(); ++i)
      text += styled_line(judgment, i, terminal.color) + "\n";
  }
  return text;
}

// The verdicts stand beside one another at the end.
void level(Judgment& a, Judgment& b) {
  Judgment& shorter = a.verdict < b.verdict ? a : b;
  const size_t missing = std::max(a.verdict, b.verdict) - shorter.verdict;
  shorter.lines.insert(shorter.lines.begin() + static_cast<std::ptrdiff_t>(shorter.verdict),
                       missing, std::string());
  shorter.verdict += missing;
}

std::string side_by_side(Judgment left, Judgment right, size_t columns, Terminal terminal) {
  level(left, right);
  const std::string_view between = " \xE2\x94\x82 ";  // │
  std::string text = "\n" + report::styled(rule(left.title, columns), left.style, terminal.color) +
                     "   " +
                     report::styled(rule(right.title, columns), right.style, terminal.color) + "\n";
  for (size_t i = 0; i < std::max(left.lines.size(), right.lines.size()); ++i) {
    const bool has_left = i < left.lines.size();
    const size_t taken = has_left ? std::min(columns, display_columns(left.lines[i])) : 0;
    if (has_left) text += styled_line(left, i, terminal.color);
    text += std::string(columns - taken, ' ');
    if (i < right.lines.size() && !right.lines[i].empty()) {
      text += std::string(between) + styled_line(right, i, terminal.color) + "\n";
    } else {
      text += " \xE2\x94\x82\n";
    }
  }
  return text;
}

// What it is and where it comes from, a fact a line.
std::string facts_text(const FoundPair& pair, Terminal terminal) {
  const Json& row = pair.row;
  const Json& provenance = row.at("provenance");
  const auto cut = [&](const std::string& text) {
    return cut_to_columns(text, terminal.columns) + "\n";
  };
  std::string text =
      report::styled(cut_to_columns(row.at("id").get<std::string>(), terminal.columns), Style::Bold,
                     terminal.color) +
      "\n";
  text += cut(fmt::format("{}, {}, {}; template {}; group {}", pair.split, text_at(row, "task"),
                          text_at(row, "kind"), text_at(provenance, "template"),
                          text_at(row, "group")));
  const std::string chosen = text_at(provenance, "chosen_origin");
  const std::string rejected = text_at(provenance, "rejected_origin");
  if (!chosen.empty() || !rejected.empty())
    text += cut(fmt::format("critiques: chosen by {}, rejected by {}",
                            chosen.empty() ? "nobody" : chosen,
                            rejected.empty() ? "nobody" : rejected));
  if (const auto scores = row.find("scores"); scores != row.end() && scores->is_object()) {
    text +=
        cut(fmt::format("scores: chosen {:.4g}, rejected {:.4g}",
                        scores->at("chosen").get<double>(), scores->at("rejected").get<double>()));
  }
  for (const Json& step : provenance.value("steps", Json::array()))
    text += report::styled(
        cut(fmt::format("{}: {}", step.at(0).get<std::string>(), step.at(1).get<std::string>())),
        Style::Dim, terminal.color);
  return text;
}

std::string text_of(const FoundPair& pair, Terminal terminal) {
  std::string text = facts_text(pair, terminal);
  for (const Json& message : pair.row.at("prompt")) {
    text += "\n" +
            report::styled(rule(message.at("role").get<std::string>(), terminal.columns),
                           Style::Bold, terminal.color) +
            "\n";
    for (const std::string& line :
         wrap_to_columns(trim(message.at("content").get<std::string>()), terminal.columns))
      text += line + "\n";
  }
  const bool beside = terminal.is_terminal && terminal.columns >= kSideBySide;
  const size_t columns = beside ? (terminal.columns - 3) / 2 : terminal.columns;
  Judgment chosen = judgment_of(pair.row, "chosen", "label", columns);
  Judgment rejected = judgment_of(pair.row, "rejected", "rejected_label", columns);
  chosen.style = Style::Green;
  rejected.style = Style::Red;
  return text + (beside ? side_by_side(std::move(chosen), std::move(rejected), columns, terminal)
                        : one_below_the_other({chosen, rejected}, terminal));
}

}  // namespace

FoundPair find_pair(const fs::path& folder, const std::string& id) {
  read_funnel(folder);  // It is a finished one.
  if (id.empty()) return first_pair(folder);
  std::map<std::string, FoundPair> found;  // By row: the first.
  for (const char* split : kSplits) {
    each_about(file_of(folder, split), id, [&](const Json& pair) {
      const std::string source = pair.at("source").get<std::string>();
      const std::string row = pair.at("provenance").at("row").get<std::string>();
      if (names(id, row, source) || names(id, pair.at("id").get<std::string>(), source))
        found.try_emplace(row, FoundPair{split, pair});
      return true;
    });
  }
  if (found.empty()) not_found(folder, id);
  if (const auto exact = found.find(id); exact != found.end()) return exact->second;
  if (found.size() > 1) {
    throw Error(fmt::format("{} rows have the id '{}', such as {} and {}", found.size(),
                            printable(id), found.begin()->first, std::next(found.begin())->first),
                folder.string(), "give it with its source: SOURCE/ID");
  }
  return found.begin()->second;
}

std::string pair_text(const FoundPair& pair, Terminal terminal) {
  try {
    return text_of(pair, terminal);
  } catch (const Json::exception& failure) {
    throw Error("this is no pair of a curation: " + data::json_reason(failure), {}, kAgain);
  }
}

}  // namespace selene::curate
