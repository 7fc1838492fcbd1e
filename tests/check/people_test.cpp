#include "check/people.h"

#include <gtest/gtest.h>

#include "check/failing.h"
#include "temporary_folder.h"

namespace selene::check {
namespace {

class Labels : public ::testing::Test {
 protected:
  Labels()
      : checks_(parse_checks("checks:\n  - {name: n, criteria: c}\n  - {name: p, json: true}\n",
                             "c.yaml")) {
    answers_.name = "a.csv";
    answers_.answers = {{.id = "1", .fields = {}}};
  }
  PeopleLabels read(const std::string& rows) {
    return read_labels(folder_.file("l.jsonl", rows), checks_, answers_).labels;
  }
  std::string error(const std::string& rows) {
    return testing::error_of([&] { read(rows); }).substr(folder_.path().string().size() + 1);
  }

  testing::TemporaryFolder folder_;
  ChecksFile checks_;
  Answers answers_;
};

TEST_F(Labels, TheLastOneCounts) {
  const PeopleLabels labels = read(R"({"id": 1, "check": "n", "label": "No"}
{"id": "1", "check": "n", "label": "Yes"}
)");
  EXPECT_EQ(labels, (PeopleLabels{{{"1", "n"}, "Yes"}}));
}

TEST_F(Labels, OfAnAnswerThatHasChangedDoNotCount) {
  const std::string given = nlohmann::ordered_json{{"id", "1"},
                                                   {"check", "n"},
                                                   {"label", "Yes"},
                                                   {"answer", answer_digest(answers_.answers[0])}}
                                .dump();
  EXPECT_EQ(read(given).size(), 1U);
  answers_.answers[0].fields = {{"input", "i"}, {"response", "another"}};
  const auto path = folder_.file("l.jsonl", given);
  EXPECT_TRUE(read_labels(path, checks_, answers_).labels.empty());
  EXPECT_EQ(read_labels(path, checks_, answers_).stale, 1U);
  // Labelled again.
  EXPECT_EQ(read(given + "\n" + R"({"id": 1, "check": "n", "label": "No"})").size(), 1U);
}

TEST_F(Labels, OfOtherWorkAreRefused) {
  EXPECT_EQ(error(R"({"id": 2, "check": "n", "label": "No"})"),
            "l.jsonl:1: no answer has the id '2'; these labels are of other answers than a.csv");
  EXPECT_EQ(error(R"({"id": 1, "check": "p", "label": "No"})"),
            "l.jsonl:1: no judged check is named 'p'");
  EXPECT_EQ(error(R"({"id": 1, "check": "n", "label": "Maybe"})"),
            "l.jsonl:1: the label 'Maybe' is none of Yes, No");
  EXPECT_EQ(
      error(R"({"id": 1, "check": "n"})"),
      "l.jsonl:1: the field 'label' is missing; rows are {\"id\": …, \"check\": …, \"label\": …}");
}

}  // namespace
}  // namespace selene::check
