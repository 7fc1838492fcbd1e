#include "bench/spec.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "small_benchmark.h"

namespace selene::bench {
namespace {

using selene::testing::message_of;

TEST(Spec, EveryBenchmarkOfTheProgramIsRead) {
  EXPECT_GE(spec_names().size(), 18u);
  for (const std::string& name : spec_names()) {
    const Spec spec = load_spec(name);
    EXPECT_EQ(spec.name, name);
    EXPECT_FALSE(spec.known.empty()) << name;
    EXPECT_FALSE(spec.licence.empty()) << name;
  }
}

TEST(Spec, ElevenAreInThePapersAverages) {
  std::map<std::string, int> tasks;
  for (const std::string& name : spec_names()) ++tasks[load_spec(name).average];
  EXPECT_EQ(tasks["absolute"], 3);
  EXPECT_EQ(tasks["classification"], 2);
  EXPECT_EQ(tasks["pairwise"], 6);
}

// Each published figure stands beside the one benchmark that is read as it was; one whose reading
// is not known stands beside none, and is named with each that it may be of.
TEST(Spec, EveryPublishedColumnIsOfOneBenchmark) {
  std::multiset<std::string> columns;
  for (const std::string& name : spec_names()) {
    const Spec spec = load_spec(name);
    EXPECT_TRUE(is_builtin(spec)) << name;
    if (!spec.column.empty()) columns.insert(spec.column);
  }
  const auto published =
      nlohmann::json::parse(read_file(SELENE_SOURCE_DIR "/benchmarks/published.json"));
  for (const auto& row : published.at("rows")) {
    for (const auto& [column, value] : row.at("values").items()) {
      const size_t benchmarks = columns.count(column.substr(0, column.find('/')));
      if (row.contains("reading")) {
        EXPECT_GE(benchmarks, 1u) << column;
      } else {
        EXPECT_EQ(benchmarks, 1u) << column;
      }
    }
  }
  EXPECT_FALSE(is_builtin(small_spec()));
}

TEST(Spec, ASmallOneHasItsDefaults) {
  const Spec spec = small_spec();
  EXPECT_EQ(spec.labels, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(spec.overall, Overall::Items);
  EXPECT_EQ(spec.unreadable, Unreadable::Wrong);
  EXPECT_EQ(spec.convention, Convention::Mean);
  EXPECT_EQ(spec.order, "both");
  EXPECT_FALSE(spec.items.has_value());
}

TEST(Spec, RefusesWhatCannotBe) {
  const auto refusal = [](const std::string& more) {
    return message_of<Error>([&] { small_spec(more); });
  };
  EXPECT_EQ(refusal("orders: both\n").substr(0, 48),
            "small.yaml:11: unknown key 'orders'; known: name");
  EXPECT_EQ(refusal("order: three\n"),
            "small.yaml:11: 'order' must be one of one, both, not 'three'");
  EXPECT_EQ(refusal("overall: sections\n"),
            "small.yaml: 'overall: sections' and 'sections' come together");
  EXPECT_EQ(refusal("sections: {s: {g: 1}, t: {g: 2}}\noverall: sections\n"),
            "small.yaml:11: the group 'g' is in two sections");
  EXPECT_EQ(refusal("sections: {s: {g: 0}}\noverall: sections\n"),
            "small.yaml:11: the weight of 'g' must be above 0");
  EXPECT_EQ(refusal("positive: C\n"), "small.yaml: 'positive' must be one of two labels");
  EXPECT_EQ(refusal("items: 0\n"), "small.yaml:11: 'items' must be above 0");
  EXPECT_EQ(refusal("labels: [A, C]\n").substr(0, 11), "small.yaml:");
}

TEST(Spec, RefusesFilesOutsideOfTheDataFolder) {
  for (const char* file : {"../secret", "/etc/passwd", "a/../../b"}) {
    std::string yaml = kSmallYaml;
    yaml.replace(yaml.find("rows.jsonl"), 10, file);
    EXPECT_EQ(message_of<Error>([&] { parse_spec(yaml, "s.yaml"); }),
              "s.yaml:5: '" + std::string(file) + "' is no file below the data folder");
  }
}

TEST(Spec, AnUnknownMetricNamesTheKnownOnes) {
  std::string yaml = kSmallYaml;
  yaml.replace(yaml.find("metric: accuracy"), 16, "metric: accurate");
  EXPECT_EQ(message_of<Error>([&] { parse_spec(yaml, "s.yaml"); }),
            "s.yaml: unknown metric 'accurate'; known: accuracy, pearson");
}

TEST(Spec, ACorrelationNeedsLabelsThatAreNumbers) {
  std::string yaml = kSmallYaml;
  yaml.replace(yaml.find("metric: accuracy"), 16, "metric: pearson");
  EXPECT_EQ(message_of<Error>([&] { parse_spec(yaml, "s.yaml"); }),
            "s.yaml: the metric 'pearson' needs labels that are numbers");
}

TEST(Spec, AnUnknownBenchmarkNamesTheKnownOnes) {
  const std::string said = message_of<Error>([] { load_spec("rewardbensch"); });
  EXPECT_NE(said.find("there is no benchmark 'rewardbensch'"), std::string::npos) << said;
  EXPECT_NE(said.find("rewardbench,"), std::string::npos) << said;
}

}  // namespace
}  // namespace selene::bench
