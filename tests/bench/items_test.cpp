#include "bench/items.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/digest.h"
#include "core/error.h"
#include "small_benchmark.h"
#include "table/table.h"

namespace selene::bench {
namespace {

using selene::testing::message_of;
using selene::testing::TemporaryFolder;

class Items : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
  }

  std::vector<data::Sample> read(const Spec& spec, std::uint64_t seed = 0) const {
    ItemReader reader(spec, spec.source, folder_.path(), seed);
    std::vector<data::Sample> samples;
    for (data::Sample sample; reader.next(sample);) samples.push_back(sample);
    return samples;
  }
  ItemSet choose(const Spec& spec, const Choice& choice = {}) const {
    return choose_items(spec, spec.source, folder_.path(), choice);
  }

  TemporaryFolder folder_;
};

TEST_F(Items, AreSamplesWithTheirTruthBesideThem) {
  folder_.file("rows.jsonl", kSmallRows);
  const std::vector<data::Sample> samples = read(small_spec());
  ASSERT_EQ(samples.size(), 6u);
  size_t swapped = 0;
  for (const data::Sample& sample : samples) {
    const auto& about = sample.extra.at("bench");
    const bool swap = about.at("swapped").get<bool>();
    swapped += swap;
    EXPECT_EQ(about.at("truth"), swap ? "B" : "A");
    EXPECT_FALSE(sample.label.has_value());
    EXPECT_EQ(sample.criteria, "Which is better?");
  }
  EXPECT_GT(swapped, 0u);
  EXPECT_LT(swapped, 6u);
  const auto& first = samples[0].extra.at("bench");
  const bool swap = first.at("swapped").get<bool>();
  EXPECT_EQ(samples[0].response_a, swap ? "3" : "2, of course");
  EXPECT_EQ(first.at("lengths"),
            (swap ? nlohmann::ordered_json{1, 12} : nlohmann::ordered_json{12, 1}));
  EXPECT_EQ(first.at("group"), "sums");
}

TEST_F(Items, TheSideDependsOnSeedAndIdAlone) {
  folder_.file("rows.jsonl", kSmallRows);
  const auto sides = [&](std::uint64_t seed) {
    std::map<std::string, bool> all;
    for (const data::Sample& sample : read(small_spec(), seed))
      all[sample.id] = sample.extra.at("bench").at("swapped").get<bool>();
    return all;
  };
  const auto before = sides(0);
  EXPECT_NE(before, sides(3));
  // The same rows backwards.
  std::string reversed;
  for (size_t end = kSmallRows.size(); end > 0;) {
    const size_t begin = kSmallRows.rfind('\n', end - 2);
    reversed += kSmallRows.substr(begin + 1, end - begin - 1);
    end = begin == std::string::npos ? 0 : begin + 1;
  }
  folder_.file("rows.jsonl", reversed);
  EXPECT_EQ(before, sides(0));
}

TEST_F(Items, ALimitIsSpreadOverTheGroups) {
  folder_.file("rows.jsonl", kSmallRows);
  const Spec spec = small_spec();
  const ItemSet all = choose(spec);
  EXPECT_EQ(all.count, 6u);
  const ItemSet some = choose(spec, {.limit = 4});
  EXPECT_EQ(some.count, 4u);
  EXPECT_EQ(some.total, 6u);
  EXPECT_EQ(some.chosen[0] + some.chosen[1] + some.chosen[2], 2);
  EXPECT_EQ(choose(spec, {.limit = 4}).chosen, some.chosen);
  EXPECT_NE(some.digest, all.digest);
  EXPECT_EQ(choose(spec, {.limit = 1}).count, 1u);
  EXPECT_EQ(choose(spec, {.limit = 60}).digest, all.digest);
  std::set<std::vector<bool>> choices;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    choices.insert(choose(spec, {.limit = 2, .seed = seed}).chosen);
  EXPECT_GT(choices.size(), 3u);
}

TEST_F(Items, RefusesARepeatedId) {
  folder_.file("rows.jsonl", kSmallRows + kSmallRows.substr(0, kSmallRows.find('\n') + 1));
  EXPECT_EQ(message_of<Error>([&] { choose(small_spec()); }),
            "small.yaml, row 7: the id 'a' stands twice; make ids unique in the select");
}

TEST_F(Items, RefusesAnotherNumberThanTheBenchmarkHas) {
  folder_.file("rows.jsonl", kSmallRows);
  EXPECT_EQ(message_of<Error>([&] { choose(small_spec("items: 7\n")); }),
            "small.yaml: the select gives 6 items, the benchmark has 7");
}

TEST_F(Items, OfSectionsAreAllInOneAndEachGroupHasSome) {
  folder_.file("rows.jsonl", kSmallRows);
  const auto said = [&](const std::string& sections) {
    return message_of<Error>(
        [&] { choose(small_spec("overall: sections\nsections: " + sections + "\n")); });
  };
  EXPECT_EQ(said("{s: {sums: 1, places: 1}}"), "");
  EXPECT_EQ(said("{s: {sums: 1, place: 1}}"),
            "small.yaml: the section 's' has the group 'place', of which there is no item");
  EXPECT_EQ(said("{s: {sums: 1}}"),
            "small.yaml: the group 'places' is in no section; overall: sections is of groups that "
            "are in one");
}

TEST_F(Items, RefusesAnEmptySelect) {
  folder_.file("rows.jsonl", kSmallRows);
  std::string yaml = kSmallYaml;
  yaml.replace(yaml.find("'newline_delimited')"), 20, "'newline_delimited') WHERE id = 'z'");
  const Spec spec = parse_spec(yaml, "small.yaml");
  EXPECT_EQ(message_of<Error>([&] { choose(spec); }), "small.yaml: the select gives no items");
}

TEST_F(Items, RefusesAMissingColumnAndATruthOutsideOfTheLabels) {
  folder_.file("rows.jsonl",
               "{\"id\": 1, \"input\": \"I\", \"response_a\": \"a\", \"label\": \"A\"}\n");
  EXPECT_EQ(message_of<Error>([&] { choose(small_spec()); }),
            "small.yaml: the select gives no column 'response_b'; it gives id, input, response_a, "
            "label");
  folder_.file("rows.jsonl",
               "{\"id\": 1, \"input\": \"I\", \"response_a\": \"a\", \"response_b\": \"b\", "
               "\"label\": \"C\"}\n");
  const std::string said = message_of<Error>([&] { choose(small_spec()); });
  EXPECT_EQ(said, "small.yaml, row 1: the field 'label' is 'C', not one of the labels A, B");
}

TEST_F(Items, ATruthOfACorrelationIsANumber) {
  std::string yaml = kSmallYaml;
  yaml.replace(yaml.find("task: pairwise"), 14, "task: absolute");
  yaml.replace(yaml.find("better_first: true\n"), 19, "");
  yaml.replace(yaml.find("metric: accuracy"), 16, "metric: pearson");
  const Spec spec = parse_spec(yaml, "small.yaml");
  folder_.file("rows.jsonl",
               "{\"id\": 1, \"input\": \"I\", \"response\": \"a\", \"label\": 3.5}\n");
  EXPECT_EQ(read(spec)[0].extra.at("bench").at("truth"), 3.5);
  folder_.file("rows.jsonl",
               "{\"id\": 1, \"input\": \"I\", \"response\": \"a\", \"label\": \"good\"}\n");
  EXPECT_EQ(message_of<Error>([&] { read(spec); }),
            "small.yaml, row 1: the column 'label' must hold numbers, not \"good\"");
}

TEST_F(Items, KnowHowFarTheirAnnotatorsAgree) {
  const std::string start =
      R"({"id": 1, "input": "I", "response_a": "a", "response_b": "b", "label": "A", "annotations": )";
  const auto agreement = [&](const std::string& annotations) {
    folder_.file("rows.jsonl", start + annotations + "}\n");
    return read(small_spec())[0].extra.at("bench").value("annotator_agreement", -1.0);
  };
  EXPECT_EQ(agreement(R"(["A", "A"])"), 1);
  EXPECT_EQ(agreement(R"(["A", "B"])"), 0);
  // Three pairs of annotators, of which one agrees.
  EXPECT_DOUBLE_EQ(agreement(R"(["A", "B", "A"])"), 1.0 / 3);
  EXPECT_EQ(agreement(R"(["A", null])"), -1);
  EXPECT_EQ(agreement("null"), -1);
  EXPECT_EQ(message_of<Error>([&] { agreement(R"(["A", "C"])"); }),
            "small.yaml, row 1: the column 'annotations' holds \"C\", which is none of the labels "
            "A, B");
  EXPECT_EQ(message_of<Error>([&] { agreement(R"("A")"); }),
            "small.yaml, row 1: the column 'annotations' must hold lists of labels");
}

TEST_F(Items, SaysWhatIsMissingAndWhatIsOfAnotherRevision) {
  const std::string wanted(64, 'a');
  std::string yaml = kSmallYaml;
  yaml.replace(yaml.find("{file: rows.jsonl}"), 18, "{file: rows.jsonl, sha256: " + wanted + "}");
  const Spec spec = parse_spec(yaml, "small.yaml");
  std::string reason;
  EXPECT_EQ(present_selection(spec, folder_.path(), reason), nullptr);
  EXPECT_EQ(reason, "data not present: rows.jsonl");
  folder_.file("rows.jsonl", kSmallRows);
  EXPECT_EQ(present_selection(spec, folder_.path(), reason), &spec.source);
  EXPECT_EQ(revision_warnings(spec.source, folder_.path()),
            std::vector<std::string>{"rows.jsonl is of another revision: its SHA-256 is " +
                                     sha256(kSmallRows) + ", the benchmark's " + wanted});
}

}  // namespace
}  // namespace selene::bench
