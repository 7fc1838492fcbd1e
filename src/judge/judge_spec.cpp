#include "judge/judge_spec.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/yaml.h"
#include "data/yaml_values.h"

namespace selene::judge {
namespace {

using data::parse_yaml;
using data::unknown_yaml_key;
using data::yaml_key;
using data::yaml_place;
using data::yaml_value;

bool is_url(std::string_view text) {
  std::string scheme(text.substr(0, text.find("://")));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return scheme.size() < text.size() && (scheme == "http" || scheme == "https");
}

std::vector<std::string> split_endpoints(std::string_view text) {
  std::vector<std::string> urls;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    urls.emplace_back(trim(text.substr(0, comma)));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return urls;
}

// The folder of a training run has a judge file of its own.
bool is_run_folder(std::string_view text) {
  std::error_code ignored;
  return std::filesystem::is_directory(text, ignored) &&
         std::filesystem::exists(std::filesystem::path(text) / "judge.yaml", ignored);
}

// One key of a member, and what to do with its value.
struct Key {
  std::string_view name;
  void (*read)(MemberSpec& member, const YAML::Node& node, std::string_view key,
               std::string_view place);
};

template <auto Setting>
void read_setting(MemberSpec& member, const YAML::Node& node, std::string_view key,
                  std::string_view place) {
  using Value = typename std::remove_reference_t<decltype(member.settings.*Setting)>::value_type;
  member.settings.*Setting = yaml_value<Value>(node, key, place);
}

void read_model(MemberSpec& member, const YAML::Node& node, std::string_view key,
                std::string_view place) {
  member.model = yaml_value<std::string>(node, key, place);
  if (names_judge_file(member.model)) {
    throw Error(fmt::format("a member's model is a judge file: {}", member.model), place,
                "a jury's members are models and endpoints; copy the members here");
  }
  if (is_url(member.model)) throw Error("an endpoint stands under 'endpoint', not 'model'", place);
}

void read_endpoint(MemberSpec& member, const YAML::Node& node, std::string_view key,
                   std::string_view place) {
  member.endpoints = node.IsSequence() ? yaml_value<std::vector<std::string>>(node, key, place)
                                       : split_endpoints(yaml_value<std::string>(node, key, place));
  for (const std::string& url : member.endpoints) {
    if (!is_url(url))
      throw Error(fmt::format("'{}' is not a URL", url), place, "write http(s)://host:port#model");
  }
}

void read_name(MemberSpec& member, const YAML::Node& node, std::string_view key,
               std::string_view place) {
  member.name = yaml_value<std::string>(node, key, place);
}

void read_weight(MemberSpec& member, const YAML::Node& node, std::string_view key,
                 std::string_view place) {
  member.weight = yaml_value<double>(node, key, place);
  if (!(member.weight > 0) || member.weight > 1e9)
    throw Error("'weight' must be above 0 and at most 1e9", place);
}

void read_date(MemberSpec& member, const YAML::Node& node, std::string_view key,
               std::string_view place) {
  member.settings.date = yaml_value<std::string>(node, key, place);
  try {
    engine::ChatTemplate::check_date(*member.settings.date);
  } catch (const Error& failure) {
    throw failure.at(place);
  }
}

constexpr Key kKeys[] = {
    {"name", read_name},
    {"model", read_model},
    {"endpoint", read_endpoint},
    {"weight", read_weight},
    {"adapter", read_setting<&MemberSettings::adapter>},
    {"adapter_scale", read_setting<&MemberSettings::adapter_scale>},
    {"template", read_setting<&MemberSettings::template_spec>},
    {"mode", read_setting<&MemberSettings::mode>},
    {"order", read_setting<&MemberSettings::order>},
    {"max_tokens", read_setting<&MemberSettings::max_tokens>},
    {"samples", read_setting<&MemberSettings::samples>},
    {"temperature", read_setting<&MemberSettings::temperature>},
    {"log_probs", read_setting<&MemberSettings::log_probs>},
    {"chat_template", read_setting<&MemberSettings::chat_template>},
    {"date", read_date},
    {"key_env", read_setting<&MemberSettings::key_env>},
    {"key_file", read_setting<&MemberSettings::key_file>},
};

// Keys that cannot be meant together, or not of such a member.
void check_together(const MemberSpec& member, std::string_view place) {
  if (!member.model.empty() && !member.endpoints.empty())
    throw Error("give 'model' or 'endpoint', not both", place);
  if (member.model.empty() && member.endpoints.empty())
    throw Error("the key 'model' or 'endpoint' is missing", place);
  const MemberSettings& own = member.settings;
  const bool remote = !member.endpoints.empty();
  const auto refuse = [&](bool given, std::string_view key) {
    if (!given) return;
    throw Error(fmt::format("'{}' is for {}, this member is {}", key,
                            remote ? "a local model" : "an endpoint",
                            remote ? "an endpoint" : "a local model"),
                place, "leave it out");
  };
  if (remote) {
    refuse(own.adapter.value_or("none") != "none", "adapter");
    refuse(own.adapter_scale.has_value(), "adapter_scale");
    refuse(own.chat_template.has_value(), "chat_template");
    refuse(own.date.has_value(), "date");
  } else {
    refuse(own.key_env.has_value(), "key_env");
    refuse(own.key_file.has_value(), "key_file");
    refuse(own.log_probs.has_value(), "log_probs");
  }
  if (own.key_env && own.key_file) throw Error("give 'key_env' or 'key_file', not both", place);
}

MemberSpec read_member(const YAML::Node& node, std::string_view file) {
  const std::string member_place = yaml_place(node, file);
  if (!node.IsMap())
    throw Error("a member is a map with the key 'model' or 'endpoint'", member_place);
  MemberSpec member;
  for (const auto& entry : node) {
    const std::string name = yaml_key(entry.first);
    const std::string place = yaml_place(entry.first, file);
    const auto key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                  [&](const Key& one) { return one.name == name; });
    if (key == std::end(kKeys)) {
      std::vector<std::string_view> known;
      for (const Key& one : kKeys) known.push_back(one.name);
      throw unknown_yaml_key(name, known, place);
    }
    key->read(member, entry.second, key->name, place);
    try {
      policy_of(member.settings, 0);  // A bad value is an error even where a flag overrides it.
    } catch (const Error& failure) {
      throw failure.at(place);
    }
  }
  check_together(member, member_place);
  return member;
}

// A file named in a judge file is looked for beside it.
void make_relative(std::optional<std::string>& file, const std::filesystem::path& folder) {
  if (!file || *file == "none" || file->empty()) return;
  const std::filesystem::path beside = folder / *file;
  if (std::filesystem::path(*file).is_relative() && path_exists(beside)) file = beside.string();
}

}  // namespace

Policy policy_of(const MemberSettings& settings, std::uint64_t seed) {
  Policy policy;
  if (settings.mode) policy.mode = mode_from_name(*settings.mode);
  if (settings.order) policy.order = order_from_name(*settings.order);
  policy.max_tokens = settings.max_tokens.value_or(policy.max_tokens);
  policy.samples = settings.samples.value_or(policy.samples);
  policy.temperature = settings.temperature.value_or(policy.temperature);
  policy.seed = seed;
  if (policy.max_tokens < 1 || policy.max_tokens > (1 << 20))
    throw Error("max_tokens must be from 1 to 1048576");
  if (policy.samples < 1 || policy.samples > 1000) throw Error("samples must be from 1 to 1000");
  if (!(policy.temperature >= 0) || policy.temperature > 10)
    throw Error("temperature must be from 0 to 10");
  return policy;
}

JudgeSpec parse_judge_file(std::string_view yaml, const std::filesystem::path& path) {
  const std::string place = path.string();
  const YAML::Node root = parse_yaml(yaml, place);
  if (!root.IsMap())
    throw Error("a judge file is a YAML map with 'members', or with one judge's keys", place);
  JudgeSpec spec;
  spec.name = path.stem().string();
  if (!root["members"]) {
    spec.members.push_back(read_member(root, place));
  } else {
    for (const auto& entry : root) {
      const YAML::Node& value = entry.second;
      const std::string name = yaml_key(entry.first);
      const std::string key_place = yaml_place(entry.first, place);
      if (name == "name") {
        spec.name = yaml_value<std::string>(value, name, key_place);
      } else if (name != "members") {
        throw Error(fmt::format("unknown key '{}'; beside 'members' only 'name' is known",
                                cut_to_columns(name, 60)),
                    key_place);
      } else if (!value.IsSequence() || value.size() == 0) {
        throw Error("'members' must be a list of at least one member", key_place);
      } else {
        for (const YAML::Node& node : value) spec.members.push_back(read_member(node, place));
      }
    }
  }
  for (MemberSpec& member : spec.members) {
    const std::filesystem::path folder = path.parent_path();
    for (auto setting : {&MemberSettings::adapter, &MemberSettings::template_spec,
                         &MemberSettings::chat_template, &MemberSettings::key_file}) {
      make_relative(member.settings.*setting, folder);
    }
    std::optional<std::string> model = member.model;
    make_relative(model, folder);
    member.model = *model;
  }
  return spec;
}

bool names_judge_file(std::string_view text) {
  return text.ends_with(".yaml") || text.ends_with(".yml") || is_run_folder(text);
}

bool names_local_model(std::string_view text) { return !is_url(text) && !names_judge_file(text); }

JudgeSpec parse_judge_spec(std::string_view text) {
  if (names_judge_file(text)) {
    const std::filesystem::path file = is_run_folder(text)
                                           ? std::filesystem::path(text) / "judge.yaml"
                                           : std::filesystem::path(text);
    return parse_judge_file(read_file(file), file);
  }
  MemberSpec member;
  if (is_url(text)) {
    member.endpoints = split_endpoints(text);
  } else {
    member.model = text;
  }
  return {.name = "", .members = {std::move(member)}};
}

}  // namespace selene::judge
