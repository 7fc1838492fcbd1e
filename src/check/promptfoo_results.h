// The file that `promptfoo eval -o results.json` writes (its EvaluateSummaryV3): what each prompt
// of each test was answered with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::check {

struct PromptfooResult {
  size_t test = 0;     // testIdx: from 0, with lists of values expanded.
  size_t column = 0;   // promptIdx: from 0; a prompt and a provider.
  std::string prompt;  // As it was sent.
  nlohmann::ordered_json vars;
  bool has_output = false;
  std::string output;
  std::string error;
};

struct PromptfooResults {
  std::string name;                  // Of the file.
  std::string provider;              // Whose they are.
  std::vector<std::string> prompts;  // The templates, by column; may be empty.
  std::vector<PromptfooResult> results;
};

// Keeps the results of one provider, by its id or label; empty: the only one. Throws Error that
// names the file: not JSON, not such a file, no results, several providers and none chosen, or one
// that is not there (both list them).
PromptfooResults read_promptfoo_results(std::string_view text, const std::string& name,
                                        const std::string& provider);

}  // namespace selene::check
