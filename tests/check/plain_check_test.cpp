#include "check/plain_check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "check/failing.h"
#include "temporary_folder.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;
using testing::error_of;

std::unique_ptr<PlainCheck> make(const std::string& key, const std::string& yaml,
                                 bool ignore_case = false,
                                 const std::filesystem::path& folder = {}) {
  for (const PlainKind& kind : plain_kinds()) {
    if (kind.key == key)
      return kind.make(YAML::Load(yaml), {"f:1", kind.key, folder / "f", ignore_case});
  }
  throw std::logic_error("no kind " + key);
}

// The verdict and its reason: "+ …" passed, "- …" not.
std::string check(const std::string& key, const std::string& yaml, const std::string& text,
                  bool ignore_case = false, const Json& fields = Json::object()) {
  const PlainVerdict verdict = make(key, yaml, ignore_case)->evaluate(text, fields);
  return (verdict.passed ? "+ " : "- ") + verdict.reason;
}

TEST(PlainCheck, ContainsAllAnyOrNone) {
  EXPECT_EQ(check("contains", "[a, b]", "a b"), "+ contains 'a', 'b'");
  EXPECT_EQ(check("contains", "[a, x, y]", "a b"), "- does not contain 'x', 'y'");
  EXPECT_EQ(check("contains_any", "[x, b]", "a b"), "+ contains 'b'");
  EXPECT_EQ(check("contains_any", "[x, y]", "a b"), "- contains none of 'x', 'y'");
  EXPECT_EQ(check("not_contains", "x", "a b"), "+ does not contain 'x'");
  EXPECT_EQ(check("not_contains", "[x, b]", "a b"), "- contains 'b'");
}

TEST(PlainCheck, CaseMattersUnlessItIsToBeIgnored) {
  EXPECT_EQ(check("contains", "REFUND", "a refund").at(0), '-');
  EXPECT_EQ(check("contains", "REFUND", "a refund", true).at(0), '+');
  EXPECT_EQ(check("contains", "D\u00D3NDE", "d\u00F3nde", true).at(0), '+');
  EXPECT_EQ(check("contains", "a.c", "abc", true).at(0), '-');  // A text, not a pattern.
  EXPECT_EQ(check("equals", "YES", "yes", true).at(0), '+');
  EXPECT_EQ(check("regex", "^yes", "YES.", true).at(0), '+');
}

TEST(PlainCheck, AFieldOfTheAnswerCanBeTheText) {
  const Json fields = {{"city", "Paris"}, {"year", 1889}};
  EXPECT_EQ(check("contains", "{field: city}", "in Paris", false, fields), "+ contains 'Paris'");
  EXPECT_EQ(check("equals", "{field: year}", "1889", false, fields), "+ equals '1889'");
  EXPECT_EQ(error_of([&] { check("contains", "{field: town}", "x", false, fields); }),
            "the field 'town' is missing");
}

TEST(PlainCheck, RegexMatchesAnywhereAndAcrossLines) {
  EXPECT_EQ(check("regex", "'[0-9]{3}'", "call 555 now"), "+ matches /[0-9]{3}/ with '555'");
  EXPECT_EQ(check("regex", "a.*z", "a\nz").at(0), '+');
  EXPECT_EQ(check("not_regex", "'\\{\\{.*\\}\\}'", "Dear {{name}}"),
            "- matches /\\{\\{.*\\}\\}/ with '{{name}}'");
  EXPECT_EQ(error_of([] { make("regex", "'a(b'"); }),
            "f:1: the regular expression 'a(b' does not compile: missing ): a(b; the syntax is "
            "RE2's, without look-around and back-references");
}

TEST(PlainCheck, APatternThatIsSlowElsewhereIsNotHere) {
  EXPECT_EQ(check("regex", "'^(a+)+$'", std::string(50'000, 'a') + "!").at(0), '-');
}

TEST(PlainCheck, EqualsAndStartsWithLookPastWhiteSpaceAtTheEnds) {
  EXPECT_EQ(check("equals", "Yes", " Yes\n"), "+ equals 'Yes'");
  EXPECT_EQ(check("equals", "Yes", "Yes."), "- is not 'Yes'");
  EXPECT_EQ(check("starts_with", "Dear", "\nDear Ann"), "+ starts with 'Dear'");
  EXPECT_EQ(check("starts_with", "Dear", "Hi"), "- does not start with 'Dear'");
}

TEST(PlainCheck, LengthCountsCharactersOrWords) {
  EXPECT_EQ(check("length", "{max: 3}", "\u00E9t\u00E9"),
            "+ has 3 characters, wanted at most 3 characters");
  EXPECT_EQ(check("length", "{min: 2, max: 3, unit: words}", "one"),
            "- has 1 words, wanted 2 to 3 words");
  EXPECT_EQ(error_of([] { make("length", "{}"); }), "f:1: 'length' has neither min nor max");
  EXPECT_EQ(error_of([] { make("length", "{min: 5, max: 2}"); }),
            "f:1: 'length' has min 5 above max 2");
  EXPECT_EQ(error_of([] { make("length", "{max: 1, unit: bytes}"); }),
            "f:1: unknown unit 'bytes'; known: characters, words");
}

TEST(PlainCheck, JsonIsTheWholeAnswer) {
  EXPECT_EQ(check("json", "true", "{\"a\": 1}"), "+ is JSON");
  EXPECT_EQ(check("json", "true", "Here: {}"), "- is not JSON");
  EXPECT_EQ(check("json", "true", "```json\n{}\n```"), "- is not JSON: it stands in a code fence");
}

TEST(PlainCheck, JsonSchemaSaysWhereItIsWrong) {
  const std::string schema =
      R"({type: object, required: [name], properties: {age: {type: integer, minimum: 0},
                                 name: {type: string, enum: ["1", "2"]}}})";
  EXPECT_EQ(check("json_schema", schema, R"({"name": "1", "age": 3})").at(0), '+');
  EXPECT_NE(check("json_schema", schema, R"({"age": 3})").find("name"), std::string::npos);
  EXPECT_NE(check("json_schema", schema, R"({"name": "1", "age": -1})").find("age"),
            std::string::npos);
  EXPECT_EQ(check("json_schema", schema, R"({"name": 1})").at(0), '-');  // "1" is a text.
}

TEST(PlainCheck, WhatIsNoJsonSchemaIsRefused) {
  EXPECT_EQ(error_of([] { make("json_schema", "{type: objekt}"); }),
            "f:1: this is no JSON schema: the type \"objekt\" is none of array, boolean, integer, "
            "null, number, object, string");
  EXPECT_EQ(
      error_of([] { make("json_schema", "{properties: {a: {pattern: '('}}}"); }),
      "f:1: this is no JSON schema: the pattern \"(\" does not compile: missing ): (; the syntax "
      "is RE2's, without look-around and back-references");
  EXPECT_NE(error_of([] {
              make("json_schema", "{patternProperties: {'(?=a)': {}}}");
            }).find("the pattern \"(?=a)\" does not compile"),
            std::string::npos);
  EXPECT_EQ(error_of([] { make("json_schema", "[1]"); }),
            "f:1: this is no JSON schema, which is an object");
  EXPECT_NE(error_of([] { make("json_schema", "{properties: 7}"); }).find("no JSON schema"),
            std::string::npos);
}

TEST(PlainCheck, ASchemaDividesByNothingBelowOne) {
  for (const char* multiple : {"0", "0.0", "-2", "x"}) {
    EXPECT_NE(error_of([&] {
                make("json_schema",
                     fmt::format("{{properties: {{a: {{multipleOf: {}}}}}}}", multiple));
              }).find("this is no JSON schema: multipleOf must be a number above 0"),
              std::string::npos)
        << multiple;
  }
  EXPECT_EQ(check("json_schema", "{multipleOf: 2}", "4").at(0), '+');
  EXPECT_EQ(check("json_schema", "{multipleOf: 2}", "3").at(0), '-');
}

TEST(PlainCheck, AKeywordThatWouldNotBeAppliedIsRefused) {
  EXPECT_EQ(error_of([] { make("json_schema", "{properties: {l: {prefixItems: []}}}"); }),
            "f:1: the schema's 'prefixItems' is of a later draft than 7; it would not be applied: "
            "write it in draft 7, or leave it out");
  EXPECT_EQ(error_of([] { make("json_schema", "{typ: object}"); }),
            "f:1: the schema's 'typ' is no keyword; did you mean 'type'?");
  EXPECT_EQ(error_of([] { make("json_schema", "{items: {propreties: {a: {}}}}"); }),
            "f:1: the schema's 'propreties' is no keyword; did you mean 'properties'?");
  EXPECT_EQ(error_of([] {
              make("json_schema",
                   "{$defs: {t: {type: string}}, items: {$ref: '#/$defs/t', minLength: 2}}");
            }),
            "f:1: the schema's 'minLength' stands beside a $ref, where it says nothing; write "
            "allOf: [{$ref: …}, …]");
  // Notes, and properties whatever their names.
  EXPECT_EQ(check("json_schema",
                  "{$schema: 'https://json-schema.org/draft/2020-12/schema', note: n, x-order: 1, "
                  "properties: {typ: {type: string}, prefixItems: {}}}",
                  R"({"typ": "a"})"),
            "+ is JSON of the schema");
}

TEST(PlainCheck, ASchemaWithoutAnEndIsRefused) {
  const char* endless =
      "f:1: this is no JSON schema: a $ref in it leads back to itself, so that it never comes to "
      "an end";
  for (const char* schema :
       {"{$ref: '#'}", "{$ref: '#/'}", "{allOf: [{$ref: '#'}]}", "{not: {$ref: '#'}}",
        "{if: {$ref: '#'}, then: {}}", "{dependencies: {a: {$ref: '#'}}}",
        "{properties: {a: {$ref: '#/properties/%61'}}}",
        "{definitions: {a: {$ref: '#/definitions/b'}, b: {anyOf: [{$ref: '#/definitions/a'}]}}}"})
    EXPECT_EQ(error_of([&] { make("json_schema", schema); }), endless) << schema;
  EXPECT_EQ(error_of([] { make("json_schema", "{$ref: '#/definitions/a'}"); }),
            "f:1: this is no JSON schema: the $ref '#/definitions/a' leads nowhere in it");
  EXPECT_EQ(error_of([] { make("json_schema", "{$ref: 'http://a/b'}"); }),
            "f:1: this is no JSON schema: the $ref 'http://a/b' leads nowhere in it");
  const testing::TemporaryFolder folder;
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"not\":";
  folder.file("s.json", deep + "{}" + std::string(100'000, '}'));
  EXPECT_NE(error_of([&] {
              make("json_schema", "s.json", false, folder.path());
            }).find("s.json: this is no JSON schema: it is nested too deep"),
            std::string::npos);
}

TEST(PlainCheck, ASchemaMayHoldItselfInItsParts) {
  const char* tree = "{type: object, properties: {left: {$ref: '#'}, n: {type: integer}}}";
  EXPECT_EQ(check("json_schema", tree, R"({"left": {"left": {"n": 1}}})").at(0), '+');
  EXPECT_EQ(check("json_schema", tree, R"({"left": {"left": {"n": "x"}}})").at(0), '-');
  const char* lists =
      "{definitions: {l: {items: {$ref: '#/definitions/l'}, type: array}}, "
      "$ref: '#/definitions/l'}";
  EXPECT_EQ(check("json_schema", lists, "[[], [[]]]").at(0), '+');
  EXPECT_EQ(check("json_schema", lists, "[[], [1]]").at(0), '-');
  EXPECT_EQ(check("json_schema", lists, std::string(100'000, '[') + std::string(100'000, ']')),
            "- is nested deeper than 256 levels");
}

TEST(PlainCheck, ASchemasPatternsAreNeitherSlowNorDeep) {
  const std::string text = '"' + std::string(200'000, 'a') + "!\"";
  EXPECT_EQ(check("json_schema", "{pattern: '^(a+)+$'}", text).at(0), '-');
  EXPECT_EQ(check("json_schema", "{pattern: '^(a|b)*!$'}", text).at(0), '+');
  EXPECT_EQ(check("json_schema", "{patternProperties: {'^(a+)+$': false}}", "{" + text + ": 1}"),
            "+ is JSON of the schema");
  EXPECT_EQ(
      check("json_schema", "{format: date}", '"' + std::string(200'000, '1') + "-02-30\"").at(0),
      '-');
  EXPECT_EQ(check("json_schema", "{format: date}", "\"2024-02-28\"").at(0), '+');
  EXPECT_EQ(check("json_schema", "{format: time}", "\"12:00:00Z\"").at(0), '+');
}

TEST(PlainCheck, ASchemaThatGrowsWithItsAliasesIsRefused) {
  std::string yaml = "x0: &x0 {type: object}\n";
  for (int i = 1; i < 40; ++i) yaml += fmt::format("x{0}: &x{0} [*x{1}, *x{1}]\n", i, i - 1);
  EXPECT_NE(error_of([&] { make("json_schema", yaml); }).find("a value of more than 100000 parts"),
            std::string::npos);
}

TEST(PlainCheck, ASchemaCanStandInAFileBesideTheChecks) {
  const testing::TemporaryFolder folder;
  folder.file("s.json", R"({"title": "a city", "type": "string"})");
  const auto is_city = make("json_schema", "s.json", false, folder.path());
  EXPECT_EQ(is_city->description(), "is JSON of 'a city'");
  EXPECT_TRUE(is_city->evaluate("\"Paris\"", {}).passed);
  EXPECT_NE(error_of([&] {
              make("json_schema", "t.json", false, folder.path());
            }).find("there is no file"),
            std::string::npos);
}

TEST(PlainCheck, SimilarityNeedsAReachableLeast) {
  const Json fields = {{"reference", "the cat sat"}};
  EXPECT_EQ(check("similarity", "{at_least: 0.5}", "The cat!", false, fields),
            "+ token_f1 with 'reference' is 0.80, wanted at least 0.5");
  EXPECT_EQ(check("similarity", "{to: reference, measure: rouge_l, at_least: 0.7}", "sat the cat",
                  false, fields),
            "- rouge_l with 'reference' is 0.67, wanted at least 0.7");
  EXPECT_EQ(error_of([] { make("similarity", "{to: reference}"); }),
            "f:1: 'similarity' needs 'at_least', above 0 and at most 1");
  EXPECT_EQ(error_of([] { make("similarity", "{at_least: 1, measure: bleu}"); }),
            "f:1: unknown measure 'bleu'; known: token_f1, rouge_l, levenshtein");
}

TEST(PlainCheck, AnEmptyTextIsInEverything) {
  EXPECT_EQ(error_of([] { make("contains", "''"); }),
            "f:1: the key 'contains' has an empty text, which every answer holds");
  EXPECT_EQ(error_of([] { make("contains", "[]"); }),
            "f:1: the key 'contains' has an empty text, which every answer holds");
}

TEST(PlainCheck, WhatEveryAnswerWouldPassIsRefused) {
  EXPECT_EQ(error_of([] { make("starts_with", "' '"); }),
            "f:1: the key 'starts_with' has an empty text, with which every answer starts");
  EXPECT_EQ(error_of([] { make("regex", "''"); }),
            "f:1: the key 'regex' has an empty pattern, which every answer matches");
  const Json fields = {{"reference", " "}};
  for (const char* key : {"contains", "not_contains", "starts_with"}) {
    EXPECT_EQ(error_of([&] { check(key, "{field: reference}", "x", false, fields); }),
              "the field 'reference' is empty, which every answer holds; fill it, or leave the "
              "answer out of the check with 'when'")
        << key;
  }
  EXPECT_EQ(check("equals", "''", " ").at(0), '+');  // An empty answer alone.
  EXPECT_EQ(check("equals", "{field: reference}", "x", false, fields).at(0), '-');
}

TEST(PlainCheck, EveryKindSaysWhatItIs) {
  for (const PlainKind& kind : plain_kinds()) EXPECT_FALSE(kind.help.empty()) << kind.key;
}

}  // namespace
}  // namespace selene::check
