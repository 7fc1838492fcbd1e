#include "table/table.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Json> rows_of(std::string_view sql, const std::filesystem::path& folder) {
  table::Rows rows(sql, folder, "spec.yaml");
  std::vector<Json> all;
  for (Json row; rows.next(row);) all.push_back(row);
  return all;
}

TEST(Rows, First) {
  const TemporaryFolder folder;
  folder.file("a.jsonl", "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2, \"b\": null}\n");
  EXPECT_EQ(Json(rows_of("SELECT * FROM 'a.jsonl'", folder.path())).dump(), R"([{"a":1,"b":"x"},{"a":2,"b":null}])");
  EXPECT_EQ(Json(rows_of("SELECT 'é' AS e, * FROM read_json(['a.jsonl', 'a.jsonl']) WHERE b IS NULL", folder.path())).dump(), R"([{"e":"é","a":2,"b":null},{"e":"é","a":2,"b":null}])");
}

}  // namespace
}  // namespace selene::testing
