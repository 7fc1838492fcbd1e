// The benchmark files of benchmarks/: what their selects make of made-up rows (fixtures/README.md),
// and of the public data where a folder of it is there.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "data/sample.h"
#include "data/yaml.h"
#include "table/table.h"
#include "table/xlsx.h"
#include "temporary_folder.h"

namespace selene {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using JsonRows = std::vector<Json>;

const fs::path kRoot = SELENE_SOURCE_DIR;
const fs::path kFixtures = kRoot / "tests/bench/fixtures";

YAML::Node benchmark(const std::string& name) {
  const std::string file = (kRoot / "benchmarks" / (name + ".yaml")).string();
  return data::parse_yaml(read_file(file), file);
}

std::vector<std::string> stems(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

JsonRows select(const YAML::Node& selection, const fs::path& folder) {
  table::Rows rows(selection["select"].as<std::string>(), folder, "select");
  JsonRows all;
  for (Json row; rows.next(row);) all.push_back(row);
  return all;
}

JsonRows lines(const fs::path& file) {
  JsonRows all;
  const std::string text = read_file(file);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    all.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return all;
}

bool has_files(const YAML::Node& selection, const fs::path& folder) {
  for (const YAML::Node& file : selection["files"]) {
    if (!fs::exists(folder / file["file"].as<std::string>())) return false;
  }
  return true;
}

// A copy of the fixtures with what is a Parquet file in public made of its JSONL.
class BenchmarkFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
    fs::copy(kFixtures, folder_.path(), fs::copy_options::recursive);
    using table::ColumnType;
    make_parquet("biggen_bench/human_eval", "biggen_bench/human_eval-00000-of-00001.parquet",
                 {{"id", ColumnType::Text},
                  {"capability", ColumnType::Text},
                  {"task", ColumnType::Text},
                  {"input", ColumnType::Text},
                  {"reference_answer", ColumnType::Text},
                  {"score_rubric", ColumnType::Json},
                  {"response", ColumnType::Text},
                  {"model_name", ColumnType::Text},
                  {"human_score", ColumnType::Integer}});
    make_parquet("llm_aggrefact/test", "llm_aggrefact/test-00000-of-00001.parquet",
                 {{"dataset", ColumnType::Text},
                  {"doc", ColumnType::Text},
                  {"claim", ColumnType::Text},
                  {"label", ColumnType::Integer}});
  }

  void make_parquet(const std::string& from, const std::string& to,
                    const std::vector<table::Column>& columns) const {
    table::ParquetWriter writer(folder_ / to, columns);
    for (const Json& line : lines(folder_ / (from + ".jsonl"))) {
      Json row = Json::object();
      for (const table::Column& column : columns) row[column.name] = line.at(column.name);
      writer.append(row);
    }
    writer.finish();
  }

  testing::TemporaryFolder folder_;
};

TEST_F(BenchmarkFiles, MakeTheExpectedItemsOfMadeUpRows) {
  for (const std::string& name : stems(kFixtures / "expected")) {
    SCOPED_TRACE(name);
    const bool local = name.ends_with("-local");
    const YAML::Node file = benchmark(local ? name.substr(0, name.size() - 6) : name);
    const JsonRows rows =
        select(file[local ? "local" : "source"], local ? folder_ / "local" : folder_.path());
    const JsonRows expected = lines(kFixtures / "expected" / (name + ".jsonl"));
    ASSERT_EQ(rows.size(), expected.size());
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], expected[i]) << i;
  }
}

class PublicData : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const set = std::getenv("SELENE_DATA");
    data_ = set != nullptr ? fs::path(set) : kRoot / "../shared/bench";
    if (!fs::exists(data_)) GTEST_SKIP() << "SKIPPED: no " << data_ << "; name one in SELENE_DATA";
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
  }
  fs::path data_;
};

// The number of items, an id of its own for each, and a label that a judge can give.
void check_items(const YAML::Node& file, const JsonRows& rows) {
  if (file["items"]) {
    EXPECT_EQ(rows.size(), file["items"].as<size_t>());
  }
  const data::Task task = data::task_from_name(file["task"].as<std::string>());
  const auto labels =
      file["labels"] ? file["labels"].as<std::vector<std::string>>() : data::default_labels(task);
  const bool is_number = file["metric"].as<std::string>() == "pearson";
  std::set<std::string> ids;
  for (const Json& row : rows) {
    EXPECT_TRUE(ids.insert(row.at("id").get<std::string>()).second) << row.at("id");
    for (const auto& [column, value] : row.items()) EXPECT_FALSE(value.is_null()) << column;
    if (is_number) {
      EXPECT_TRUE(row.at("label").is_number());
    } else {
      EXPECT_NE(std::find(labels.begin(), labels.end(), row.at("label").get<std::string>()),
                labels.end());
    }
  }
}

TEST_F(PublicData, GivesEveryItem) {
  for (const std::string& name : stems(kRoot / "benchmarks")) {
    const YAML::Node file = benchmark(name);
    for (const char* key : {"source", "local"}) {
      if (!file[key] || !has_files(file[key], data_)) continue;
      SCOPED_TRACE(name + ", " + key);
      check_items(file, select(file[key], data_));
    }
  }
}

TEST_F(PublicData, CraftMdIsTheSameFromItsWorkbooks) {
  const YAML::Node file = benchmark("craft-md");
  if (!table::can_read_xlsx() || !has_files(file["local"], data_))
    GTEST_SKIP() << "SKIPPED: no workbooks can be read, or they are not there";
  const testing::TemporaryFolder folder;
  for (const YAML::Node& source : file["source"]["files"]) {
    const fs::path rows = folder / source["file"].as<std::string>();
    fs::create_directories(rows.parent_path());
    table::xlsx_to_jsonl(data_ / source["xlsx"].as<std::string>(), rows);
  }
  const JsonRows rows = select(file["source"], folder.path());
  check_items(file, rows);
  EXPECT_EQ(rows, select(file["local"], data_));
}

}  // namespace
}  // namespace selene
