#include "curate/funnel.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "small_curation.h"

namespace selene::curate {
namespace {

using testing::Json;
using testing::message_of;
using testing::small_funnel;
using testing::TemporaryFolder;

constexpr const char* kRemedy =
    "; the file was changed by hand or is damaged: run `selene curate` again";

std::string refusal(const Json& json) {
  return message_of<Error>([&] { funnel_from_json(json); });
}

TEST(Funnel, ReadsWhatTheFileSays) {
  const Funnel funnel = funnel_from_json(small_funnel());
  EXPECT_EQ(funnel.title, "A small mix");
  EXPECT_EQ(funnel.seed, 7u);
  ASSERT_EQ(funnel.sources.size(), 3u);
  EXPECT_EQ(funnel.sources[0].files[0].sha256, "ab12");
  EXPECT_EQ(funnel.sources[2].not_present, "gone.json is not in the data folder");
  ASSERT_EQ(funnel.steps.size(), 7u);
  EXPECT_EQ(funnel.steps[2].total().dropped.at("13 words of a benchmark"), 185u);
  EXPECT_EQ(leaving(funnel.steps[4].total()), 2095u);
  EXPECT_EQ(funnel.overlaps->checked, 1630u);
  EXPECT_EQ(funnel.benchmarks[1].items, 1000u);
  EXPECT_FALSE(funnel.benchmarks[2].items);
  ASSERT_EQ(funnel.critiques.size(), 1u);
  EXPECT_EQ(funnel.critiques[0].for_wrong->fell[3],
            (std::pair<std::string, std::uint64_t>("another verdict", 65)));
  ASSERT_EQ(funnel.scores.size(), 1u);
  EXPECT_EQ(funnel.scores[0].after.rejected[3], 15u);
  EXPECT_EQ(funnel.labels[1].second[1].second, 780u);
  EXPECT_EQ(funnel.by.size(), 3u);
}

TEST(Funnel, OtherFactsAreThoseThatAreNeitherCritiquesNorScores) {
  const Funnel funnel = funnel_from_json(small_funnel());
  using Facts = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(other_facts(funnel.steps[3]), (Facts{{"teacher", "small.gguf"}}));
  EXPECT_EQ(other_facts(funnel.steps[5]), (Facts{{"scorer", "judge"}}));
  EXPECT_EQ(other_facts(funnel.steps[6]),
            (Facts{{"weight of creak", "0.5"}, {"caps", R"({"creak":1560})"}}));
}

TEST(Funnel, RefusesRowsOfAStepThatDoNotAddUp) {
  Json json = small_funnel();
  json["steps"][2]["sources"]["creak"]["dropped"]["near copy of an item"] = 9;
  EXPECT_EQ(
      refusal(json),
      std::string("the rows of creak do not add up in the step contamination: 1,190 in, 1,000 "
                  "out, 189 dropped") +
          kRemedy);
}

TEST(Funnel, RefusesRowsThatGetLostBetweenSteps) {
  Json json = small_funnel();
  json["steps"][4]["sources"]["saf"]["made"] = 94;
  EXPECT_EQ(refusal(json),
            std::string("94 rows of saf leave the step pairs and 95 enter reward") + kRemedy);
  json = small_funnel();
  json["steps"][1]["sources"].erase("saf");
  EXPECT_EQ(refusal(json),
            std::string("100 rows of saf leave the step load and 0 enter clean") + kRemedy);
}

TEST(Funnel, RefusesOtherRowsAtTheEnds) {
  Json json = small_funnel();
  json["sources"][1]["rows"] = 101;
  EXPECT_EQ(refusal(json), std::string("saf has 101 rows and 100 enter the first step") + kRemedy);
  json = small_funnel();
  json["sources"][1]["pairs"]["test"] = 1;
  EXPECT_EQ(refusal(json),
            std::string("70 rows of saf leave the last step and it has 71 pairs") + kRemedy);
  json = small_funnel();
  json["pairs"]["test"] = 81;
  EXPECT_EQ(refusal(json),
            std::string("the pairs of the sources are not those of the splits") + kRemedy);
  json = small_funnel();
  json["sources"].erase(1);
  EXPECT_EQ(refusal(json),
            std::string("the step load has rows of saf, which is no source") + kRemedy);
  json = small_funnel();
  json["steps"] = Json::array();
  EXPECT_EQ(refusal(json), std::string("it has no steps") + kRemedy);
}

TEST(Funnel, RefusesADistributionThatIsNone) {
  Json json = small_funnel();
  json["steps"][5]["facts"]["after"]["chosen"] = {1, 2, 3};
  EXPECT_EQ(refusal(json),
            std::string("a distribution of scores has not one number a bin") + kRemedy);
  json = small_funnel();
  json["steps"][5]["facts"]["bins"][1] = 0.0;
  EXPECT_EQ(refusal(json),
            std::string("the bins of a distribution of scores do not rise") + kRemedy);
}

TEST(Funnel, NamesTheFileThatIsNone) {
  const TemporaryFolder folder;
  EXPECT_EQ(
      message_of<Error>([&] { read_funnel(folder.path()); }),
      folder.path().string() +
          ": this is no folder of a finished curation: it has no funnel.json; give the --out of "
          "`selene curate`; an unfinished run goes on with the same command");
  folder.file("funnel.json", R"({"recipe": 1})");
  const std::string failure = message_of<Error>([&] { read_funnel(folder.path()); });
  EXPECT_EQ(failure.find((folder / "funnel.json").string() + ": this is no funnel of a curation: "),
            0u)
      << failure;
}

TEST(Funnel, CountsTheRowsThatABenchmarkHolds) {
  const TemporaryFolder folder;
  testing::write_small_curation(folder);
  const Funnel funnel = read_funnel(folder.path());
  EXPECT_EQ(funnel.benchmarks[0].dropped, 2u);  // Two of the three hits are of one row.
  EXPECT_EQ(funnel.benchmarks[1].dropped, 0u);
  EXPECT_FALSE(funnel.benchmarks[2].dropped);
  folder.file("contamination.jsonl", "{\"id\": 1, \"benchmark\": \"mt-bench\"}\n");
  const std::string failure = message_of<Error>([&] { read_funnel(folder.path()); });
  EXPECT_EQ(failure.find((folder / "contamination.jsonl").string() +
                         ":1: this is no row of a contamination list: "),
            0u)
      << failure;
}

TEST(Funnel, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Funnel, MostFirst) {
  const NamedNumbers expected = {{"c", 3}, {"a", 1}, {"b", 1}};
  EXPECT_EQ(most_first({{"a", 1}, {"b", 1}, {"c", 3}}), expected);
}

}  // namespace
}  // namespace selene::curate
