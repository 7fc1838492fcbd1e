#include "check/people.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::check {

PeopleLabels read_labels(const std::filesystem::path& path, const ChecksFile& checks,
                         const Answers& answers) {
  std::set<std::string_view> ids;
  for (const Answer& answer : answers.answers) ids.insert(answer.id);
  PeopleLabels labels;
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
    if (!ids.contains(id)) {
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
    labels[{id, name}] = label;
  }
  return labels;
}

}  // namespace selene::check
