#include "check/people.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::check {

std::string answer_digest(const Answer& answer) {
  nlohmann::ordered_json read = nlohmann::ordered_json::array();
  for (const char* field : {"input", "response"}) {
    const auto found = answer.fields.find(field);
    read.push_back(found == answer.fields.end() ? "" : field_text(*found));
  }
  return sha256(read.dump());
}

LabelsFile read_labels(const std::filesystem::path& path, const ChecksFile& checks,
                       const Answers& answers) {
  std::map<std::string_view, const Answer*> by_id;
  for (const Answer& answer : answers.answers) by_id[answer.id] = &answer;
  PeopleLabels labels;
  std::set<std::pair<std::string, std::string>> stale;
  data::JsonlReader reader(path);
  for (data::Row row; reader.next(row);) {
    const std::string place = fmt::format("{}:{}", path.string(), row.line);
    const auto text = [&](const char* name) {
      const auto found = row.value.find(name);
      if (found == row.value.end() || found->is_null())
        throw Error(fmt::format("the field '{}' is missing", name), place,
                    "rows are {\"id\": …, \"check\": …, \"label\": …}");
      return field_text(*found);
    };
    const std::string id = text("id");
    const std::string name = text("check");
    const std::string label = text("label");
    const auto answer = by_id.find(id);
    if (answer == by_id.end()) {
      throw Error(fmt::format("no answer has the id '{}'", cut_to_columns(id, 60)), place,
                  "these labels are of other answers than " + answers.name);
    }
    const auto check = std::find_if(checks.checks.begin(), checks.checks.end(),
                                    [&](const Check& one) { return one.name == name; });
    if (check == checks.checks.end() || !check->judged)
      throw Error(fmt::format("no judged check is named '{}'", cut_to_columns(name, 60)), place);
    const auto& known = check->judged->labels;
    if (std::find(known.begin(), known.end(), label) == known.end()) {
      throw Error(fmt::format("the label '{}' is none of {}", cut_to_columns(label, 60),
                              fmt::join(known, ", ")),
                  place);
    }
    const auto digest = row.value.find("answer");
    if (digest != row.value.end() && *digest != answer_digest(*answer->second)) {
      labels.erase({id, name});
      stale.insert({id, name});
    } else {
      labels[{id, name}] = label;
      stale.erase({id, name});
    }
  }
  return {std::move(labels), stale.size()};
}

}  // namespace selene::check
