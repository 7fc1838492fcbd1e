// The answers that are checked: a JSONL or CSV file with the user's own columns. The formats are
// docs/formats.md, "Answers".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::check {

struct Answer {
  std::string id;  // The field `id`, else the number of the row's first line.
  bool id_is_integer = false;
  size_t line = 0;
  nlohmann::ordered_json fields;  // In the order of the columns; without null values.
};

// field = column: the column is known by the field's name from then on.
using ColumnMap = std::vector<std::pair<std::string, std::string>>;

struct Answers {
  std::string name;                  // Of the file, for errors.
  std::vector<std::string> columns;  // Of all rows, in the order of their first appearance.
  std::vector<Answer> answers{};
  ColumnMap map{};  // What the columns were called in the file.
};

// "answers.csv:12"
std::string place_of(const Answers& answers, const Answer& answer);

// "input=question,response=answer". Throws Error.
ColumnMap parse_map(std::string_view text);

// Reads a whole file: CSV where the name ends in .csv (with semicolons where the first line has
// them and no comma), the same with tabs for .tsv, else JSONL. In CSV an empty cell of any field
// but `response` is an absent field. Throws Error with file and line: what the reader of JSONL
// refuses; broken quotes, a row with another number of cells than the first, two columns of one
// name; invalid UTF-8; no rows; a repeated id; a mapped column that is not there (names the
// nearest). `map_place`: where the map stands, for its errors; empty: a flag.
Answers read_answers(const std::string& path, const ColumnMap& map,
                     std::string_view map_place = {});

// The name among `known` that is nearest to `name` by edit distance, for "did you mean"; empty when
// none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// A field as text: a string as it is, anything else as JSON.
std::string field_text(const nlohmann::ordered_json& value);

}  // namespace selene::check
