#include "cli/judge_flags.h"

#include <CLI/CLI.hpp>

#include "core/file.h"
#include "engine/llama_engine.h"
#include "model/store.h"

namespace selene::cli {

void add_judge_flags(CLI::App& command, JudgeFlags& flags) {
  const char* model = "Model";
  command.add_option("--judge", flags.judge, "Model: a name (selene models), a GGUF file or hf:owner/repo/file.gguf")
      ->group(model);
  command.add_option("--adapter", flags.adapter, "LoRA adapter (GGUF file), or none")->capture_default_str()->group(model);
  command.add_option("--adapter-scale", flags.adapter_scale, "Weight of the adapter")
      ->capture_default_str()->check(CLI::Range(-100.0, 100.0))->group(model);
  command.add_option("--chat-template", flags.chat_template, "Jinja file in place of the model's own chat template")
      ->check(CLI::ExistingFile)->group(model);
  command.add_option("--date", flags.date, "The date that a chat template may ask for; part of the prompt")
      ->capture_default_str()->group(model);

  const char* policy = "Judging";
  command.add_option("--template", flags.template_spec,
                     "Prompt template: a built-in name, a YAML file or a folder of them; default: built in, by task")
      ->group(policy);
  command.add_option("--mode", flags.mode, "critique (then the verdict) or verdict (alone)")
      ->capture_default_str()->check(CLI::IsMember({"critique", "verdict"}))->group(policy);
  command.add_option("--order", flags.order, "Pairwise: one (as stored) or both (also swapped, mean of the two)")
      ->capture_default_str()->check(CLI::IsMember({"one", "both"}))->group(policy);
  command.add_option("--max-tokens", flags.max_tokens, "Longest critique, in tokens")
      ->capture_default_str()->check(CLI::Range(1, 1 << 20))->group(policy);
  command.add_option("--samples", flags.samples, "Critiques of each order, at a temperature above 0; their mean counts")
      ->capture_default_str()->check(CLI::Range(1, 1000))->group(policy);
  command.add_option("--temperature", flags.temperature, "0: always the most probable token")
      ->capture_default_str()->check(CLI::Range(0.0, 10.0))->group(policy);
  command.add_option("--seed", flags.seed, "For --temperature above 0")->capture_default_str()->group(policy);

  const char* machine = "Machine (none of these changes a judgment)";
  command.add_option("--threads", flags.threads, "0: one a core")
      ->capture_default_str()->check(CLI::Range(0, 1024))->group(machine);
  command.add_option("--ctx-size", flags.context, "Longest sample in tokens; 0: what the model was trained for")
      ->capture_default_str()->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 24))->group(machine);
  command.add_option("--kv-mib", flags.kv_mib, "Memory for keys and values; 0: 256, or a quarter of a large model's size")
      ->capture_default_str()->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 24))->group(machine);
  command.add_option("--gpu-layers", flags.gpu_layers, "Layers on the GPU, where the build has one; -1: all")
      ->capture_default_str()->check(CLI::Range(-1, 10'000))->group(machine);
  command.add_flag("--no-mmap", flags.no_mmap, "Read the model into memory instead of mapping the file")->group(machine);
}

judge::Judge open_judge(const JudgeFlags& flags) {
  judge::TemplateSet templates = judge::TemplateSet::open(flags.template_spec);
  const model::ResolvedModel model = model::resolve_model(flags.judge);
  auto engine = engine::open_llama_engine({
      .model = model.path,
      .name = model.name,
      .adapter = flags.adapter == "none" ? "" : flags.adapter,
      .adapter_scale = static_cast<float>(flags.adapter_scale),
      .threads = flags.threads,
      .context_tokens = flags.context,
      .kv_mib = flags.kv_mib,
      .gpu_layers = flags.gpu_layers,
      .mmap = !flags.no_mmap,
      .chat_template = flags.chat_template.empty() ? "" : read_file(flags.chat_template),
      .date = flags.date,
  });
  const judge::Policy policy{
      .mode = flags.mode == "verdict" ? judge::Mode::Verdict : judge::Mode::Critique,
      .order = flags.order == "both" ? judge::Order::Both : judge::Order::One,
      .max_tokens = flags.max_tokens,
      .samples = flags.samples,
      .temperature = flags.temperature,
      .seed = flags.seed,
  };
  return judge::Judge(std::move(engine), std::move(templates), policy);
}

nlohmann::ordered_json describe(const judge::Judge& judge) {
  const engine::EngineId& id = judge.engine().id();
  const judge::Policy& policy = judge.policy();
  nlohmann::ordered_json templates = nlohmann::ordered_json::object();
  for (const judge::Template& form : judge.templates().all()) templates[form.name] = form.digest;
  return {{"name", id.name},
          {"model", id.model},
          {"adapter", id.adapter},
          {"engine", id.version},
          {"engine_options", id.options},
          {"templates", templates},
          {"mode", mode_name(policy.mode)},
          {"order", policy.order == judge::Order::Both ? "both" : "one"},
          {"max_tokens", policy.max_tokens},
          {"samples", policy.samples},
          {"temperature", policy.temperature},
          {"seed", policy.seed}};
}

}  // namespace selene::cli
