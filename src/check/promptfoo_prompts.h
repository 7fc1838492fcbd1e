// The prompts of a promptfoo configuration.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "check/promptfoo_text.h"

namespace selene::check {

struct PromptfooPrompt {
  size_t number = 0;  // From 1.
  std::string text;
  std::string label;
  std::optional<PlainTemplate> form{};  // None: it cannot be rendered.
  std::string why_not{};                // Why.
  YAML::Node node{};

  // Whether a test's `prompts` means it: by its label, the label's beginning before a colon, or a
  // beginning with an asterisk.
  bool is_called(const std::string& label) const;
};

// The texts under `prompts`, and those of text files; `read` as PromptfooSource has it. Throws
// Error with file and line: no prompts, an empty one, one without a text, a file that cannot be
// read.
std::vector<PromptfooPrompt> read_promptfoo_prompts(
    const YAML::Node& config, const std::string& file,
    const std::function<std::string(const std::filesystem::path& name)>& read, NotCarried& dropped);

}  // namespace selene::check
