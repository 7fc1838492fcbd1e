#include "check/checks_file.h"

#include <gtest/gtest.h>

#include "check/failing.h"

namespace selene::check {
namespace {

using testing::error_of;

ChecksFile parse(const std::string& yaml) { return parse_checks(yaml, "c.yaml"); }
std::string error(const std::string& yaml) {
  return error_of([&] { parse(yaml); });
}
// One check with these lines.
std::string one(const std::string& lines) { return "checks:\n  - name: n\n" + lines; }

TEST(ChecksFile, ReadsEverything) {
  const ChecksFile file = parse(R"(map: {input: question}
judge: default
mode: critique
template: classification
threshold: 0.5
gate: {min_pass_rate: 0.9, on: lower, max_drop: 0.03}
look: {margin: 0.2, counts_as: unknown}
checks:
  - name: polite
    weight: 2
    when: {channel: [email, chat], lang: en}
    min_pass_rate: 0.95
    max_drop: 0.1
    criteria: Is it polite?
    human: rating
  - name: tone
    task: absolute
    criteria: How friendly is it?
    rubric: {"1": rude, "2": kind}
    pass: score > 1.5
  - name: short
    of: summary
    length: {max: 10}
)");
  EXPECT_EQ(file.map, (ColumnMap{{"input", "question"}}));
  EXPECT_EQ(file.gate.min_pass_rate, 0.9);
  EXPECT_TRUE(file.gate.on_lower);
  EXPECT_EQ(file.gate.max_drop, 0.03);
  EXPECT_EQ(file.look.margin, 0.2);
  EXPECT_TRUE(file.look.counts_as_unknown);
  EXPECT_EQ(file.threshold, 0.5);
  ASSERT_EQ(file.checks.size(), 3U);
  EXPECT_EQ(file.judged(), 2U);
  EXPECT_EQ(file.checks[0].judged->pass_labels, std::vector<std::string>{"Yes"});
  EXPECT_EQ(file.checks[0].weight, 2);
  EXPECT_EQ(file.checks[0].min_pass_rate, 0.95);
  EXPECT_EQ(file.checks[0].max_drop, 0.1);
  EXPECT_EQ(file.checks[0].place, "c.yaml:9");
  EXPECT_EQ(file.checks[1].judged->labels, (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(file.checks[1].judged->above);
  EXPECT_EQ(file.checks[1].judged->pass_score, 1.5);
  EXPECT_EQ(file.checks[1].description(), "How friendly is it? (score > 1.5)");
  EXPECT_EQ(file.checks[2].of, "summary");
  EXPECT_EQ(file.checks[2].description(), "has at most 10 characters");
}

TEST(ChecksFile, AppliesWhereEveryFieldHasOneOfTheValues) {
  const Check check = parse(one("    json: true\n    when: {lang: [en, de], n: 3}\n")).checks[0];
  Answer answer;
  answer.fields = {{"lang", "de"}, {"n", 3}};
  EXPECT_TRUE(check.applies(answer));
  answer.fields["n"] = 4;
  EXPECT_FALSE(check.applies(answer));
  answer.fields.erase("n");
  EXPECT_FALSE(check.applies(answer));
}

TEST(ChecksFile, AppliesWhereAFieldIsThereOrIsNot) {
  const auto applies = [](const std::string& when, nlohmann::ordered_json fields) {
    Answer answer;
    answer.fields = std::move(fields);
    return parse(one("    json: true\n    when: " + when + "\n")).checks[0].applies(answer);
  };
  const std::string there = "{reference: {present: true}}";
  EXPECT_TRUE(applies(there, {{"reference", "x"}}));
  EXPECT_FALSE(applies(there, {{"reference", ""}}));
  EXPECT_FALSE(applies(there, nlohmann::ordered_json::object()));
  EXPECT_TRUE(applies("{reference: {present: false}}", {{"reference", ""}}));
  EXPECT_FALSE(applies("{reference: {present: true}, k: v}", {{"reference", "x"}}));
  EXPECT_TRUE(applies("{reference: present}", {{"reference", "present"}}));  // A value as any.
  EXPECT_EQ(error(one("    json: true\n    when: {a: {absent: true}}\n")),
            "c.yaml:4: unknown key 'absent'; known: present");
  EXPECT_EQ(error(one("    json: true\n    when: {a: {present: 7}}\n")),
            "c.yaml:4: the key 'present' must be true or false");
  Answers answers;
  answers.name = "a.csv";
  answers.columns = {"response"};
  EXPECT_EQ(error_of([&] {
              check_columns(parse(one("    json: true\n    when: " + there + "\n")), answers);
            }).substr(0, 50),
            "c.yaml:2: the answers have no field 'reference' (a");
}

TEST(ChecksFile, UnknownKeysNameTheKnown) {
  EXPECT_EQ(error("cheks: []\n"),
            "c.yaml:1: unknown key 'cheks'; known: map, judge, template, mode, threshold, gate, "
            "look, checks");
  EXPECT_EQ(error("gate: {min: 1}\nchecks: []\n"),
            "c.yaml:1: unknown key 'min'; known: min_pass_rate, on, max_drop");
  EXPECT_EQ(error(one("    contain: x\n")).substr(0, 38), "c.yaml:3: unknown key 'contain'; known");
  EXPECT_EQ(error("- a\n"), "c.yaml: a checks file is a YAML map with the key 'checks'");
  EXPECT_EQ(error("judge: x\n"), "c.yaml: the key 'checks' is missing");
  EXPECT_EQ(error(one("    json: true\n") + "---\nchecks: []\n"),
            "c.yaml: 2 YAML documents in one file; keep one: the others would not be read");
}

TEST(ChecksFile, ImpossibleThresholdsAreRefused) {
  EXPECT_EQ(error("gate: {min_pass_rate: 90}\nchecks: []\n"),
            "c.yaml:1: 'min_pass_rate' must be from 0 to 1; for 90% write 0.9");
  EXPECT_EQ(error(one("    criteria: c\n    task: absolute\n    pass: score >= 6\n")),
            "c.yaml:5: no answer can pass: the score is at most 5");
  EXPECT_EQ(error(one("    criteria: c\n    task: absolute\n    pass: score >= 1\n")),
            "c.yaml:5: every answer would pass: the score is at least 1");
  EXPECT_EQ(error(one("    criteria: c\n    task: absolute\n    pass: score > 5\n")),
            "c.yaml:5: no answer can pass: the score is at most 5");
  EXPECT_EQ(error(one("    criteria: c\n    pass: [Yes, No]\n")),
            "c.yaml:4: every answer would pass: 'pass' names all labels");
  EXPECT_EQ(error("threshold: 0\nchecks: []\n"),
            "c.yaml:1: every answer would pass: 'threshold' is 0");
  EXPECT_EQ(error(one("    criteria: c\n    pass: []\n")),
            "c.yaml:4: no answer can pass: 'pass' is an empty list; name the labels that pass");
  EXPECT_EQ(error("judge: x\ngate: {min_pass_rate: 1, on: lower}\n" + one("    json: true\n")),
            "c.yaml:2: the lower end of an interval never reaches 1; ask for less than 1, or on "
            "the point");
  EXPECT_EQ(error("gate: {on: lower}\n" + one("    json: true\n    min_pass_rate: 1\n")),
            "c.yaml:3: the lower end of an interval never reaches 1; ask for less than 1, or on "
            "the point");
}

TEST(ChecksFile, PassNamesLabelsOrAScore) {
  EXPECT_EQ(error(one("    criteria: c\n    pass: Maybe\n")),
            "c.yaml:4: 'pass' names 'Maybe', which is none of the labels Yes, No; or write: pass: "
            "score >= 4");
  EXPECT_EQ(error(one("    criteria: c\n    pass: score >= 4\n")),
            "c.yaml:4: 'pass' asks for a score, and the label 'Yes' is no number; name the labels "
            "that pass: pass: [Yes]");
  EXPECT_EQ(error(one("    criteria: c\n    task: absolute\n")),
            "c.yaml:2: the key 'pass' is missing; say which labels pass, or from which score on: "
            "pass: score >= 4");
  EXPECT_EQ(error(one("    criteria: c\n    rubric: {Perhaps: x}\n    labels: [Yes, No]\n")),
            "c.yaml:2: the rubric describes 'Perhaps', which is none of the labels Yes, No");
}

TEST(ChecksFile, ACheckIsOfOneKind) {
  EXPECT_EQ(error(one("    json: true\n    contains: x\n")),
            "c.yaml:4: 'json' and 'contains' in one check; make them two checks");
  EXPECT_EQ(error(one("    json: true\n    criteria: x\n")),
            "c.yaml:4: 'criteria' is of a judged check, 'json' needs no judge; make them two "
            "checks, or leave it out");
  EXPECT_EQ(error(one("    weight: 1\n")).substr(0, 44),
            "c.yaml:2: the check 'n' checks nothing; give");
  EXPECT_EQ(error(one("    criteria: x\n    of: y\n")),
            "c.yaml:2: 'of' is of a check without a judge; leave it out");
  EXPECT_EQ(error(one("    criteria: x\n    task: pairwise\n")),
            "c.yaml:4: the task of a check is absolute or classification, not 'pairwise'; to "
            "compare two sets of answers: selene check --compare A B");
}

TEST(ChecksFile, NamesAreThereAndDiffer) {
  EXPECT_EQ(error("checks:\n  - json: true\n"), "c.yaml:2: a check without a name; name it");
  EXPECT_EQ(error(one("    json: true\n  - name: n\n    json: true\n")),
            "c.yaml:4: two checks named 'n'");
  EXPECT_EQ(error("checks: {n: {json: true}}\n"),
            "c.yaml:1: 'checks' must be a list of at least one check; did you mean a list with '- "
            "name: …' entries?");
}

TEST(ChecksFile, ColumnsThatAreNotThereNameTheNearest) {
  Answers answers;
  answers.name = "a.csv";
  answers.columns = {"question", "response"};
  const auto columns_error = [&](const std::string& yaml) {
    return error_of([&] { check_columns(parse(yaml), answers); });
  };
  EXPECT_EQ(columns_error(one("    criteria: c\n")),
            "c.yaml:2: the answers have no field 'input' (a.csv has question, response); map a "
            "column to it: --map input=COLUMN");
  EXPECT_EQ(columns_error(one("    json: true\n    of: respnse\n")),
            "c.yaml:2: the answers have no field 'respnse' (a.csv has question, response); did you "
            "mean 'response'? Or map it: --map respnse=response");
  EXPECT_EQ(columns_error(one("    json: true\n    when: {chanel: x}\n")).substr(0, 47),
            "c.yaml:2: the answers have no field 'chanel' (a");
}

TEST(ChecksFile, EveryFieldThatACheckReadsIsLookedFor) {
  Answers answers;
  answers.name = "a.csv";
  answers.columns = {"response", "city"};
  answers.map = {{"response", "answer"}};
  const auto columns_error = [&](const std::string& lines) {
    return error_of([&] { check_columns(parse(one(lines)), answers); });
  };
  EXPECT_EQ(columns_error("    json: true\n    of: answer\n"),
            "c.yaml:2: the column 'answer' is called 'response' here; write 'response': the map "
            "says so");
  for (const char* lines : {"    contains: [x, {field: cit}]\n", "    equals: {field: cit}\n",
                            "    similarity: {to: cit, at_least: 0.5}\n"})
    EXPECT_EQ(columns_error(lines),
              "c.yaml:2: the answers have no field 'cit' (a.csv has response, city); did you mean "
              "'city'? Or map it: --map cit=city")
        << lines;
}

TEST(ChecksFile, NamesOfTheReportsAreReserved) {
  EXPECT_EQ(error("checks:\n  - {name: overall, json: true}\n"),
            "c.yaml:2: 'overall' is a name of the reports' own; name the check otherwise");
}

TEST(ChecksFile, AWrongModeNamesItsLine) {
  EXPECT_EQ(error(one("    criteria: c\n    mode: fast\n")).substr(0, 9), "c.yaml:4:");
}

TEST(ChecksFile, PeoplesLabelsStandInTheNamedColumnOrTheChecksOwn) {
  Answers answers;
  const ChecksFile two =
      parse("checks:\n  - {name: a, criteria: c}\n  - {name: b, criteria: c, human: r}\n");
  answers.columns = {"label", "label.a"};
  EXPECT_EQ(human_column(two, two.checks[0], answers), "label.a");
  EXPECT_EQ(human_column(two, two.checks[1], answers), "r");
  answers.columns = {"label"};
  EXPECT_EQ(human_column(two, two.checks[0], answers), "");
  const ChecksFile single =
      parse("checks:\n  - {name: a, criteria: c}\n  - {name: b, json: true}\n");
  EXPECT_EQ(human_column(single, single.checks[0], answers), "label");
}

}  // namespace
}  // namespace selene::check
