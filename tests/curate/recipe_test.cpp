#include "curate/recipe.h"

#include "curate/step.h"
#include "curation.h"

namespace selene::testing {
namespace {

class Recipe : public Curation {
 protected:
  static std::string error(const std::string& yaml) {
    return error_of([&] { curate::parse_recipe(yaml, "r.yaml"); });
  }
  static void expect(const std::string& yaml, const std::string& part) {
    const std::string said = error(yaml);
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
};

TEST_F(Recipe, UnknownStepsAndKeysAreNamedWithTheirLine) {
  expect(recipe("  - polish\n  - pairs\n"),
         "r.yaml:15: unknown step 'polish'; known: clean, length");
  expect(recipe("  - length: {max_token: 3}\n  - pairs\n"),
         "unknown key 'max_token'; known: max_tokens");
  expect(recipe("  - pairs\n") + "stops: {}\n", "unknown key 'stops'; known: name, title");
  expect(recipe("  - pairs\n", "classification", "id: 'VARCHAR'", "    colour: red\n"),
         "unknown key 'colour'");
}

TEST_F(Recipe, WhatIsMissingIsSaid) {
  expect("name: x\n", "the key 'sources' is missing");
  expect(recipe("  - clean\n"), "a recipe needs the step 'pairs'");
  expect(recipe("  - pairs\n  - clean\n"), "the step 'clean' is for rows: it comes before 'pairs'");
  expect(recipe("  - reward: {scorer: judge}\n  - pairs\n"), "the step 'reward' is for pairs");
  expect(recipe("  - clean\n  - clean\n  - pairs\n"), "the step 'clean' stands twice");
  expect(recipe("  - language\n  - pairs\n"), "'language' needs 'keep'");
  const std::string columns = "id: 'VARCHAR'";
  expect("name: x\nsources:\n" + source("a", "absolute", columns) +
             source("a", "absolute", columns) + "steps: [pairs]\n",
         "two sources have the name 'a'");
}

TEST_F(Recipe, NumbersOutsideOfTheirRange) {
  expect(recipe("  - agreement: {least: 2}\n  - pairs\n"), "a share above 0 and at most 1");
  expect(recipe("  - pairs: {verdict_only: 1.5}\n"), "'verdict_only' must be from 0 to 1");
  expect(recipe("  - pairs\nsplit: {validation: 0.6, test: 0.5}\n"), "leave nothing for training");
  expect(recipe("  - pairs\nmix: {task: {absolute: 0.5, pairwise: 0.6}}\n"),
         "add up to 1.1, not 1");
  expect(recipe("  - pairs\nmix: {weights: {rows: 2}}\n"), "'weights' share out 'size'");
  expect(recipe("  - near_duplicates: {similarity: 0}\n  - pairs\n"),
         "'similarity' must be above 0");
}

TEST_F(Recipe, EveryStepHasHelpAndAMaker) {
  for (const curate::StepKind& kind : curate::step_kinds()) {
    EXPECT_FALSE(kind.help.empty()) << kind.name;
    EXPECT_NE(kind.make, nullptr) << kind.name;
  }
}

TEST_F(Recipe, ThoseOfTheProjectAreWhole) {
  size_t count = 0;
  const std::filesystem::path folder = std::filesystem::path(SELENE_SOURCE_DIR) / "recipes";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const curate::Recipe recipe = curate::load_recipe(entry.path());
    for (const curate::Source& source : recipe.sources) {
      EXPECT_FALSE(source.licence.empty()) << source.name;
      if (entry.path().parent_path().filename() == "examples") continue;
      for (const data::SourceFile& file : source.source.files)
        EXPECT_TRUE(file.address.starts_with("https://")) << recipe.name << " " << source.name;
    }
  }
  EXPECT_GE(count, 3U);
}

TEST_F(Recipe, WhatGoesByAJudgeNeedsOneBeforeIt) {
  const std::string part =
      "'rejected: probable' of 'pairs' goes by the verdicts of a judge, and no step 'judge' comes "
      "before it";
  expect(recipe("  - pairs: {rejected: probable}\n"), "r.yaml:15: " + part);
  EXPECT_EQ(error(recipe("  - judge\n  - pairs: {rejected: probable}\n")), "no error");
  expect(
      recipe("  - critiques: {rejected: probable}\n  - judge\n  - pairs: {rejected: probable}\n"),
      "'rejected: probable' of 'critiques' goes by");
  expect(recipe("  - critiques: {rejected: probable}\n  - pairs\n"), "'critiques' goes by");
}

}  // namespace
}  // namespace selene::testing
