#include "data/columns.h"

#include <utility>

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json take_column(Json& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end()) return nullptr;
  Json value = std::move(*found);
  row.erase(found);
  return value;
}

void take_text_columns(Json& row, Json& fields) {
  for (const char* name : {"input", "response", "response_a", "response_b", "context", "reference",
                           "criteria", "rubric"}) {
    Json value = take_column(row, name);
    if (!value.is_null()) fields[name] = std::move(value);
  }
  const auto rubric = fields.find("rubric");
  if (rubric == fields.end() || !rubric->is_object()) return;
  Json described = Json::object();
  for (const auto& [label, text] : rubric->items()) {
    if (!text.is_null()) described[label] = text;
  }
  *rubric = std::move(described);
}

}  // namespace selene::data
