// All rows of a SELECT, and what it throws.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "table/table.h"
#include "temporary_folder.h"

namespace selene::testing {

// A list of the rows.
inline nlohmann::ordered_json read_all(std::string_view sql, const std::filesystem::path& folder) {
  table::Rows rows(sql, folder, "spec.yaml");
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (nlohmann::ordered_json row; rows.next(row);) all.push_back(row);
  return all;
}

// Tests that need DuckDB.
class TablesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "this build has no DuckDB (make tables)";
  }

  // As JSON text.
  std::string rows(std::string_view sql) const { return read_all(sql, folder_.path()).dump(); }
  std::string error(std::string_view sql) const {
    return message_of<Error>([&] { read_all(sql, folder_.path()); });
  }
  // `name` in the folder, as text.
  std::string in_folder(std::string_view name) const { return (folder_ / name).string(); }

  TemporaryFolder folder_;
};

}  // namespace selene::testing
