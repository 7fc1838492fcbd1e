#include "curate/load.h"

#include <zlib.h>

#include "curation.h"

namespace selene::testing {
namespace {

class Load : public Curation {
 protected:
  Outcome curate_with(double max_bad, const std::string& yaml) {
    curate::Recipe recipe = curate::parse_recipe(yaml, "small.yaml");
    curate::Resources with = resources(recipe);
    curate::RunOptions options = this->options();
    options.max_bad = max_bad;
    const curate::RunResult result = curate::run(recipe, with, options);
    Outcome outcome;
    outcome.funnel = curate::write_outputs(recipe, with, result, out());
    return outcome;
  }
  std::string rows(int count) const {
    std::string text;
    for (int i = 0; i < count; ++i)
      text +=
          row("r" + std::to_string(i), "Q" + std::to_string(i) + "?", "A.", "Yes").dump() + "\n";
    return text;
  }
};

TEST_F(Load, BadRowsAreRejectedWithTheirReason) {
  write("rows.jsonl", rows(96) + row("r1", "Again?", "A.", "Yes").dump() + "\n" +
                          row("maybe", "Q?", "A.", "Maybe").dump() + "\n" +
                          R"({"id": "half", "input": "Q?", "label": "Yes"})" + "\n" +
                          row("blank", "Q?", "  ", "No").dump() + "\n");
  const Outcome outcome = curate_with(0.1, recipe("  - pairs\n"));
  const Json& loaded = outcome.funnel.at("steps")[0].at("total");
  EXPECT_EQ(loaded.at("in"), 100);
  EXPECT_EQ(loaded.at("out"), 96);
  EXPECT_EQ(loaded.at("dropped").at("the id stands twice"), 1);
  EXPECT_EQ(loaded.at("dropped").at("a label outside of the label set"), 1);
  EXPECT_EQ(loaded.at("dropped").at("a response is empty"), 1);
  const std::vector<Json> rejected = lines(out() / "rejected.jsonl");
  ASSERT_EQ(rejected.size(), 4U);
  EXPECT_EQ(rejected[1].at("id"), "maybe");
  EXPECT_EQ(rejected[1].at("row"), 98);
  EXPECT_EQ(rejected[1].at("file"), "rows.jsonl");
  EXPECT_EQ(rejected[1].at("line"), 98);
}

// The ids of the rejected rows and their lines; 0: null.
class LinesOfRows : public Load {
 protected:
  using Found = std::map<std::string, int>;

  static std::string with_select(const std::string& select, const std::string& file) {
    std::string yaml = recipe("  - pairs\n");
    yaml = yaml.substr(0, yaml.find("SELECT")) + select + "\n" + yaml.substr(yaml.find("steps:"));
    yaml.replace(yaml.find("rows.jsonl"), 10, file);
    return yaml;
  }
  Found found(const std::string& select, const std::string& file = "rows.jsonl") {
    std::filesystem::remove_all(out());
    curate_with(0.9, with_select(select, file));
    Found lines_of;
    for (const Json& one : lines(out() / "rejected.jsonl")) {
      if (one.at("row").is_null()) continue;
      EXPECT_EQ(one.at("file"), file);
      lines_of[one.at("id").get<std::string>()] =
          one.at("line").is_null() ? 0 : one.at("line").get<int>();
    }
    return lines_of;
  }
  static constexpr const char* kFrom =
      "read_json('rows.jsonl', format = 'newline_delimited', columns = {id: 'VARCHAR', input: "
      "'VARCHAR', response: 'VARCHAR', label: 'VARCHAR'})";
  static std::string bad(const std::string& id) {
    return row(id, "Q?", "A.", "Maybe").dump() + "\n";
  }
};

TEST_F(LinesOfRows, AreThoseOfTheFileWhateverTheSelectLeavesOutAndSorts) {
  write("rows.jsonl", rows(5) + "\n" + bad("b") + rows(3) + bad("a") + " \n" + bad("left"));
  const std::string from = std::string(" FROM ") + kFrom;
  const Found both{{"a", 11}, {"b", 7}};
  EXPECT_EQ(found("SELECT * EXCLUDE (label), label" + from + " WHERE id IN ('a', 'b', 'r1')" +
                  " QUALIFY row_number() OVER (PARTITION BY id ORDER BY id) = 1"),
            both);
  EXPECT_EQ(found("WITH raw AS (SELECT id, input, response, label" + from +
                  "), few AS (SELECT * FROM raw WHERE id <> 'left') SELECT id, upper(input) AS "
                  "input, response, label FROM few WHERE id <> 'r2' ORDER BY id LIMIT 3"),
            both);
  EXPECT_EQ(found("SELECT id || '/' || side AS id, input, response, label FROM (SELECT *, "
                  "unnest(['x', 'y']) AS side" +
                  from + ") WHERE id IN ('a', 'r3') AND (side = 'x' OR id = 'a')"),
            (Found{{"a/x", 11}, {"a/y", 11}}));
}

TEST_F(LinesOfRows, CountTheLinesThatAreNoJson) {
  write("rows.jsonl", rows(5) + "{\"cut\n" + bad("a") + "\xFF\n" + rows(1) + bad("b"));
  EXPECT_EQ(found(std::string("SELECT * FROM ") + kFrom), (Found{{"r0", 9}, {"a", 7}, {"b", 10}}));
}

TEST_F(LinesOfRows, OfARowOfSeveralRecordsAreNotSaid) {
  write("rows.jsonl", rows(5) + bad("a"));
  const std::string from = std::string(" FROM ") + kFrom;
  EXPECT_EQ(found("SELECT x.*" + from + " AS x JOIN (SELECT id" + from + ") AS y USING (id)"),
            (Found{{"a", 0}}));
  EXPECT_EQ(found("SELECT DISTINCT *" + from), (Found{{"a", 0}}));
  EXPECT_EQ(found("SELECT id, any_value(input) AS input, any_value(response) AS response, "
                  "any_value(label) AS label" +
                  from + " GROUP BY id"),
            (Found{{"a", 0}}));
  EXPECT_EQ(found("SELECT *" + from + " UNION ALL SELECT 'z', 'Q?', 'A.', 'Yes'"),
            (Found{{"a", 0}}));
}

TEST_F(LinesOfRows, OfACsvAreSaidWhereNoFieldHoldsALineBreak) {
  const std::string names = "id,input,response,label\n", good = "1,Q?,A.,Yes\n2,Q?,A.,No\n";
  const std::string select =
      "SELECT * FROM read_csv('rows.csv', header = true, all_varchar = true)";
  write("rows.csv", names + good + "a,Q?,\"A, or B\",Maybe\n");
  EXPECT_EQ(found(select, "rows.csv"), (Found{{"a", 4}}));
  write("rows.csv", names + good + "a,Q?,\"A,\nor B\",Maybe\n");
  EXPECT_EQ(found(select, "rows.csv"), (Found{{"a", 0}}));
  write("rows.csv", names + good + "a,Q?,A.,Maybe\n");
  EXPECT_EQ(found("SELECT * FROM read_csv('rows.csv', all_varchar = true)", "rows.csv"),
            (Found{{"a", 0}}));
}

TEST_F(Load, TooManyBadRowsStopTheRun) {
  write("rows.jsonl", rows(50) + row("maybe", "Q?", "A.", "Maybe").dump() + "\n");
  const std::string error = error_of([&] { curate_with(0.01, recipe("  - pairs\n")); });
  EXPECT_NE(error.find("1 of the 51 rows of 'rows' are bad (2.0%, --max-bad is 1%)"),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("rows.jsonl:51: the field 'label' is 'Maybe'"), std::string::npos) << error;
  EXPECT_EQ(lines(out() / "work/load/rows.rejected.jsonl").size(), 1U);
}

TEST_F(Load, LinesThatAreNoJsonAreRejectedWithTheirLine) {
  write("rows.jsonl", rows(97) + "{\"id\": \"cut\", \"inp\n" + "\xFF\xFE not text\n" +
                          row("last", "Q?", "A.", "No").dump() + "\n");
  const Outcome outcome = curate_with(0.1, recipe("  - pairs\n"));
  EXPECT_EQ(outcome.funnel.at("steps")[0].at("total").at("in"), 100);
  EXPECT_EQ(outcome.funnel.at("steps")[0].at("total").at("out"), 98);
  const std::vector<Json> rejected = lines(out() / "rejected.jsonl");
  ASSERT_EQ(rejected.size(), 2U);
  EXPECT_EQ(rejected[0].at("line"), 98);
  EXPECT_EQ(rejected[0].at("file"), "rows.jsonl");
  EXPECT_EQ(rejected[1].at("line"), 99);
}

TEST_F(Load, AGzipThatIsCutShortIsAnError) {
  const std::string text = rows(500);
  const gzFile file = gzopen((data() / "rows.jsonl.gz").c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  std::string yaml = recipe("  - pairs\n");
  for (size_t at = yaml.find("rows.jsonl"); at != std::string::npos;
       at = yaml.find("rows.jsonl", at + 13))
    yaml.replace(at, 10, "rows.jsonl.gz");
  EXPECT_EQ(curate_with(0.01, yaml).funnel.at("pairs").at("train"), 500);
  std::filesystem::resize_file(data() / "rows.jsonl.gz",
                               std::filesystem::file_size(data() / "rows.jsonl.gz") / 2);
  const std::string error = error_of([&] { curate_with(0.01, yaml); });
  EXPECT_NE(error.find("damaged or cut short"), std::string::npos) << error;
}

TEST_F(Load, LinesOfACsvThatCannotBeReadAreRejected) {
  std::string text = "id,input,response,label\n";
  for (int i = 0; i < 60; ++i) text += std::to_string(i) + ",Q?,A.,Yes\n";
  write("rows.csv", text + "60,Q?\n61,Q?,A.,Yes\n");
  std::string yaml = recipe("  - pairs\n");
  const size_t select = yaml.find("SELECT");
  yaml = yaml.substr(0, select) +
         "SELECT * FROM read_csv('rows.csv', header = true, store_rejects = true, columns = {id: "
         "'VARCHAR', "
         "input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR'})\n" +
         yaml.substr(yaml.find("steps:"));
  yaml.replace(yaml.find("rows.jsonl"), 10, "rows.csv");
  const Outcome outcome = curate_with(0.1, yaml);
  EXPECT_EQ(outcome.funnel.at("steps")[0].at("total").at("in"), 62);
  const std::vector<Json> rejected = lines(out() / "rejected.jsonl");
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0].at("line"), 62) << rejected[0];
  EXPECT_EQ(rejected[0].at("file"), "rows.csv");
}

TEST_F(Load, TwoSourcesMayHaveOneId) {
  write("rows.jsonl", rows(10));
  write("more.jsonl", rows(10));
  const std::string columns =
      "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR'";
  const std::string yaml = "name: small\nsources:\n" + source("rows", "classification", columns) +
                           source("more", "classification", columns) + "steps: [pairs]\n";
  EXPECT_EQ(curate_with(0.01, yaml).funnel.at("pairs").at("train"), 20);
}

TEST_F(Load, ASourceThatIsNotThereIsSaid) {
  write("rows.jsonl", rows(10));
  const std::string columns =
      "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR'";
  const std::string yaml = "name: small\nsources:\n" + source("rows", "classification", columns) +
                           source("more", "classification", columns) + "steps: [pairs]\n";
  const Outcome outcome = curate_with(0.01, yaml);
  EXPECT_EQ(outcome.funnel.at("sources")[1].at("not_present"), "data not present: more.jsonl");
  std::filesystem::remove(data() / "rows.jsonl");
  EXPECT_NE(error_of([&] { curate_with(0.01, yaml); }).find("no source's files"),
            std::string::npos);
}

TEST_F(Load, TheBetterResponseIsNotAlwaysFirst) {
  std::vector<Json> pairs;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    pairs.push_back({{"id", n},
                     {"input", "Which " + n},
                     {"response_a", "good"},
                     {"response_b", "bad"},
                     {"label", "A"}});
  }
  write_rows("rows.jsonl", pairs);
  curate::Recipe recipe =
      curate::parse_recipe(Curation::recipe("  - pairs\n", "pairwise",
                                            "id: 'VARCHAR', input: 'VARCHAR', response_a: "
                                            "'VARCHAR', response_b: 'VARCHAR', label: 'VARCHAR'",
                                            "    better_first: true\n"),
                           "small.yaml");
  curate::Resources with = resources(recipe);
  int first = 0;
  for (const Json& pair : curate(recipe, with).pairs) {
    const std::string prompt = pair.at("prompt").back().at("content");
    const bool good_first = prompt.find("good") < prompt.find("bad");
    EXPECT_EQ(pair.at("label"), good_first ? "A" : "B");
    first += good_first;
  }
  EXPECT_GT(first, 30);
  EXPECT_LT(first, 70);
}

}  // namespace
}  // namespace selene::testing
