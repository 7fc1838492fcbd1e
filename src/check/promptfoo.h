// A promptfoo configuration (promptfooconfig.yaml) as a checks file and answers. What carries over
// is described in docs/from-promptfoo.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "check/promptfoo_results.h"

namespace selene::check {

struct PromptfooSource {
  std::string_view config;
  std::string name;                           // Of its file, for errors.
  const PromptfooResults* results = nullptr;  // Null: none.
  // Reads a file beside the configuration, named relative to it. Throws Error.
  std::function<std::string(const std::filesystem::path& name)> read;
};

struct PromptfooImport {
  std::string checks;  // A checks file; empty when nothing carried over.
  size_t check_count = 0;
  // A row a test and prompt, in that order: id, test, prompt, the variables, input and, where it is
  // known, response.
  std::vector<nlohmann::ordered_json> answers;
  // What did not carry over: "promptfooconfig.yaml:12: javascript: …".
  std::vector<std::string> dropped;

  size_t unanswered() const;
};

// Throws Error with file and line: not YAML, no prompts, no tests, an unknown assertion type, a
// value of a wrong type, a prompt that is more than text and plain variables where no other can be
// read either, too many tests, results of another configuration.
PromptfooImport import_promptfoo(const PromptfooSource& source);

}  // namespace selene::check
