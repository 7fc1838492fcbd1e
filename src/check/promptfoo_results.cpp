#include "check/promptfoo_results.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "check/answers.h"
#include "core/error.h"
#include "core/text.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 200;

Json parse(std::string_view text, const std::string& name) {
  if (!is_valid_utf8(text)) throw Error("invalid UTF-8", name);
  const auto limit = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw Error("JSON nested too deep", name);
    return true;
  };
  Json value = Json::parse(text.begin(), text.end(), limit, /*allow_exceptions=*/false);
  if (value.is_discarded())
    throw Error("not JSON", name, "give what promptfoo eval -o results.json wrote");
  return value;
}

// A member, or null.
const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& value) { return value.is_null() ? "" : field_text(value); }

size_t index_of(const Json& result, const char* key, const std::string& place) {
  const Json& value = member(result, key);
  if (!value.is_number_unsigned()) {
    throw Error(fmt::format("a result without '{}'", key), place,
                "give what promptfoo eval -o results.json of a recent version wrote");
  }
  return value.get<size_t>();
}

PromptfooResult read_result(const Json& result, const std::string& place) {
  PromptfooResult read;
  read.test = index_of(result, "testIdx", place);
  read.column = index_of(result, "promptIdx", place);
  read.prompt = text_of(member(member(result, "prompt"), "raw"));
  read.vars = member(result, "vars");
  const Json& output = member(member(result, "response"), "output");
  read.has_output = !output.is_null();
  if (read.has_output) read.output = field_text(output);
  read.error = text_of(member(result, "error"));
  return read;
}

}  // namespace

PromptfooResults read_promptfoo_results(std::string_view text, const std::string& name,
                                        const std::string& provider) {
  const Json file = parse(text, name);
  const Json& outer = member(file, "results");
  const Json& list = outer.is_array() ? outer : member(outer, "results");
  if (!list.is_array()) {
    throw Error("there is no list 'results' in it", name,
                "give what promptfoo eval -o results.json wrote");
  }
  if (list.empty()) throw Error("it has no results", name);

  PromptfooResults read{.name = name, .provider = {}, .prompts = {}, .results = {}};
  std::vector<std::string> providers;
  bool chosen_is_there = false;
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& of = member(list[i], "provider");
    const std::string id = of.is_string() ? of.get<std::string>() : text_of(member(of, "id"));
    const std::string label = text_of(member(of, "label"));
    const std::string& shown = label.empty() ? id : label;
    if (std::find(providers.begin(), providers.end(), shown) == providers.end())
      providers.push_back(shown);
    if (!provider.empty() && provider != id && provider != label) continue;
    chosen_is_there = true;
    read.provider = shown;
    read.results.push_back(read_result(list[i], fmt::format("{}, results[{}]", name, i)));
  }
  if (!provider.empty() && !chosen_is_there) {
    throw Error(fmt::format("there is no provider '{}' in it; there are {}",
                            cut_to_columns(provider, 60), fmt::join(providers, ", ")),
                name);
  }
  if (provider.empty() && providers.size() > 1) {
    throw Error(fmt::format("it has results of {} providers: {}", providers.size(),
                            fmt::join(providers, ", ")),
                name, "choose one with --provider ID");
  }
  const Json& prompts = member(outer, "prompts");
  if (prompts.is_array()) {
    for (const Json& prompt : prompts) read.prompts.push_back(text_of(member(prompt, "raw")));
  }
  return read;
}

}  // namespace selene::check
