#include "check/promptfoo.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "check/checks_file.h"
#include "check/promptfoo_text.h"
#include "check/yaml_json.h"
#include "core/error.h"
#include "temporary_folder.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;
using testing::message_of;

PromptfooImport import(const std::string& config, const PromptfooResults* results = nullptr) {
  return import_promptfoo({.config = config,
                           .name = "c.yaml",
                           .results = results,
                           .read = [](const std::filesystem::path& name) -> std::string {
                             if (name == "two.txt") return "One {{x}}\n---\nTwo {{x}}\n";
                             throw Error("cannot read: No such file or directory", name.string());
                           }});
}

std::string error_of(const std::string& config, const PromptfooResults* results = nullptr) {
  return message_of<Error>([&] { import(config, results); });
}

// A configuration of one test with x = "a b" and these assertions.
std::string with_assertions(const std::string& assertions) {
  return "prompts: ['Say {{x}}']\nproviders: [openai:gpt-4.1]\ntests:\n"
         "  - vars: {x: a b}\n    assert:\n" +
         assertions;
}

// The one check that an assertion becomes, without its name.
std::string check_of(const std::string& assertion) {
  const PromptfooImport made = import(with_assertions("      - " + assertion + "\n"));
  if (made.check_count != 1) return made.dropped.empty() ? "" : made.dropped[0];
  const std::string& text = made.checks;
  const size_t start = text.find('\n', text.find("- name:")) + 1;
  const size_t end = text.find("\n# Not carried");
  std::string body = text.substr(start, end == std::string::npos ? end : end - start);
  for (size_t at = body.find("    "); at != std::string::npos; at = body.find("    "))
    body.erase(at, 4);
  return body;
}

TEST(Promptfoo, MakesARowForEachTestAndPrompt) {
  const PromptfooImport made = import(
      "prompts:\n  - 'Say {{x}}'\n  - {id: loud, raw: 'Shout {{ x }}!'}\n"
      "tests:\n"
      "  - vars: {x: hi, input: 7}\n    assert: [{type: contains, value: hi}]\n"
      "  - vars: {x: ho}\n    prompts: [loud]\n");
  ASSERT_EQ(made.answers.size(), 3U);
  EXPECT_EQ(
      made.answers[0].dump(),
      R"({"id":"test-1/prompt-1","test":1,"prompt":1,"x":"hi","var_input":7,"input":"Say hi"})");
  EXPECT_EQ(made.answers[1]["input"], "Shout hi!");
  EXPECT_EQ(made.answers[2]["id"], "test-2/prompt-2");
  EXPECT_EQ(made.unanswered(), 3U);
  EXPECT_EQ(
      made.checks,
      "# Imported from c.yaml.\n# The variable 'input' is the field 'var_input'.\nchecks:\n"
      "  - name: \"test 1: contains 'hi'\"\n    when: {test: [\"1\"]}\n    contains: \"hi\"\n");
  EXPECT_TRUE(made.dropped.empty());
}

TEST(Promptfoo, ExpandsListsOfTextsTheLastTurningFastest) {
  const PromptfooImport made = import(
      "prompts: ['{{a}} {{b}} {{n}}']\n"
      "tests:\n  - vars: {a: [x, y], b: ['1', '2'], n: [3, 4]}\n"
      "    assert: [{type: contains, value: z}, {type: contains, value: '{{a}}-'},\n"
      "             {type: contains, value: '{{b}}'}]\n"
      "  - vars: {a: [x, y]}\n    options: {disableVarExpansion: true}\n");
  ASSERT_EQ(made.answers.size(), 5U);
  EXPECT_EQ(made.answers[1]["input"], "x 2 [3,4]");
  EXPECT_EQ(made.answers[2]["input"], "y 1 [3,4]");
  EXPECT_EQ(made.answers[4]["input"], "[\"x\",\"y\"]  ");
  EXPECT_NE(
      made.checks.find("\"tests 1 to 4: contains 'z'\"\n    when: {test: [\"1\", \"2\", \"3\", "
                       "\"4\"]}"),
      std::string::npos)
      << made.checks;
  EXPECT_NE(made.checks.find("\"tests 1 to 2: contains '{{a}}-'\"\n    when: {test: [\"1\", "
                             "\"2\"]}\n    contains: \"x-\""),
            std::string::npos);
  EXPECT_NE(made.checks.find("contains: {field: \"b\"}"), std::string::npos);
}

TEST(Promptfoo, TurnsAssertionsIntoChecks) {
  EXPECT_EQ(check_of("{type: equals, value: 5}"), "equals: \"5\"\n");
  EXPECT_EQ(check_of("{type: contains, value: '{{x}}'}"), "contains: {field: \"x\"}\n");
  EXPECT_EQ(check_of("{type: contains, value: '<{{ x }}>', weight: 2}"),
            "weight: 2\ncontains: \"<a b>\"\n");
  EXPECT_EQ(check_of("{type: icontains, value: A}"), "contains: \"A\"\nignore_case: true\n");
  EXPECT_EQ(check_of("{type: contains-all, value: [a, '{{x}}']}"),
            "contains: [\"a\", {field: \"x\"}]\n");
  EXPECT_EQ(check_of("{type: icontains-any, value: 'a, \"b, c\" '}"),
            "contains_any: [\"a\", \"b, c\"]\nignore_case: true\n");
  EXPECT_EQ(check_of("{type: not-contains-any, value: [a, b]}"), "not_contains: [\"a\", \"b\"]\n");
  EXPECT_EQ(check_of("{type: not-icontains, value: a}"),
            "not_contains: \"a\"\nignore_case: true\n");
  EXPECT_EQ(check_of("{type: starts-with, value: a}"), "starts_with: \"a\"\n");
  EXPECT_EQ(check_of("{type: regex, value: '^a.b$'}"), "regex: \"(?-s)^a.b$\"\n");
  EXPECT_EQ(check_of("{type: not-regex, value: '[0-9]'}"), "not_regex: \"[0-9]\"\n");
  EXPECT_EQ(check_of("{type: not-equals, value: 'a+'}"),
            "not_regex: \"\\\\A\\\\s*a\\\\+\\\\s*\\\\z\"\n");
  EXPECT_EQ(check_of("{type: is-json}"), "json: true\n");
  EXPECT_EQ(check_of("{type: is-json, value: {type: object, required: [a]}}"),
            "json_schema: {\"type\":\"object\",\"required\":[\"a\"]}\n");
  EXPECT_EQ(check_of("{type: is-json, value: '{\"type\": \"array\"}'}"),
            "json_schema: {\"type\":\"array\"}\n");
  EXPECT_EQ(check_of("{type: word-count, value: 5}"),
            "length: {min: \"5\", max: \"5\", unit: words}\n");
  EXPECT_EQ(check_of("{type: word-count, value: {max: 9}}"), "length: {max: 9, unit: words}\n");
  EXPECT_EQ(check_of("{type: llm-rubric, value: 'Speaks of {{x}}'}"),
            "task: classification\ncriteria: \"Does the response meet this rubric?\\nSpeaks of a "
            "b\"\n");
  EXPECT_EQ(check_of("{type: not-llm-rubric, value: rude}"),
            "task: classification\ncriteria: \"Does the response meet this rubric?\\nrude\"\npass: "
            "[No]\n");
  EXPECT_EQ(check_of("{type: model-graded-closedqa, value: is short}"),
            "task: classification\ncriteria: \"Does the response meet this criterion?\\nis "
            "short\"\n");
  EXPECT_NE(check_of("{type: factuality, value: Paris}").find("as none contradicts it:\\nParis"),
            std::string::npos);
  EXPECT_EQ(
      check_of("{type: answer-relevance}"),
      "task: classification\ncriteria: \"Is the response relevant to what the input asks?\"\n");
}

TEST(Promptfoo, NamesWhatDoesNotCarryOver) {
  const auto dropped = [](const std::string& assertion) { return check_of(assertion); };
  EXPECT_EQ(dropped("{type: javascript, value: 1}"),
            "c.yaml:6: javascript: there is no such check");
  EXPECT_EQ(dropped("{type: not-similar, value: a}"),
            "c.yaml:6: not-similar: there is no such check");
  EXPECT_EQ(dropped("{type: assert-set, assert: []}"),
            "c.yaml:6: assert-set: there is no such check");
  EXPECT_EQ(dropped("{type: contains, value: a, transform: output.trim()}"),
            "c.yaml:6: contains: it has 'transform'");
  EXPECT_EQ(dropped("{type: contains, value: a, weight: 0}"),
            "c.yaml:6: contains: weight 0, a figure that decides nothing");
  EXPECT_EQ(dropped("{type: contains, value: 'file://a.txt'}"),
            "c.yaml:6: contains: its value is in a file");
  EXPECT_EQ(dropped("{type: contains, value: '{{x | upper}}'}"),
            "c.yaml:6: contains: its value uses more than plain {{variables}}");
  EXPECT_EQ(dropped("{type: contains, value: '{{y}}'}"),
            "c.yaml:6: contains: it uses the variable 'y', which is not set");
  EXPECT_EQ(dropped("{type: contains, value: ''}"), "c.yaml:6: contains: its value is empty");
  EXPECT_EQ(dropped("{type: contains-any, value: []}"),
            "c.yaml:6: contains-any: its list is empty");
  EXPECT_EQ(dropped("{type: contains}"), "c.yaml:6: contains: it has no value");
  EXPECT_EQ(dropped("{type: equals, value: {a: 1}}"), "c.yaml:6: equals: its value is no text");
  EXPECT_EQ(dropped("{type: is-json, value: {type: thing}}"),
            "c.yaml:6: is-json: this is no JSON schema: the type \"thing\" is none of array, "
            "boolean, integer, null, number, object, string");
  EXPECT_EQ(dropped("{type: word-count, value: many}"),
            "c.yaml:6: word-count: the key 'min' must be a whole number");
  EXPECT_NE(dropped("{type: regex, value: 'a(?=b)'}").find("does not compile"), std::string::npos);

  const PromptfooImport made = import(
      "prompts: ['{{x}}', file://p.json, '{% if x %}{% endif %}']\n"
      "scenarios: []\n"
      "tests:\n"
      "  - vars: {x: a}\n    threshold: 0.5\n    options: {transform: output}\n"
      "    assert:\n      - {type: llm-rubric, value: a, threshold: 0.8, provider: openai:o3}\n"
      "  - file://more.csv\n"
      "  - vars: {}\n");
  EXPECT_EQ(
      made.dropped,
      (std::vector<std::string>{
          "c.yaml:1: prompt 1: the variable 'x', which test 2 does not set, is left empty",
          "c.yaml:1: prompt 2: only text files (.txt) beside the configuration are read",
          "c.yaml:1: prompt 3: it uses more than plain {{variables}}", "c.yaml:2: 'scenarios'",
          "c.yaml:6: options.transform: answers are taken as they are",
          "c.yaml:8: llm-rubric: its threshold; the check is passed or not",
          "c.yaml:8: llm-rubric: its provider; the judge is the one of selene check --judge",
          "c.yaml:9: tests from a file or a program",
          "c.yaml:10: threshold: the tests have different ones; every check must pass"}));
  EXPECT_NE(made.checks.find("\n# Not carried over:\n#   c.yaml:1: prompt 1"), std::string::npos);
}

TEST(Promptfoo, SaysOfAGraderOnceThatTheJudgeIsAnother) {
  EXPECT_EQ(import("prompts: '{{x}}'\n"
                   "defaultTest: {options: {provider: openai:o3}}\n"
                   "tests:\n"
                   "  - {vars: {x: a}, assert: [{type: contains, value: a}]}\n"
                   "  - {vars: {x: b}, assert: [{type: contains, value: b}]}\n")
                .dropped,
            std::vector<std::string>{"c.yaml:2: options.provider: the judge is asked in its own "
                                     "way; another one: --judge"});
}

TEST(Promptfoo, TakesOverTheDefaultTestAndItsThreshold) {
  const PromptfooImport made = import(
      "prompts: '{{x}}{{y}}'\n"
      "defaultTest:\n  vars: {y: '!'}\n  threshold: 0.5\n"
      "  assert: [{type: contains, value: a, metric: tone}]\n"
      "tests:\n  - vars: {x: a}\n  - vars: {x: b}\n");
  EXPECT_EQ(made.answers[1]["input"], "b!");
  EXPECT_EQ(made.checks,
            "# Imported from c.yaml.\nthreshold: 0.5\nchecks:\n"
            "  - name: \"tone: contains 'a'\"\n    contains: \"a\"\n");
  const PromptfooImport partly = import(
      "prompts: '{{x}}'\ndefaultTest: {assert: [{type: contains, value: a}]}\n"
      "tests:\n  - vars: {x: a}\n  - vars: {x: b}\n    options: {disableDefaultAsserts: true}\n");
  EXPECT_NE(partly.checks.find("\"test 1: contains 'a'\"\n    when: {test: [\"1\"]}"),
            std::string::npos)
      << partly.checks;
}

TEST(Promptfoo, GivesEachCheckItsOwnName) {
  const PromptfooImport made = import(
      with_assertions("      - {type: contains, value: a}\n      - {type: contains, value: a}\n"));
  EXPECT_EQ(parse_checks(made.checks, "checks.yaml").checks[1].name, "contains 'a' (2)");
}

TEST(Promptfoo, TakesAnswersFromTheTestOrTheEcho) {
  const std::string tests =
      "tests:\n  - {vars: {x: a}, providerOutput: {b: 1}}\n  - {vars: {x: a}}\n";
  const PromptfooImport own = import("prompts: ['{{x}}']\n" + tests);
  EXPECT_EQ(own.answers[0]["response"], "{\"b\":1}");
  EXPECT_FALSE(own.answers[1].contains("response"));
  const PromptfooImport echo = import("prompts: ['<{{x}}>']\nproviders: [{id: echo}]\n" + tests);
  EXPECT_EQ(echo.answers[1]["response"], "<a>");
}

TEST(Promptfoo, ReadsTextFilesOfPromptsAndNothingElse) {
  const PromptfooImport made = import("prompts: [file://two.txt]\ntests: [{vars: {x: a}}]\n");
  ASSERT_EQ(made.answers.size(), 2U);
  EXPECT_EQ(made.answers[1]["input"], "Two a");
  for (const char* name : {"file://../a.txt", "file:///etc/a.txt", "file://*.txt", "prompt.py"}) {
    EXPECT_EQ(
        error_of(std::string("prompts: ['") + name + "']\ntests: [{vars: {x: a}}]\n"),
        "c.yaml:1: no prompt can be rendered: only text files (.txt) beside the configuration "
        "are read; give --results, which has the prompts as they were sent");
  }
  EXPECT_EQ(error_of("prompts: [file://no.txt]\ntests: [{vars: {x: a}}]\n"),
            "c.yaml:1: the prompt 'no.txt': cannot read: No such file or directory");
}

PromptfooResults results_of(const std::string& rows, const std::string& provider = "") {
  return read_promptfoo_results(
      R"({"results":{"version":3,"prompts":[{"raw":"A {{x}}"},{"raw":"B {{x}}"}],"results":[)" +
          rows + "]}}",
      "r.json", provider);
}

TEST(PromptfooResults, FillTheAnswers) {
  const PromptfooResults results = results_of(
      R"({"testIdx":0,"promptIdx":1,"provider":{"id":"p"},"prompt":{"raw":"B a"},"vars":{"x":"a"},
          "response":{"output":{"k":[1]}}},
         {"testIdx":0,"promptIdx":0,"provider":{"id":"p"},"prompt":{"raw":"A a"},"vars":{"x":"a"},
          "error":"too many requests"})");
  const PromptfooImport made =
      import("prompts: ['A {{x}}', 'B {{x}}']\ntests: [{vars: {x: a}}]\n", &results);
  ASSERT_EQ(made.answers.size(), 2U);
  EXPECT_EQ(made.answers[1].dump(),
            R"({"id":"test-1/prompt-2","test":1,"prompt":2,"provider":"p","x":"a","input":"B a",)"
            R"("response":"{\"k\":[1]}"})");
  EXPECT_FALSE(made.answers[0].contains("response"));
  EXPECT_EQ(made.dropped[0], "c.yaml:1: test-1/prompt-1: no output in r.json: too many requests");
}

TEST(PromptfooResults, GivePromptsThatWeCannotRender) {
  const PromptfooResults results = read_promptfoo_results(
      R"({"results":[{"testIdx":0,"promptIdx":0,"provider":"p","prompt":{"raw":"as sent"},
          "vars":{"x":"a"},"response":{"output":"fine"}}]})",
      "r.json", "");
  const PromptfooImport made =
      import("prompts: ['{{x|upper}}']\ntests: [{vars: {x: a}}]\n", &results);
  EXPECT_EQ(made.answers[0]["input"], "as sent");
  EXPECT_TRUE(made.dropped.empty());
}

TEST(PromptfooResults, OfAnotherConfigurationAreRefused) {
  const std::string row =
      R"({"testIdx":1,"promptIdx":0,"provider":{"id":"p"},"vars":{"x":"a"},"response":{"output":"k"}})";
  const PromptfooResults results = results_of(row);
  EXPECT_EQ(
      error_of("prompts: ['A {{x}}']\ntests: [{vars: {x: a}}]\n", &results),
      "r.json: these are results of another configuration, or repeated ones: they have a test "
      "2, the configuration has 1; run promptfoo eval again, without --repeat");
  EXPECT_EQ(error_of("prompts: ['A {{x}}']\ntests: [{vars: {x: a}}, {vars: {x: b}}]\n", &results),
            "r.json: these are results of another configuration: test 2 has another 'x'; run "
            "promptfoo eval again");
  EXPECT_EQ(error_of("prompts: ['C {{x}}']\ntests: [{vars: {x: a}}, {vars: {x: a}}]\n", &results),
            "r.json: these are results of another configuration: none of its prompts is the one of "
            "promptIdx 0; run promptfoo eval again");
  EXPECT_EQ(
      error_of("prompts: ['A {{x}}']\ntests: [file://a.csv, {vars: {x: a}}]\n", &results),
      "c.yaml:2: --results cannot be used: these tests are not known, and results are found by "
      "the number of their test; write the tests in the configuration");
}

TEST(PromptfooResults, OfSeveralProvidersNeedAChoice) {
  const std::string rows =
      R"({"testIdx":0,"promptIdx":0,"provider":{"id":"p","label":"small"},"response":{"output":"s"}},
         {"testIdx":0,"promptIdx":1,"provider":{"id":"q"},"response":{"output":"l"}})";
  EXPECT_EQ(message_of<Error>([&] { results_of(rows); }),
            "r.json: it has results of 2 providers: small, q; choose one with --provider ID");
  EXPECT_EQ(message_of<Error>([&] { results_of(rows, "r"); }),
            "r.json: there is no provider 'r' in it; there are small, q");
  EXPECT_EQ(results_of(rows, "p").results[0].output, "s");
  EXPECT_EQ(results_of(rows, "q").results[0].column, 1U);
}

TEST(PromptfooResults, RefuseWhatIsNoSuchFile) {
  const auto message = [](const std::string& text) {
    return message_of<Error>([&] { read_promptfoo_results(text, "r.json", ""); });
  };
  EXPECT_EQ(message("{"), "r.json: not JSON; give what promptfoo eval -o results.json wrote");
  EXPECT_EQ(message("[1]"),
            "r.json: there is no list 'results' in it; give what promptfoo eval -o results.json "
            "wrote");
  EXPECT_EQ(message(R"({"results":[]})"), "r.json: it has no results");
  EXPECT_EQ(message(R"({"results":[{"promptIdx":0}]})"),
            "r.json, results[0]: a result without 'testIdx'; give what promptfoo eval -o "
            "results.json of a recent version wrote");
  EXPECT_EQ(message(std::string(5000, '[') + std::string(5000, ']')),
            "r.json: JSON nested too deep");
}

TEST(Promptfoo, RefusesWhatIsNoConfiguration) {
  EXPECT_EQ(error_of("a"), "c.yaml: a promptfoo configuration is a map with prompts and tests");
  EXPECT_NE(error_of("prompts: [").find("c.yaml: not YAML"), std::string::npos);
  EXPECT_EQ(error_of("tests: []"), "c.yaml: there are no prompts; give a list 'prompts'");
  EXPECT_EQ(error_of("prompts: []\ntests: []"), "c.yaml:1: there are no prompts");
  EXPECT_EQ(error_of("prompts: [a]"), "c.yaml: there are no tests; give a list 'tests'");
  EXPECT_EQ(error_of("prompts: [a]\ntests: []"),
            "c.yaml:2: there are no tests that can be read; write their vars");
  EXPECT_EQ(error_of("prompts: [a]\ntests: file://t.csv"),
            "c.yaml:2: the tests are not in this file; write them under 'tests', or give a config "
            "that has them");
  EXPECT_EQ(error_of("prompts: [a]\ntests: [[1]]"), "c.yaml:2: a test must be a map");
  EXPECT_EQ(error_of("prompts: ['']\ntests: [{}]"), "c.yaml:1: a prompt is empty");
  EXPECT_EQ(error_of("prompts: [{label: x}]\ntests: [{}]"), "c.yaml:1: a prompt without 'raw'");
  EXPECT_EQ(error_of("prompts: ['{{x.y}}']\ntests: [{}]"),
            "c.yaml:1: no prompt can be rendered: it uses more than plain {{variables}}; give "
            "--results, which has the prompts as they were sent");
  EXPECT_EQ(error_of(with_assertions("      - {type: containz, value: a}\n")),
            "c.yaml:6: unknown assertion type 'containz'; did you mean 'contains'?");
  EXPECT_EQ(error_of(with_assertions("      - {value: a}\n")),
            "c.yaml:6: an assertion without a type; give it a 'type'");
  EXPECT_EQ(error_of(with_assertions("      - a\n")), "c.yaml:6: an assertion must be a map");
  EXPECT_EQ(error_of("prompts: [a]\ntests:\n  - assert: {type: x}\n"),
            "c.yaml:3: 'assert' must be a list");
}

TEST(Promptfoo, RefusesAHostileConfiguration) {
  const auto with_vars = [](const std::string& head, const std::string& vars) {
    return head + "prompts: ['{{x}}']\ntests:\n  - vars:\n" + vars;
  };
  EXPECT_NE(error_of(with_vars("", "      x: " + std::string(5000, '[') + "\n")).find("not YAML"),
            std::string::npos);
  EXPECT_EQ(
      error_of(with_vars("", "      x: " + std::string(70, '[') + std::string(70, ']') + "\n")),
      "c.yaml:4: nested too deep");
  EXPECT_EQ(error_of(with_vars("", "      x: &a [*a]\n")), "c.yaml:4: nested too deep");

  std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) aliases += "*a" + std::to_string(i - 1) + ", ";
    aliases += "x]\n";
  }
  EXPECT_NE(
      error_of(with_vars(aliases, "      x: *a8\n")).find("a value of more than 100000 parts"),
      std::string::npos);

  std::string doubling = "      x0: '0123456789'\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "{{x" + std::to_string(i - 1) + "}}";
    doubling += "      x" + std::to_string(i) + ": '" + before + before + "'\n";
  }
  EXPECT_EQ(error_of(with_vars("", doubling)),
            "c.yaml:3: a text of more than 1 MB, with its variables filled in");

  std::string lists;
  for (const char* name : {"a", "b", "c", "d", "x"}) {
    lists += std::string("      ") + name + ": [";
    for (int i = 0; i < 30; ++i) lists += "v" + std::to_string(i) + ", ";
    lists += "v]\n";
  }
  EXPECT_EQ(error_of(with_vars("", lists)), "c.yaml:3: a test of more than 100000 combinations");
}

TEST(PlainTemplate, IsTextAndVariablesOnly) {
  EXPECT_EQ(PlainTemplate::parse("a {{ b }}{{c}} {d}")->render({{"b", 1}, {"c", "x"}}), "a 1x {d}");
  for (const char* more : {"{{a.b}}", "{{a|b}}", "{{ 'a' }}", "{{-a-}}", "{% if a %}", "{# a #}",
                           "{{a", "{{}}", "{{true}}", "{{a b}}"})
    EXPECT_FALSE(PlainTemplate::parse(more)) << more;
}

TEST(SplitList, KeepsCommasInQuotes) {
  EXPECT_EQ(split_list(R"(a ,, "b, ""c"" \"d\"" , e f)"),
            (std::vector<std::string>{"a", R"(b, "c" "d")", "e f"}));
  EXPECT_FALSE(split_list("\"a"));
  EXPECT_FALSE(split_list("\"a\" b"));
}

TEST(YamlToJson, ReadsScalarsAsTheCoreSchema) {
  const auto json = [](const char* yaml) {
    return yaml_to_json(YAML::Load(yaml), "c.yaml").dump();
  };
  EXPECT_EQ(json("[1, 1.0, 1.5, '1', yes, True, ~, null, a, 1e999]"),
            R"([1,1,1.5,"1","yes",true,null,null,"a","1e999"])");
}

}  // namespace
}  // namespace selene::check
