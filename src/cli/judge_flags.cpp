#include "cli/judge_flags.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "engine/chat_template.h"
#include "model/store.h"
#include "net/url.h"

namespace selene::cli {
namespace {

constexpr const char* kServers = "Servers (with --judge URL#model)";

// A value that is empty or that `read` refuses is wrong usage.
CLI::Validator readable_by(void (*read)(const std::string& value)) {
  const auto check = [read](const std::string& value) -> std::string {
    if (value.empty()) return not_empty()(value);
    try {
      read(value);
    } catch (const Error& failure) {
      return failure.what();
    }
    return "";
  };
  return CLI::Validator(check, "");
}

// That a known model or a file cannot be opened is no matter of usage.
void read_judge_name(const std::string& judge) {
  if (judge.find("://") != std::string::npos) {
    net::parse_url(judge.substr(0, judge.find_first_of("#,")));
    return;
  }
  const std::filesystem::path path(judge);
  const bool is_file = path.has_parent_path() || path_exists(path) || path.extension() == ".gguf" ||
                       judge::names_judge_file(judge);
  const bool known = judge == "default" || model::find_known_model(judge) != nullptr;
  if (!is_file && !known) model::resolve_model(judge);
}

void read_template_name(const std::string& name) {
  if (!path_exists(name)) judge::TemplateSet::open(name);
}

// Several samples of a judge must differ.
void check_samples(const judge::MemberSettings& settings, const judge::JudgeSpec& spec) {
  if (settings.samples.value_or(1) <= 1) return;
  if (settings.mode == "verdict") {
    throw UsageError("--samples with --mode verdict: verdicts without a critique are all the same",
                     "", "leave out one of them");
  }
  for (const judge::MemberSpec& member : spec.members) {
    const auto own = settings.temperature ? settings.temperature : member.settings.temperature;
    if (own.value_or(0) <= 0) {
      throw UsageError("--samples at temperature 0: they are all the same", "",
                       "give a --temperature above 0");
    }
  }
}

}  // namespace

CLI::Validator known_judge() { return readable_by(read_judge_name); }

CLI::Validator thread_range() { return CLI::Range(0, 1024); }
CLI::Validator kv_mib_range() { return CLI::Range(std::int64_t{0}, std::int64_t{1} << 24); }
CLI::Validator gpu_layers_range() { return CLI::Range(-1, 10'000); }

void add_model_flags(CLI::App& command, JudgeFlags& flags) {
  judge::MemberSettings& settings = flags.settings;
  const char* model = "Model";
  command
      .add_option("--judge", flags.judge,
                  "A name (selene models), a GGUF file, hf:owner/repo/file.gguf, URL#model of a "
                  "server (several with "
                  "commas between), or a judge file (*.yaml)")
      ->check(known_judge())
      ->group(model);
  command.add_option("--adapter", settings.adapter, "LoRA adapter (GGUF file), or none")
      ->check(not_empty())
      ->group(model);
  command.add_option("--adapter-scale", settings.adapter_scale, "Weight of the adapter [1]")
      ->check(number_from(-100, 100))
      ->group(model);
  command
      .add_option("--chat-template", settings.chat_template,
                  "Jinja file in place of the model's own chat template")
      ->check(CLI::ExistingFile)
      ->group(model);
  command
      .add_option("--date", settings.date,
                  "Date for a chat template that asks for one, YYYY-MM-DD [2024-07-26]")
      ->check(readable_by(engine::ChatTemplate::check_date))
      ->group(model);
}

void add_key_flags(CLI::App& command, JudgeFlags& flags) {
  judge::MemberSettings& settings = flags.settings;
  CLI::Option* variable =
      command.add_option("--key-env", settings.key_env, "Variable that holds a server's key")
          ->check(not_empty())
          ->group(kServers);
  command.add_option("--key-file", settings.key_file, "File whose first line is a server's key")
      ->check(not_empty())
      ->excludes(variable)
      ->group(kServers);
}

void add_judge_flags(CLI::App& command, JudgeFlags& flags, std::string_view mode) {
  judge::MemberSettings& settings = flags.settings;
  add_model_flags(command, flags);
  const char* policy = "Judging";
  command
      .add_option(
          "--template", settings.template_spec,
          "Prompt template: a built-in name, a YAML file or a folder of them [built in, by task]")
      ->check(readable_by(read_template_name))
      ->group(policy);
  command
      .add_option("--mode", settings.mode,
                  fmt::format("critique (then the verdict) or verdict (alone) [{}]", mode))
      ->check(CLI::IsMember({"critique", "verdict"}))
      ->group(policy);
  command
      .add_option("--order", settings.order,
                  "Pairwise: one (as stored) or both (also swapped; the mean counts) [one]")
      ->check(CLI::IsMember({"one", "both"}))
      ->group(policy);
  command.add_option("--max-tokens", settings.max_tokens, "Longest critique, in tokens [512]")
      ->check(CLI::Range(1, 1 << 20))
      ->group(policy);
  command
      .add_option("--samples", settings.samples,
                  "Critiques of each order, at a temperature above 0; the mean counts [1]")
      ->check(CLI::Range(1, 1000))
      ->group(policy);
  command
      .add_option("--temperature", settings.temperature, "0: always the most probable token [0]")
      ->check(number_from(0, 10))
      ->group(policy);
  command.add_option("--seed", flags.seed, "For a temperature above 0")
      ->capture_default_str()
      ->group(policy);
  add_machine_flags(command, flags);
}

void add_machine_flags(CLI::App& command, JudgeFlags& flags) {
  const char* machine = "Machine (none of these changes a judgment)";
  judge::MachineOptions& options = flags.machine;
  command.add_option("--threads", options.threads, "0: one a core")
      ->capture_default_str()
      ->check(thread_range())
      ->group(machine);
  command
      .add_option("--ctx-size", options.context_tokens,
                  "Longest sample in tokens; 0: what the model was trained for")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 24))
      ->group(machine);
  command
      .add_option("--kv-mib", options.kv_mib,
                  "Memory for keys and values; more critiques at once. 0: 256, or a quarter of a "
                  "large model's size")
      ->capture_default_str()
      ->check(kv_mib_range())
      ->group(machine);
  command
      .add_option("--gpu-layers", options.gpu_layers,
                  "Layers on the GPU, where the build has one; -1: all")
      ->capture_default_str()
      ->check(gpu_layers_range())
      ->group(machine);
  command
      .add_flag("--no-mmap", flags.no_mmap,
                "Read the model into memory instead of mapping the file")
      ->group(machine);

  add_key_flags(command, flags);
  command.add_option("--in-flight", options.in_flight, "Requests at once to each server")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000))
      ->group(kServers);
  command
      .add_option("--retries", options.retries, "Further attempts at a request that a server fails")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000))
      ->group(kServers);
  command
      .add_option("--timeout", options.timeout_s,
                  "Seconds that a server may take for a request; then it is sent again")
      ->capture_default_str()
      ->check(CLI::Range(1, 86'400))
      ->group(kServers);
  command
      .add_option("--token-budget", options.token_budget,
                  "Stop when servers have used so many tokens; 0: no limit")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 50))
      ->group(kServers);

  const char* ledger = "Ledger (every judgment is kept; the same work again costs nothing)";
  CLI::Option* file =
      command.add_option("--ledger", flags.ledger, "Its file [in the user's data folder]")
          ->check(not_empty())
          ->group(ledger);
  command
      .add_flag("--no-ledger", flags.no_ledger,
                "Neither look anything up nor keep it (with --out: until the run ends)")
      ->excludes(file)
      ->group(ledger);
}

void check_local_model(const std::string& judge, std::string_view command) {
  if (judge::names_local_model(judge)) return;
  throw UsageError(fmt::format("{} is for a local model", command), judge,
                   "give a name (selene models), a GGUF file or hf:owner/repo/file.gguf");
}

void check_judge_flags(const JudgeFlags& flags, bool others) {
  const judge::MemberSettings& settings = flags.settings;
  const judge::JudgeSpec spec = judge::parse_judge_spec(flags.judge);
  check_samples(settings, spec);
  const auto has_adapter = [&](const judge::MemberSpec& member) {
    const auto& adapter = settings.adapter ? settings.adapter : member.settings.adapter;
    return adapter.value_or("none") != "none";
  };
  if (settings.adapter_scale && std::none_of(spec.members.begin(), spec.members.end(), has_adapter))
    throw UsageError("--adapter-scale is given and no adapter", "", "give --adapter FILE too");
  if (others) return;
  const auto is_server = [](const judge::MemberSpec& member) { return !member.endpoints.empty(); };
  const auto servers = std::count_if(spec.members.begin(), spec.members.end(), is_server);
  const bool all_are_servers = servers == std::ssize(spec.members);
  const judge::MachineOptions& machine = flags.machine;
  const judge::MachineOptions unset;  // A default that is given all the same does no harm.
  const std::tuple<bool, bool, const char*> local_or_server_flags[] = {
      {true, settings.adapter.value_or("none") != "none", "--adapter"},
      {true, settings.chat_template.has_value(), "--chat-template"},
      {true, settings.date.has_value(), "--date"},
      {true, machine.threads != unset.threads, "--threads"},
      {true, machine.context_tokens != unset.context_tokens, "--ctx-size"},
      {true, machine.kv_mib != unset.kv_mib, "--kv-mib"},
      {true, machine.gpu_layers != unset.gpu_layers, "--gpu-layers"},
      {true, flags.no_mmap, "--no-mmap"},
      {false, settings.key_env.has_value(), "--key-env"},
      {false, settings.key_file.has_value(), "--key-file"},
      {false, machine.in_flight != unset.in_flight, "--in-flight"},
      {false, machine.retries != unset.retries, "--retries"},
      {false, machine.timeout_s != unset.timeout_s, "--timeout"},
      {false, machine.token_budget != unset.token_budget, "--token-budget"}};
  for (const auto& [local, given, flag] : local_or_server_flags) {
    if (given && local && all_are_servers) {
      throw UsageError(fmt::format("{} is for a local model, this judge is a server", flag), "",
                       "leave it out");
    }
    if (given && !local && servers == 0) {
      throw UsageError(fmt::format("{} is for a server, this judge is a local model", flag), "",
                       "leave it out, or give --judge URL#model");
    }
  }
}

std::filesystem::path ledger_path(const JudgeFlags& flags) {
  return flags.ledger.empty() ? judge::Ledger::default_path() : std::filesystem::path(flags.ledger);
}

judge::Judge open_judge(const JudgeFlags& flags) {
  judge::MachineOptions machine = flags.machine;
  machine.mmap = !flags.no_mmap;
  machine.warn = [](std::string_view warning) {
    // In place of a line of progress, which is drawn again.
    const char* clear = ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[2K" : "";
    fmt::print(stderr, "{}warning: {}\n", clear, printable(warning));
  };
  std::optional<std::filesystem::path> ledger;
  if (!flags.no_ledger) ledger = ledger_path(flags);
  return judge::open_judge(judge::parse_judge_spec(flags.judge), flags.settings, flags.seed,
                           machine, ledger);
}

}  // namespace selene::cli
