// Rows of a select, whose columns become a sample's fields: `input`, `response`, `rubric`, …
#pragma once

#include <nlohmann/json.hpp>

namespace selene::data {

// The value, which the row has no longer; null where there is no such column.
nlohmann::ordered_json take_column(nlohmann::ordered_json& row, const char* name);

// Moves the texts of a sample and its rubric from `row` to `fields`, as sample_from_json() reads
// them: those that are null are left out, and so are labels of the rubric (a column of structs has
// all of them in each row).
void take_text_columns(nlohmann::ordered_json& row, nlohmann::ordered_json& fields);

}  // namespace selene::data
