// A small curation in a folder of its own: files of rows, a recipe, and what came of it.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "curate/pipeline.h"
#include "curate/recipe.h"
#include "curate/write.h"
#include "table/table.h"
#include "temporary_folder.h"

namespace selene::testing {

class Curation : public ::testing::Test {
 protected:
  using Json = nlohmann::ordered_json;

  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
    std::filesystem::create_directories(data());
  }

  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path out() const { return folder_.path() / "out"; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(data() / name, std::ios::binary) << text;
  }

  // Rows of the task classification: {"id", "input", "response", "label", and what else is given}.
  static Json row(const std::string& id, const std::string& input, const std::string& response,
                  const std::string& label) {
    return {{"id", id}, {"input", input}, {"response", response}, {"label", label}};
  }

  void write_rows(const std::string& name, const std::vector<Json>& rows) const {
    std::string text;
    for (const Json& one : rows) text += one.dump() + "\n";
    write(name, text);
  }

  // A recipe with one source, `rows.jsonl`, whose columns are the rows' fields.
  static std::string recipe(const std::string& steps, const std::string& task = "classification",
                            const std::string& columns =
                                "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', "
                                "label: 'VARCHAR'",
                            const std::string& more = "") {
    return "name: small\nseed: 1\nsources:\n" + source("rows", task, columns, more) + "steps:\n" +
           steps;
  }

  static std::string source(const std::string& name, const std::string& task,
                            const std::string& columns, const std::string& more = "") {
    return "  - name: " + name + "\n    licence: MIT\n    attribution: us\n    task: " + task +
           "\n    criteria: Is it right?\n" + more +
           "    source:\n      files:\n        - file: " + name +
           ".jsonl\n      select: >-\n        SELECT * FROM read_json('" + name +
           ".jsonl', format = 'newline_delimited', columns = {" + columns + "})\n";
  }

  curate::Resources resources(const curate::Recipe& recipe, int threads = 1) const {
    curate::Resources resources;
    resources.recipe = &recipe;
    resources.seed = recipe.seed;
    resources.threads = threads;
    resources.scratch = folder_.path() / "scratch";
    return resources;
  }

  curate::RunOptions options() const {
    curate::RunOptions options;
    options.data = data();
    options.work = out() / "work";
    return options;
  }

  // What became of the rows: "kept", or the reason for which one went.
  struct Outcome {
    Json funnel;
    std::vector<Json> pairs;
    std::map<std::string, std::string> fate;  // By the row's id without its source.
  };

  Outcome curate(const std::string& yaml, int threads = 1) {
    curate::Recipe recipe = curate::parse_recipe(yaml, "small.yaml");
    curate::Resources with = resources(recipe, threads);
    return curate(recipe, with);
  }

  Outcome curate(curate::Recipe& recipe, curate::Resources& with) {
    const curate::RunResult result = curate::run(recipe, with, options());
    EXPECT_TRUE(result.done);
    Outcome outcome;
    outcome.funnel = curate::write_outputs(recipe, with, result, out());
    for (const char* split : {"train", "validation", "test"}) {
      for (Json& pair : lines(out() / (std::string(split) + ".jsonl"))) {
        outcome.fate[pair.at("provenance").at("id").get<std::string>()] = "kept";
        outcome.pairs.push_back(std::move(pair));
      }
    }
    for (const Json& one : lines(out() / "dropped.jsonl")) {
      std::string id = one.at("id").get<std::string>();
      id = id.substr(id.find('/') + 1);
      outcome.fate[id.substr(0, id.find('#'))] = one.at("reason").get<std::string>();
    }
    return outcome;
  }

  static std::vector<Json> lines(const std::filesystem::path& path) {
    std::vector<Json> rows;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line));
    return rows;
  }

  // The message of the Error that `work` throws.
  template <typename Work>
  static std::string error_of(const Work& work) {
    try {
      work();
    } catch (const Error& failure) {
      return failure.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
};

}  // namespace selene::testing
