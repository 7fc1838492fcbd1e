#include "data/sample.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/jsonl.h"
#include "temporary_folder.h"

namespace selene::data {
namespace {

using testing::message_of;
using Strings = std::vector<std::string>;
using Json = nlohmann::ordered_json;

Sample read(const std::string& text, size_t line = 7) {
  return sample_from_json(parse_object(text), line);
}

// A right row of each task, with one field set (or, by the text "absent", taken away).
Json right_row(const std::string& task) {
  Json row = {{"task", task}, {"input", "2+2?"}};
  if (task == "pairwise") {
    row["response_a"] = "4";
    row["response_b"] = "5";
  } else {
    row["response"] = "4";
  }
  return row;
}

std::string error_with(const std::string& task, const std::string& field, const Json& value) {
  Json row = right_row(task);
  row[field] = value;
  return message_of<Error>([&] { sample_from_json(row, 1); });
}

std::string error_without(const std::string& task, const std::string& field) {
  Json row = right_row(task);
  row.erase(field);
  return message_of<Error>([&] { sample_from_json(row, 1); });
}

TEST(Sample, ReadsAnAbsoluteRow) {
  const Sample sample =
      read(R"({"id": "q1", "task": "absolute", "input": "2+2?", "context": "maths", "response": "4",
      "reference": "four", "criteria": "Is it right?", "rubric": {"1": "no", "5": "yes"}, "label": 5, "group": "easy"})");
  EXPECT_EQ(sample.id, "q1");
  EXPECT_FALSE(sample.id_is_integer);
  EXPECT_EQ(sample.task, Task::Absolute);
  EXPECT_EQ(sample.input, "2+2?");
  EXPECT_EQ(sample.context, "maths");
  EXPECT_EQ(sample.response, "4");
  EXPECT_EQ(sample.reference, "four");
  EXPECT_EQ(sample.criteria, "Is it right?");
  EXPECT_EQ(sample.labels, (Strings{"1", "2", "3", "4", "5"}));
  ASSERT_EQ(sample.rubric.size(), 2u);
  EXPECT_EQ(sample.rubric[1], (std::pair<std::string, std::string>{"5", "yes"}));
  EXPECT_EQ(sample.label, "5");
  EXPECT_EQ(sample.group, "easy");
  EXPECT_TRUE(sample.extra.empty());
}

TEST(Sample, ReadsTheLeastOfEachTask) {
  EXPECT_EQ(read(R"({"task": "classification", "input": "", "response": ""})").labels,
            (Strings{"Yes", "No"}));
  const Sample pair =
      read(R"({"task": "pairwise", "input": "x", "response_a": "1", "response_b": "2"})");
  EXPECT_EQ(pair.labels, (Strings{"A", "B"}));
  EXPECT_EQ(pair.response_a, "1");
  EXPECT_EQ(pair.response_b, "2");
  EXPECT_FALSE(pair.context || pair.reference || pair.criteria || pair.label || pair.group);
}

TEST(Sample, TheLineNumberIsTheIdOfARowWithoutOne) {
  const Sample sample = read(R"({"task": "absolute", "input": "", "response": ""})", 12);
  EXPECT_EQ(sample.id, "12");
  EXPECT_TRUE(sample.id_is_integer);
}

TEST(Sample, AnIntegerIdStaysOne) {
  const Sample sample = read(R"({"id": -3, "task": "absolute", "input": "", "response": ""})");
  EXPECT_EQ(sample.id, "-3");
  EXPECT_TRUE(sample.id_is_integer);
}

TEST(Sample, ANumberIsReadAsItsShortestDecimal) {
  const Sample sample = read(
      R"({"task": "absolute", "input": "", "response": "", "labels": [0, 0.50, 1.0, 1e2, -2, "3.0"],
      "label": 1.0})");
  EXPECT_EQ(sample.labels, (Strings{"0", "0.5", "1", "100", "-2", "3.0"}));
  EXPECT_EQ(sample.label, "1");
}

TEST(Sample, NullIsAsGoodAsAbsent) {
  const Sample sample =
      read(R"({"id": null, "task": "absolute", "input": "", "response": "", "response_a": null,
      "criteria": null, "labels": null, "rubric": null, "examples": null, "label": null, "group": null})",
           4);
  EXPECT_EQ(sample.id, "4");
  EXPECT_FALSE(sample.criteria);
  EXPECT_EQ(sample.labels.size(), 5u);
  EXPECT_FALSE(sample.label);
  EXPECT_TRUE(sample.extra.empty());
}

TEST(Sample, OtherFieldsTravelThroughInOrder) {
  const Sample sample = read(
      R"({"zeta": [1, {"x": null}], "task": "absolute", "input": "", "response": "", "alpha": null})");
  EXPECT_EQ(sample.extra.dump(), R"({"zeta":[1,{"x":null}],"alpha":null})");
}

TEST(Sample, ReadsExamples) {
  const Sample sample =
      read(R"({"task": "pairwise", "input": "x", "response_a": "1", "response_b": "2", "examples": [
      {"input": "i", "context": "c", "response_a": "a", "response_b": "b", "reference": "r", "critique": "why", "label": "B"},
      {"input": "i2", "response_a": "a", "response_b": "b", "label": "A"}]})");
  ASSERT_EQ(sample.examples.size(), 2u);
  EXPECT_EQ(sample.examples[0].context, "c");
  EXPECT_EQ(sample.examples[0].response_b, "b");
  EXPECT_EQ(sample.examples[0].reference, "r");
  EXPECT_EQ(sample.examples[0].critique, "why");
  EXPECT_EQ(sample.examples[0].label, "B");
  EXPECT_EQ(sample.examples[1].critique, "");
  EXPECT_EQ(read(R"({"task": "absolute", "input": "", "response": "", "examples": [
      {"input": "i", "response": "r", "label": 3}]})")
                .examples[0]
                .label,
            "3");
}

TEST(Sample, SaysWhichFieldIsMissing) {
  EXPECT_EQ(error_without("absolute", "task"),
            "the field 'task' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error_without("absolute", "input"),
            "the field 'input' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error_without("absolute", "response"),
            "the field 'response' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error_without("pairwise", "response_a"),
            "the field 'response_a' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error_without("pairwise", "response_b"),
            "the field 'response_b' is missing; add it (docs/formats.md, Sample)");
}

TEST(Sample, SaysWhichFieldHasTheWrongType) {
  for (const char* field :
       {"task", "input", "context", "response", "reference", "criteria", "group"}) {
    EXPECT_EQ(error_with("absolute", field, 17),
              std::string("the field '") + field + "' must be a string, this is number: 17");
    EXPECT_EQ(error_with("absolute", field, Json::array({"x"})),
              std::string("the field '") + field + "' must be a string, this is array: [\"x\"]");
  }
  for (const char* field : {"response_a", "response_b"}) {
    EXPECT_EQ(error_with("pairwise", field, true),
              std::string("the field '") + field + "' must be a string, this is boolean: true");
  }
  EXPECT_EQ(error_with("absolute", "id", 1.5),
            "the field 'id' must be a string or an integer, this is number: 1.5");
  EXPECT_EQ(error_with("absolute", "id", Json::object()),
            "the field 'id' must be a string or an integer, this is object: {}");
  EXPECT_EQ(error_with("absolute", "id", ""), "the field 'id' is empty");
  EXPECT_EQ(error_with("absolute", "label", true),
            "the field 'label' must be a string or a number, this is boolean: true");
  EXPECT_EQ(error_with("absolute", "labels", "1,2"),
            "the field 'labels' must be a list, this is string: \"1,2\"");
  EXPECT_EQ(error_with("absolute", "labels", {"1", false}),
            "the field 'labels[1]' must be a string or a number, this is boolean: false");
  EXPECT_EQ(
      error_with("absolute", "rubric", "good"),
      "the field 'rubric' must be an object of label and description, this is string: \"good\"");
  EXPECT_EQ(error_with("absolute", "rubric", {{"1", 2}}),
            "the field 'rubric' must be an object of strings, this is object: {\"1\":2}");
  EXPECT_EQ(error_with("absolute", "examples", "none"),
            "the field 'examples' must be a list of objects, this is string: \"none\"");
  EXPECT_EQ(error_with("absolute", "examples", Json::array({1})),
            "the field 'examples' must be a list of objects, this is number: 1");
}

TEST(Sample, AWrongValueIsShownShortAndHarmless) {
  const std::string message =
      error_with("absolute", "input", Json::array({std::string(500, 'x') + "\x1b"}));
  EXPECT_LT(message.size(), 150u);
  EXPECT_EQ(error_with("absolute", "task", "\x1b[2J"),
            "unknown task '\xEF\xBF\xBD[2J'; known: absolute, classification, pairwise");
}

TEST(Sample, AnUnknownTaskListsTheKnownOnes) {
  EXPECT_EQ(error_with("absolute", "task", "Absolute"),
            "unknown task 'Absolute'; known: absolute, classification, pairwise");
  for (const char* name : {"absolute", "classification", "pairwise"})
    EXPECT_EQ(task_name(task_from_name(name)), name);
}

TEST(Sample, TheResponsesFitTheTask) {
  EXPECT_EQ(error_with("pairwise", "response", "x"),
            "a pairwise row has 'response_a' and 'response_b', this one has 'response'");
  EXPECT_EQ(error_with("absolute", "response_a", "x"),
            "only a pairwise row has 'response_a', this task is absolute");
  EXPECT_EQ(error_with("classification", "response_b", "x"),
            "only a pairwise row has 'response_b', this task is classification");
}

TEST(Sample, RefusesLabelsThatCannotBeScored) {
  EXPECT_EQ(error_with("absolute", "labels", Json::array()),
            "'labels' has 0 labels, a verdict needs at least two");
  EXPECT_EQ(error_with("absolute", "labels", Json::array({"1"})),
            "'labels' has 1 label, a verdict needs at least two");
  EXPECT_EQ(error_with("absolute", "labels", {"1", 1}), "the label '1' stands twice in 'labels'");
  EXPECT_EQ(error_with("absolute", "labels", {"1", ""}), "a label is empty");
  EXPECT_EQ(error_with("absolute", "labels", {"1", "  "}), "a label is empty");
  EXPECT_EQ(error_with("absolute", "labels", {"1", " 2"}),
            R"(the label " 2" has white space at an end or a line break)");
  EXPECT_EQ(error_with("absolute", "labels", {"1", "a\nb"}),
            R"(the label "a\nb" has white space at an end or a line break)");
  EXPECT_EQ(error_with("absolute", "labels", {"1", std::string(257, 'x')}),
            "a label is longer than 256 bytes: " + std::string(59, 'x') + "…");
  Json many = Json::array();
  for (int i = 0; i < 257; ++i) many.push_back(i);
  EXPECT_EQ(error_with("absolute", "labels", many),
            "'labels' has 257 labels, at most 256 can be scored");
  EXPECT_EQ(error_with("pairwise", "labels", {"A", "C"}),
            "the labels of the task pairwise must hold A and B, these are A, C");
  EXPECT_EQ(error_with("pairwise", "labels", {"A", "B", "Tie"}), "");
}

TEST(Sample, RefusesARubricOfAnotherLabel) {
  EXPECT_EQ(error_with("absolute", "rubric", {{"6", "superb"}}),
            "the rubric describes '6', which is not one of the labels 1, 2, 3, 4, 5");
}

TEST(Sample, RefusesAKnownLabelThatIsNone) {
  EXPECT_EQ(error_with("absolute", "label", 9),
            "the field 'label' is '9', not one of the labels 1, 2, 3, 4, 5");
  EXPECT_EQ(error_with("pairwise", "label", "Tie"),
            "the field 'label' is 'Tie', not one of the labels A, B");
  EXPECT_EQ(error_with("absolute", "label", 5), "");
}

TEST(Sample, RefusesWrongExamples) {
  const auto error = [](Json example) {
    return error_with("absolute", "examples", Json::array({std::move(example)}));
  };
  EXPECT_EQ(error({{"response", "r"}, {"label", "1"}}),
            "the field 'examples[0].input' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error({{"input", "i"}, {"label", "1"}}),
            "the field 'examples[0].response' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error({{"input", "i"}, {"response", "r"}}),
            "the field 'examples[0].label' is missing; add it (docs/formats.md, Sample)");
  EXPECT_EQ(error({{"input", "i"}, {"response", "r"}, {"label", "6"}}),
            "examples[0].label is '6', not one of the labels 1, 2, 3, 4, 5");
  EXPECT_EQ(error({{"input", "i"}, {"response", "r"}, {"label", "1"}, {"critic", "x"}}),
            "unknown field 'examples[0].critic'");
  EXPECT_EQ(error({{"input", 1}, {"response", "r"}, {"label", "1"}}),
            "the field 'examples[0].input' must be a string, this is number: 1");
}

TEST(Sample, SwappingTwiceIsTheSameSample) {
  const Sample sample =
      read(R"({"id": "p", "task": "pairwise", "input": "x", "response_a": "1", "response_b": "2",
      "labels": ["A", "B", "Tie"], "rubric": {"A": "first", "B": "second", "Tie": "both"}, "label": "B",
      "examples": [{"input": "i", "response_a": "a", "response_b": "b", "label": "A"},
                   {"input": "i", "response_a": "a", "response_b": "b", "label": "Tie"}]})");
  const Sample other = swapped(sample);
  EXPECT_EQ(other.response_a, "2");
  EXPECT_EQ(other.response_b, "1");
  EXPECT_EQ(other.label, "A");
  EXPECT_EQ(other.labels, sample.labels);
  EXPECT_EQ(other.rubric[0], (std::pair<std::string, std::string>{"B", "first"}));
  EXPECT_EQ(other.rubric[2], sample.rubric[2]);
  EXPECT_EQ(other.examples[0].response_a, "b");
  EXPECT_EQ(other.examples[0].label, "B");
  EXPECT_EQ(other.examples[1].label, "Tie");

  const Sample again = swapped(other);
  EXPECT_EQ(again.response_a, sample.response_a);
  EXPECT_EQ(again.label, sample.label);
  EXPECT_EQ(again.rubric, sample.rubric);
  EXPECT_EQ(again.examples[0].response_a, sample.examples[0].response_a);
  EXPECT_EQ(again.examples[0].label, sample.examples[0].label);
}

TEST(Sample, OnlyAPairCanBeSwapped) {
  EXPECT_THROW(swapped(read(R"({"task": "absolute", "input": "", "response": ""})")),
               std::logic_error);
}

TEST(Sample, LabelsOtherThanAAndBAreTheirOwnMirror) {
  EXPECT_EQ(swapped_label("A"), "B");
  EXPECT_EQ(swapped_label("B"), "A");
  EXPECT_EQ(swapped_label("Tie"), "Tie");
}

}  // namespace
}  // namespace selene::data
