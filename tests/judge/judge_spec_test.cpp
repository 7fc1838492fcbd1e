#include "judge/judge_spec.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::judge {
namespace {

std::string refusal(const std::string& yaml) {
  return testing::message_of<Error>([&] { parse_judge_file(yaml, "j.yaml"); });
}

TEST(JudgeSpec, ANameThatNoFileCanHaveIsNoFile) {
  const std::string name(300, 'm');
  EXPECT_EQ(parse_judge_file("model: " + name + "\n", "j.yaml").members.at(0).model, name);
}

TEST(JudgeSpec, ABadValueIsRefusedWhereItStands) {
  EXPECT_EQ(refusal("model: default\nmode: fast\n"),
            "j.yaml:2: unknown mode 'fast'; known: critique, verdict");
  EXPECT_EQ(refusal("model: default\norder: any\n"),
            "j.yaml:2: unknown order 'any'; known: one, both");
  EXPECT_EQ(refusal("# mine\nmodel: default\nmax_tokens: 0\n"),
            "j.yaml:3: max_tokens must be from 1 to 1048576");
  EXPECT_EQ(refusal("members:\n- model: default\n- model: default\n  samples: 0\n"),
            "j.yaml:4: samples must be from 1 to 1000");
  EXPECT_EQ(refusal("model: default\ntemperature: -1\n"),
            "j.yaml:2: temperature must be from 0 to 10");
  EXPECT_EQ(refusal("model: default\ndate: today\n"),
            "j.yaml:2: 'today' is not a date; write it as YYYY-MM-DD");
}

TEST(JudgeSpec, AValueOfAnotherTypeIsRefused) {
  EXPECT_EQ(refusal("model: default\nmax_tokens: 1.5\n"),
            "j.yaml:2: the key 'max_tokens' must be a whole number");
  EXPECT_EQ(refusal("model: default\ntemperature: warm\n"),
            "j.yaml:2: the key 'temperature' must be a number");
  EXPECT_EQ(refusal("model: [a, b]\n"), "j.yaml:1: the key 'model' must be a text");
  EXPECT_EQ(refusal("endpoint: [[a]]\n"), "j.yaml:1: the key 'endpoint' must be a list of texts");
  EXPECT_EQ(refusal("endpoint: http://a\nlog_probs: 7\n"),
            "j.yaml:2: the key 'log_probs' must be true or false");
  EXPECT_EQ(refusal("model: default\nadapter:\n"), "j.yaml:2: the key 'adapter' has no value");
  EXPECT_EQ(refusal("name: ~\nmembers: [{model: default}]\n"),
            "j.yaml:1: the key 'name' has no value");
}

TEST(JudgeSpec, AnUnknownKeyIsRefusedWithThoseThatAreKnown) {
  EXPECT_TRUE(refusal("model: default\nwieght: 2\n")
                  .starts_with("j.yaml:2: unknown key 'wieght'; known: name, model, endpoint, "));
  EXPECT_TRUE(refusal("members:\n- model: default\n  [a]: 2\n")
                  .starts_with("j.yaml:3: unknown key '(not a text)'; known: "));
  EXPECT_EQ(refusal("members:\n- model: default\nmode: verdict\n"),
            "j.yaml:3: unknown key 'mode'; beside 'members' only 'name' is known");
}

TEST(JudgeSpec, AKeyTwiceIsRefusedWithItsLine) {
  EXPECT_EQ(refusal("model: default\nmode: verdict\nmode: critique\n"),
            "j.yaml:3: the key 'mode' stands twice; keep one of the two");
  EXPECT_EQ(refusal("members:\n- model: default\n- model: default\n  weight: 1\n  weight: 2\n"),
            "j.yaml:5: the key 'weight' stands twice; keep one of the two");
  EXPECT_EQ(refusal("members:\n- &one {model: default}\n- *one\n"), "");
}

TEST(JudgeSpec, AWeightIsAboveZeroAndFinite) {
  for (const char* weight : {"0", "-1", ".nan", ".inf", "-.inf", "1e10", "1e999"}) {
    SCOPED_TRACE(weight);
    const std::string message = refusal(std::string("model: default\nweight: ") + weight + "\n");
    EXPECT_TRUE(message == "j.yaml:2: 'weight' must be above 0 and at most 1e9" ||
                message == "j.yaml:2: the key 'weight' must be a number")
        << message;
  }
  EXPECT_EQ(refusal("model: default\nweight: heavy\n"),
            "j.yaml:2: the key 'weight' must be a number");
  EXPECT_EQ(refusal("model: default\nweight: 0.5\n"), "");
}

TEST(JudgeSpec, AJuryNeedsMembers) {
  for (const char* members : {"[]", "", "7", "{model: default}"}) {
    EXPECT_EQ(refusal(std::string("name: jury\nmembers: ") + members + "\n"),
              "j.yaml:2: 'members' must be a list of at least one member");
  }
  EXPECT_EQ(refusal("members:\n- default\n"),
            "j.yaml:2: a member is a map with the key 'model' or 'endpoint'");
  EXPECT_EQ(refusal("- model: default\n"),
            "j.yaml: a judge file is a YAML map with 'members', or with one judge's keys");
  EXPECT_EQ(refusal(""),
            "j.yaml: a judge file is a YAML map with 'members', or with one judge's keys");
}

TEST(JudgeSpec, NoMemberIsAJuryNorContainsItself) {
  const std::string remedy = "; a jury's members are models and endpoints; copy the members here";
  EXPECT_EQ(refusal("members:\n- model: j.yaml\n"),
            "j.yaml:2: a member's model is a judge file: j.yaml" + remedy);
  EXPECT_EQ(refusal("members:\n- model: default\n- model: other.yml\n"),
            "j.yaml:3: a member's model is a judge file: other.yml" + remedy);
  EXPECT_EQ(refusal("model: j.yaml\n"),
            "j.yaml:1: a member's model is a judge file: j.yaml" + remedy);
  EXPECT_TRUE(refusal("members:\n- members:\n  - model: default\n")
                  .starts_with("j.yaml:2: unknown key 'members'; known: "));
}

TEST(JudgeSpec, KeysThatContradictOneAnotherAreRefused) {
  EXPECT_EQ(refusal("model: default\nendpoint: http://a\n"),
            "j.yaml:1: give 'model' or 'endpoint', not both");
  EXPECT_EQ(refusal("members:\n- model: default\n- mode: verdict\n"),
            "j.yaml:3: the key 'model' or 'endpoint' is missing");
  EXPECT_EQ(refusal("model: http://a#m\n"),
            "j.yaml:1: an endpoint stands under 'endpoint', not 'model'");
  EXPECT_EQ(refusal("endpoint: somewhere\n"),
            "j.yaml:1: 'somewhere' is not a URL; write http(s)://host:port#model");
  for (const char* key :
       {"adapter: a.gguf", "adapter_scale: 2", "chat_template: t", "date: 2025-01-01"}) {
    const std::string name = std::string(key).substr(0, std::string(key).find(':'));
    EXPECT_EQ(
        refusal(std::string("endpoint: http://a\n") + key + "\n"),
        "j.yaml:1: '" + name + "' is for a local model, this member is an endpoint; leave it out");
  }
  for (const char* key : {"key_env: K", "key_file: k", "log_probs: true"}) {
    const std::string name = std::string(key).substr(0, std::string(key).find(':'));
    EXPECT_EQ(
        refusal(std::string("model: default\n") + key + "\n"),
        "j.yaml:1: '" + name + "' is for an endpoint, this member is a local model; leave it out");
  }
  EXPECT_EQ(refusal("endpoint: http://a\nkey_env: K\nkey_file: k\n"),
            "j.yaml:1: give 'key_env' or 'key_file', not both");
  EXPECT_EQ(refusal("endpoint: http://a\nadapter: none\nlog_probs: false\n"), "");
}

}  // namespace
}  // namespace selene::judge
