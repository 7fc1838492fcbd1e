// A judge spec opened: engines, templates and policies of every member.
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/file.h"
#include "engine/api_key.h"
#include "engine/endpoint_engine.h"
#include "engine/llama_engine.h"
#include "judge/judge_spec.h"
#include "model/store.h"

namespace selene::judge {
namespace {

template <typename Value>
void override_with(std::optional<Value>& setting, const std::optional<Value>& override_value) {
  if (override_value) setting = override_value;
}

MemberSettings merged(MemberSettings settings, const MemberSettings& overrides) {
  override_with(settings.adapter, overrides.adapter);
  override_with(settings.adapter_scale, overrides.adapter_scale);
  override_with(settings.template_spec, overrides.template_spec);
  override_with(settings.mode, overrides.mode);
  override_with(settings.order, overrides.order);
  override_with(settings.max_tokens, overrides.max_tokens);
  override_with(settings.samples, overrides.samples);
  override_with(settings.temperature, overrides.temperature);
  override_with(settings.chat_template, overrides.chat_template);
  override_with(settings.date, overrides.date);
  override_with(settings.log_probs, overrides.log_probs);
  override_with(settings.key_env, overrides.key_env);
  override_with(settings.key_file, overrides.key_file);
  return settings;
}

// What is for a local model says nothing of a jury's servers.
MemberSettings overrides_of(const MemberSpec& member, MemberSettings overrides) {
  if (member.endpoints.empty()) return overrides;
  overrides.adapter.reset();
  overrides.adapter_scale.reset();
  overrides.chat_template.reset();
  overrides.date.reset();
  return overrides;
}

std::unique_ptr<engine::Engine> open_local(const MemberSpec& member, const MemberSettings& settings,
                                           const MachineOptions& machine) {
  const model::ResolvedModel model = model::resolve_model(member.model);
  model::check_recorded(model);
  const std::string adapter = settings.adapter.value_or("none");
  const std::string chat_template = settings.chat_template.value_or("");
  return engine::open_llama_engine({
      .model = model.path,
      .name = model.name,
      .adapter = adapter == "none" ? "" : adapter,
      .adapter_scale = static_cast<float>(settings.adapter_scale.value_or(1)),
      .threads = machine.threads,
      .context_tokens = machine.context_tokens,
      .kv_mib = machine.kv_mib,
      .gpu_layers = machine.gpu_layers,
      .mmap = machine.mmap,
      .chat_template = chat_template.empty() ? "" : read_file(chat_template),
      .date = settings.date.value_or(engine::ChatTemplate::kDefaultDate),
  });
}

std::unique_ptr<engine::Engine> open_endpoints(const MemberSpec& member,
                                               const MemberSettings& settings,
                                               const MachineOptions& machine) {
  for (const auto& [given, name] :
       {std::pair(settings.adapter.value_or("none") != "none", "adapter"),
        std::pair(settings.chat_template.has_value(), "chat_template")}) {
    if (given)
      throw Error(fmt::format("'{}' is the server's own matter", name), member.endpoints.front());
  }
  engine::EndpointOptions options;
  // One model for the fleet: `#model` may stand at any of the addresses.
  std::string model;
  for (const std::string& text : member.endpoints) {
    const size_t hash = text.find('#');
    const std::string own = hash == std::string::npos ? "" : text.substr(hash + 1);
    if (!own.empty() && !model.empty() && own != model) {
      throw Error(fmt::format("two models in one fleet: '{}' and '{}'", model, own), "",
                  "make them members of a jury");
    }
    if (!own.empty()) model = own;
    options.endpoints.push_back({text.substr(0, hash), ""});
  }
  for (engine::Endpoint& endpoint : options.endpoints) endpoint.model = model;
  const engine::ApiKey key =
      engine::read_api_key(settings.key_env.value_or(""), settings.key_file.value_or(""));
  if (!key.warning.empty() && machine.warn) machine.warn(key.warning);
  options.api_key = key.key;
  options.in_flight_per_endpoint = machine.in_flight;
  options.retries = machine.retries;
  options.timeout = std::chrono::seconds(machine.timeout_s);
  options.token_budget = machine.token_budget;
  options.warn = machine.warn;
  options.known_servers = data_dir() / "servers.json";
  options.ask_log_probs = settings.log_probs.value_or(true);
  return engine::open_endpoint_engine(options);
}

// What decides whether two members can share an engine. A server's id has neither its address nor
// its key: two that call their models the same are two engines all the same.
std::string engine_key(const engine::EngineId& id, const MemberSpec& member,
                       const MemberSettings& settings) {
  std::string key = fmt::format("{}\n{}\n{}\n{}", id.model, id.adapter, id.version, id.options);
  if (member.endpoints.empty()) return key;
  return key + fmt::format("\n{}\n{}\n{}", fmt::join(member.endpoints, "\n"),
                           settings.key_env.value_or(""), settings.key_file.value_or(""));
}

// Members of one name would be taken for one another in a judgment's parts.
void make_names_distinct(std::vector<Member>& members) {
  std::map<std::string, int> seen;
  for (Member& member : members) {
    if (const int count = ++seen[member.name]; count > 1) member.name += fmt::format("#{}", count);
  }
}

}  // namespace

Judge open_judge(const JudgeSpec& spec, const MemberSettings& overrides, std::uint64_t seed,
                 const MachineOptions& machine,
                 const std::optional<std::filesystem::path>& ledger) {
  std::vector<std::unique_ptr<engine::Engine>> engines;
  std::map<std::string, size_t> index_of;
  std::vector<Member> members;
  for (const MemberSpec& one : spec.members) {
    const MemberSettings settings = merged(one.settings, overrides_of(one, overrides));
    Member member;
    member.weight = one.weight;
    member.policy = policy_of(settings, seed);
    member.templates = TemplateSet::open(settings.template_spec.value_or(""));
    std::unique_ptr<engine::Engine> engine = one.endpoints.empty()
                                                 ? open_local(one, settings, machine)
                                                 : open_endpoints(one, settings, machine);
    member.name = one.name.empty() ? engine->id().name : one.name;
    const auto [found, added] =
        index_of.emplace(engine_key(engine->id(), one, settings), engines.size());
    if (added) engines.push_back(std::move(engine));
    member.engine = found->second;
    members.push_back(std::move(member));
  }
  make_names_distinct(members);
  std::string name = spec.name.empty() ? members.front().name : spec.name;
  std::optional<Ledger> opened;
  if (ledger) opened.emplace(*ledger);
  if (opened && machine.warn) {
    opened->pass_over_damage([warn = machine.warn](const Error& failure) {
      warn(fmt::format("{}: {}; it is judged again", failure.where(), failure.message()));
    });
  }
  return Judge(std::move(name), std::move(engines), std::move(members), std::move(opened));
}

}  // namespace selene::judge
