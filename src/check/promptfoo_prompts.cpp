#include "check/promptfoo_prompts.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

// What promptfoo takes for the name of a file.
bool names_a_file(std::string_view text) {
  if (text.starts_with("file://") || text.starts_with("exec:")) return true;
  if (text.find('\n') != std::string_view::npos || text.find('{') != std::string_view::npos)
    return false;
  constexpr std::string_view kEndings[] = {".txt", ".json", ".jsonl", ".yaml", ".yml",
                                           ".md",  ".csv",  ".j2",    ".js",   ".cjs",
                                           ".mjs", ".ts",   ".py",    ".sh",   ".rb"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

// The text file beside the configuration; empty for any other.
std::string text_file(std::string_view text) {
  if (text.starts_with("file://")) text.remove_prefix(7);
  const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
  const bool outside = path.is_absolute() || path.begin() == path.end() || *path.begin() == "..";
  const bool pattern = text.find_first_of("*?[") != std::string_view::npos;
  return outside || pattern || path.extension() != ".txt" ? "" : path.string();
}

// promptfoo parts the prompts of a text file by lines of three dashes.
std::vector<std::string> prompts_of_file(const std::string& text) {
  std::vector<std::string> prompts;
  std::string prompt;
  const auto flush = [&] {
    if (const std::string_view own = trim(prompt); !own.empty()) prompts.emplace_back(own);
    prompt.clear();
  };
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = std::string_view(text).substr(start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trim(line) == "---") {
      flush();
    } else {
      prompt.append(line).append("\n");
    }
    start = end + 1;
  }
  flush();
  return prompts;
}

class Reader {
 public:
  Reader(const std::string& file,
         const std::function<std::string(const std::filesystem::path& name)>& read,
         NotCarried& dropped)
      : file_(file), read_(read), dropped_(dropped) {}

  void add(const YAML::Node& node) {
    std::string label;
    YAML::Node raw(node);
    if (node.IsMap()) {
      for (const char* key : {"id", "label"}) {
        if (node[key]) label = scalar(node[key], key);
      }
      if (!node["raw"] && !node["id"]) throw error(node, "a prompt without 'raw'");
      raw.reset(node["raw"] ? node["raw"] : node["id"]);
    }
    const std::string text = scalar(raw, "prompts");
    if (trim(text).empty()) throw error(node, "a prompt is empty");
    if (names_a_file(text)) {
      add_file(node, text, label);
    } else {
      add_text(node, text, label);
    }
  }

  std::vector<PromptfooPrompt> prompts;

 private:
  Error error(const YAML::Node& node, std::string_view what) const {
    return Error(what, data::yaml_place(node, file_));
  }
  std::string scalar(const YAML::Node& node, std::string_view key) const {
    if (!node.IsScalar()) throw error(node, fmt::format("'{}' must be a text", key));
    return node.Scalar();
  }

  void add_text(const YAML::Node& node, const std::string& text, const std::string& label) {
    PromptfooPrompt prompt{.number = prompts.size() + 1,
                           .text = text,
                           .label = label.empty() ? text : label,
                           .form = PlainTemplate::parse(text),
                           .node = node};
    if (!prompt.form) prompt.why_not = "it uses more than plain {{variables}}";
    if (trim(text).starts_with('[') && nlohmann::json::accept(text))
      dropped_.add(node, fmt::format("prompt {}: a chat; it is one text here", prompt.number));
    prompts.push_back(std::move(prompt));
  }

  void add_file(const YAML::Node& node, const std::string& text, const std::string& label) {
    const std::string name = text_file(text);
    if (name.empty()) {
      prompts.push_back({.number = prompts.size() + 1,
                         .text = {},
                         .label = label.empty() ? text : label,
                         .why_not = "only text files (.txt) beside the configuration are read",
                         .node = node});
      return;
    }
    std::string content;
    try {
      content = read_(name);
    } catch (const Error& failure) {
      throw error(node, fmt::format("the prompt '{}': {}", name, failure.message()));
    }
    if (!is_valid_utf8(content)) throw Error("invalid UTF-8", name, "save the file as UTF-8");
    const std::vector<std::string> texts = prompts_of_file(content);
    if (texts.empty()) throw error(node, fmt::format("there is no prompt in '{}'", name));
    for (const std::string& one : texts) add_text(node, one, label);
  }

  const std::string& file_;
  const std::function<std::string(const std::filesystem::path& name)>& read_;
  NotCarried& dropped_;
};

}  // namespace

bool PromptfooPrompt::is_called(const std::string& wanted) const {
  if (wanted.ends_with('*')) return label.starts_with(wanted.substr(0, wanted.size() - 1));
  return label == wanted || label.starts_with(wanted + ":");
}

std::vector<PromptfooPrompt> read_promptfoo_prompts(
    const YAML::Node& config, const std::string& file,
    const std::function<std::string(const std::filesystem::path& name)>& read,
    NotCarried& dropped) {
  const YAML::Node list = config["prompts"];
  if (!list || list.IsNull()) throw Error("there are no prompts", file, "give a list 'prompts'");
  if (list.IsMap())
    throw Error("'prompts' must be a list", data::yaml_place(list, file),
                "write - file://NAME.txt");
  Reader reader(file, read, dropped);
  if (list.IsSequence()) {
    for (const YAML::Node& prompt : list) reader.add(prompt);
  } else {
    reader.add(list);
  }
  if (reader.prompts.empty()) throw Error("there are no prompts", data::yaml_place(list, file));
  return std::move(reader.prompts);
}

}  // namespace selene::check
