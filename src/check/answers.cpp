#include "check/answers.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "check/csv_rows.h"
#include "check/similarity.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

struct RawRow {
  Json fields;
  size_t line;
};

// Whatever the case of the letters.
bool has_ending(std::string_view path, std::string_view ending) {
  return path.size() >= ending.size() &&
         std::equal(ending.rbegin(), ending.rend(), path.rbegin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

// Spreadsheets of languages with a decimal comma write semicolons.
char delimiter_of(std::string_view text) {
  const std::string_view header = text.substr(0, text.find('\n'));
  const auto has = [&](char c) { return header.find(c) != std::string_view::npos; };
  return has(';') && !has(',') ? ';' : ',';
}

std::vector<RawRow> read_csv_rows(const std::string& path, bool tabs,
                                  std::vector<std::string>& columns) {
  std::vector<RawRow> rows;
  const auto take = [&](std::vector<std::string>& cells, size_t line) {
    const std::string place = fmt::format("{}:{}", path, line);
    if (columns.empty()) {
      std::set<std::string_view> seen;
      for (const std::string& name : cells) {
        if (trim(name).empty()) throw Error("a column without a name", place, "name it");
        if (!seen.insert(name).second)
          throw Error(fmt::format("two columns named '{}'", cut_to_columns(name, 60)), place);
      }
      columns = cells;
      return;
    }
    if (cells.size() != columns.size()) {
      throw Error(fmt::format("{} where the first line names {} columns",
                              cells.size() == 1 ? "1 cell" : fmt::format("{} cells", cells.size()),
                              columns.size()),
                  place, "is a cell with a comma in it without quotes?");
    }
    Json fields = Json::object();
    for (size_t i = 0; i < cells.size(); ++i) fields[columns[i]] = std::move(cells[i]);
    rows.push_back({std::move(fields), line});
  };
  const std::string text = read_file(path);
  read_csv(text, tabs ? '\t' : delimiter_of(text), path, take);
  return rows;
}

std::vector<RawRow> read_jsonl_rows(const std::string& path, std::vector<std::string>& columns) {
  std::vector<RawRow> rows;
  std::set<std::string> seen;
  data::JsonlReader reader(path);
  for (data::Row row; reader.next(row);) {
    for (const auto& [key, value] : row.value.items()) {
      if (seen.insert(key).second) columns.push_back(key);
    }
    rows.push_back({std::move(row.value), row.line});
  }
  return rows;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const std::string near = nearest_name(name, known);
  return near.empty() ? fmt::format("the columns are {}", fmt::join(known, ", "))
                      : fmt::format("did you mean '{}'?", near);
}

// The columns' names after the mapping, by their own.
std::map<std::string, std::vector<std::string>> renamed(const ColumnMap& map,
                                                        const std::vector<std::string>& columns,
                                                        const std::string& path) {
  std::map<std::string, std::vector<std::string>> fields;
  const auto is_column = [&](const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
  };
  for (const auto& [field, column] : map) {
    if (!is_column(column)) {
      throw Error(fmt::format("there is no column '{}', which '{}' is mapped to",
                              cut_to_columns(column, 60), field),
                  path, did_you_mean(column, columns));
    }
    fields[column].push_back(field);
  }
  for (const auto& [field, column] : map) {
    if (field != column && is_column(field) && !fields.contains(field)) {
      throw Error(fmt::format("'{}' is mapped to the column '{}', and a column '{}' is there too",
                              field, column, field),
                  path, fmt::format("map that one to another name: {}_old={}", field, field));
    }
  }
  return fields;
}

// The cells under their fields' names, without those that are absent.
void rename(Json& cells, const std::map<std::string, std::vector<std::string>>& fields, bool csv,
            Json& to) {
  const auto put = [&](const std::string& field, Json cell) {
    const bool absent = cell.is_null() || (csv && field != "response" && cell == "");
    if (!absent) to[field] = std::move(cell);
  };
  for (auto& [column, value] : cells.items()) {
    const auto found = fields.find(column);
    if (found == fields.end()) {
      put(column, std::move(value));
    } else {
      for (const std::string& field : found->second) put(field, value);
    }
  }
}

std::string take_id(Answer& answer, const std::string& place) {
  const auto id = answer.fields.find("id");
  if (id == answer.fields.end()) {
    answer.id_is_integer = true;
    return std::to_string(answer.line);
  }
  answer.id_is_integer = id->is_number_integer();
  if (!answer.id_is_integer && !id->is_string())
    throw Error("the field 'id' must be a string or an integer", place);
  std::string text = field_text(*id);
  if (text.empty()) throw Error("the field 'id' is empty", place);
  return text;
}

}  // namespace

std::string place_of(const Answers& answers, const Answer& answer) {
  return fmt::format("{}:{}", answers.name, answer.line);
}

std::string field_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  constexpr size_t kLongest = 1000;
  std::string nearest;
  size_t least = name.size() / 2 + 1;
  for (const std::string& one : known) {
    if (std::max(one.size(), name.size()) > kLongest) continue;
    const size_t distance = edit_distance(name, one);
    if (distance >= least) continue;
    least = distance;
    nearest = one;
  }
  return nearest;
}

ColumnMap parse_map(std::string_view text) {
  ColumnMap map;
  std::set<std::string> seen;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view entry = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t equals = entry.find('=');
    const std::string field(trim(entry.substr(0, equals)));
    const std::string column(equals == std::string_view::npos ? ""
                                                              : trim(entry.substr(equals + 1)));
    if (field.empty() || column.empty()) {
      throw Error(fmt::format("'{}' maps nothing", cut_to_columns(entry, 60)), "",
                  "write field=column, with commas between: input=question,response=answer");
    }
    if (!seen.insert(field).second)
      throw Error(fmt::format("the field '{}' is mapped twice", cut_to_columns(field, 60)));
    map.emplace_back(field, column);
  }
  return map;
}

Answers read_answers(const std::string& path, const ColumnMap& map, std::string_view map_place) {
  Answers result;
  result.name = path;
  result.map = map;
  std::vector<std::string> columns;
  const bool tabs = has_ending(path, ".tsv");
  const bool csv = tabs || has_ending(path, ".csv");
  std::vector<RawRow> rows =
      csv ? read_csv_rows(path, tabs, columns) : read_jsonl_rows(path, columns);
  if (rows.empty()) throw Error("no answers: the file has no rows", path);
  const auto fields = renamed(map, columns, map_place.empty() ? path : std::string(map_place));
  for (const std::string& column : columns) {
    const auto found = fields.find(column);
    if (found == fields.end()) {
      result.columns.push_back(column);
    } else {
      result.columns.insert(result.columns.end(), found->second.begin(), found->second.end());
    }
  }
  std::unordered_map<std::string, size_t> lines;
  result.answers.reserve(rows.size());
  for (RawRow& row : rows) {
    Answer answer{.id = {}, .line = row.line, .fields = Json::object()};
    const bool as_it_is = !csv && fields.empty() &&
                          std::none_of(row.fields.begin(), row.fields.end(),
                                       [](const Json& value) { return value.is_null(); });
    if (as_it_is) {
      answer.fields = std::move(row.fields);
    } else {
      rename(row.fields, fields, csv, answer.fields);
    }
    const std::string place = fmt::format("{}:{}", path, row.line);
    answer.id = take_id(answer, place);
    const auto [first, added] = lines.emplace(answer.id, row.line);
    if (!added) {
      throw Error(fmt::format("the id '{}' stands in line {} already",
                              cut_to_columns(answer.id, 60), first->second),
                  place, "ids must differ");
    }
    result.answers.push_back(std::move(answer));
  }
  return result;
}

}  // namespace selene::check
