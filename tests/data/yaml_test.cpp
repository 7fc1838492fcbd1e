#include "data/yaml.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "core/error.h"

namespace selene::data {
namespace {

std::string error_of(std::string_view text) {
  try {
    parse_yaml(text, "f.yaml");
  } catch (const Error& failure) {
    return failure.what();
  }
  return "";
}

TEST(Yaml, OneDocumentMayHaveItsMarks) {
  EXPECT_EQ(parse_yaml("# a comment\n---\na: 1\n...\n", "f.yaml")["a"].as<int>(), 1);
  EXPECT_EQ(parse_yaml("a: |\n  --- no mark\nb: ---x\n", "f.yaml")["b"].as<std::string>(), "---x");
  EXPECT_EQ(error_of("--- {a: 1}\n"), "");
}

TEST(Yaml, ASecondDocumentIsRefused) {
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"),
            "f.yaml: 2 YAML documents in one file; keep one: the others would not be read");
  EXPECT_EQ(error_of("a: 1\n...\nb: 2\n"),
            "f.yaml: 2 YAML documents in one file; keep one: the others would not be read");
}

TEST(Yaml, ACommaAloneEnds) {  // YAML::LoadAll() goes on for ever.
  error_of(",");
  EXPECT_NE(error_of("a: ,"), "f.yaml: 2 YAML documents in one file");
}

}  // namespace
}  // namespace selene::data
