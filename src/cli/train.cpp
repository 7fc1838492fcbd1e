// `selene train`: a model file that judges, from a mix of pairs and a base model.
#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/parallel.h"
#include "core/progress.h"
#include "core/run_record.h"
#include "core/text.h"
#include "model/store.h"
#include "model/write_model.h"
#include "train/estimate.h"
#include "train/trainer.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A flag that stands for a key of the settings.
struct Flag {
  const char* name;
  const char* key;
  const char* help;
  const char* group;
};

constexpr const char* kWhat = "What is trained";
constexpr const char* kLoss = "Loss";
constexpr const char* kSteps = "Steps";
constexpr const char* kMemory = "Memory and speed";
constexpr const char* kKept = "Validation and checkpoints";

constexpr Flag kFlags[] = {
    {"--mix", "mix",
     "Folder that `selene curate` made (train.jsonl, validation.jsonl), or a file of pairs", kWhat},
    {"--base", "base",
     "Model to start from: a name, a GGUF of the Llama family or a Hugging Face folder [default]",
     kWhat},
    {"--adapter", "adapter", "LoRA adapter to start from (GGUF or PEFT folder)", kWhat},
    {"--pairs", "pairs", "Only the first so many pairs of the mix", kWhat},
    {"--max-tokens", "max_tokens",
     "Longest pair, in tokens; longer ones have the middle of their data cut out [the model's "
     "context]",
     kWhat},
    {"--loss", "loss", "dpo+nll, dpo, sft, dpo-norm or dpo-norm+nll [dpo+nll]", kLoss},
    {"--beta", "beta", "Of DPO: how far from the reference [0.1]", kLoss},
    {"--alpha", "nll_weight", "Weight of the chosen answer's NLL [1]", kLoss},
    {"--dpo-weight", "dpo_weight", "Weight of the DPO term [1]", kLoss},
    {"--normaliser", "normaliser",
     "What the NLL is divided by: completion, sum or prompt+completion [completion]", kLoss},
    {"--verdict-weight", "verdict_weight",
     "Weight of the verdict's tokens against the critique's [1]", kLoss},
    {"--learning-rate", "learning_rate", "[1e-5, with --lora 1e-4]", kSteps},
    {"--schedule", "schedule", "cosine, linear or constant [cosine]", kSteps},
    {"--warmup", "warmup", "Share of the steps in which the rate rises [0.1]", kSteps},
    {"--weight-decay", "weight_decay", "[0]", kSteps},
    {"--clip", "clip", "Largest norm of the gradient, 0 for none [1]", kSteps},
    {"--batch", "batch", "Pairs a step [16]", kSteps},
    {"--epochs", "epochs", "[1]", kSteps},
    {"--steps", "steps", "In place of epochs", kSteps},
    {"--seed", "seed", "[1]", kSteps},
    {"--precision", "precision",
     "Of matrix products: fp32, bf16 or fp64; weights are kept in fp32 [fp32]", kMemory},
    {"--row-tokens", "row_tokens",
     "Tokens computed at a time; pairs are packed into rows of so many [2048]", kMemory},
    {"--validation-pairs", "validation_pairs",
     "Pairs of validation.jsonl to measure with, 0 for none [200]", kKept},
    {"--validate-every", "validate_every", "Steps [a tenth of the run]", kKept},
    {"--checkpoint-every", "checkpoint_every", "Steps [as often as validated]", kKept},
    {"--keep", "keep", "Checkpoints kept, beside the best one [2]", kKept},
    {"--patience", "patience", "Validations without a better loss that end the run, 0 for none [0]",
     kKept},
    {"--format", "format", "Of the model file: f32, f16, bf16, q8_0, q4_0 or q4_1 [q8_0]", kKept},
};

struct TrainCommand {
  std::string config;
  std::string out;
  std::map<std::string, std::string> values;  // By flag.
  bool lora = false;
  std::string lora_rank, lora_alpha, lora_targets;
  bool recompute = false;
  int threads = 0;
  bool dry_run = false;
  bool overwrite = false;
  bool quiet = false;
};

train::TrainSettings settings_of(const TrainCommand& options) {
  train::TrainSettings settings;
  if (!options.config.empty()) train::read_settings(options.config, settings);
  // The loss is a set of settings, which other flags change.
  if (const auto loss = options.values.find("--loss"); loss != options.values.end())
    train::set_setting("loss", loss->second, "--loss", settings);
  for (const Flag& flag : kFlags) {
    const auto value = options.values.find(flag.name);
    if (value != options.values.end() && std::string_view(flag.key) != "loss")
      train::set_setting(flag.key, value->second, flag.name, settings);
  }
  if (options.lora && !settings.model.lora) settings.model.lora = train::LoraSettings{};
  for (const auto& [value, key] : {std::pair{&options.lora_rank, "rank"},
                                   {&options.lora_alpha, "alpha"},
                                   {&options.lora_targets, "targets"}}) {
    if (value->empty()) continue;
    if (!settings.model.lora) throw UsageError(fmt::format("--lora-{} needs --lora", key));
    train::set_lora_setting(key, *value, fmt::format("--lora-{}", key), *settings.model.lora);
  }
  if (options.recompute) settings.model.recompute = true;
  if (!settings.learning_rate_given && settings.model.lora) settings.optimizer.learning_rate = 1e-4;
  train::check_settings(settings);
  return settings;
}

// A GGUF of the base: itself, or one made of a Hugging Face folder beside the run.
fs::path base_gguf(const std::string& base, const fs::path& out) {
  if (!fs::is_directory(base)) return model::resolve_model(base == "default" ? "" : base).path;
  const fs::path made = out / "base.gguf";
  if (!path_exists(made)) {
    const auto weights = model::open_weights(base);
    model::write_gguf(
        made, base,
        [&](const std::string& name, std::span<float> numbers) { weights->read(name, numbers); },
        "f32");
  }
  return made;
}

std::string of_validation(const train::PairMeans& means) {
  return fmt::format(
      "loss {:.4f}, verdicts right {:.1f}%, margin above 0 {:.1f}%, mean margin {:+.3f}",
      means.loss, 100 * means.verdict_accuracy, 100 * means.accuracy, means.margin);
}

// The lines and the progress that a run shows.
class Screen {
 public:
  explicit Screen(bool quiet) : quiet_(quiet) {}

  train::TrainEvents events() {
    train::TrainEvents events;
    events.say = [this](const std::string& line) { say(line); };
    events.work = [this](const char* what, std::size_t done, std::size_t total) {
      bar(what, "pairs", done, total);
    };
    events.step = [this](const train::TrainProgress& at) {
      bar("training", "steps", static_cast<std::uint64_t>(at.step),
          static_cast<std::uint64_t>(at.steps));
      if (at.step % 10 != 0 && at.step != 1 && at.step != at.steps) return;
      say(
          fmt::format("step {}/{}  loss {:.4f}  margin {:+.3f}  right {:.0f}%  norm {:.2f}  rate "
                      "{:.2g}  {:.0f} tokens/s",
                      at.step, at.steps, at.batch.loss, at.batch.margin, 100 * at.batch.accuracy,
                      at.gradient_norm, at.learning_rate, at.tokens_per_second));
    };
    events.validated = [this](std::int64_t step, const train::PairMeans& means) {
      say(fmt::format("validation after step {}: {}", step, of_validation(means)));
    };
    events.stop = [] { return interrupted(); };
    return events;
  }
  void say(const std::string& line) {
    if (quiet_) return;
    if (progress_) progress_->clear();
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  void finish() {
    if (progress_) progress_->finish();
  }

 private:
  void bar(const std::string& what, const char* unit, std::uint64_t done, std::uint64_t total) {
    if (!progress_ || what != shown_) {
      if (progress_) progress_->finish();
      progress_ = std::make_unique<Progress>(
          Progress::Options{.label = what, .unit = unit, .total = total, .silent = quiet_});
      shown_ = what;
      if (done > 1) progress_->resume_from(done - 1);
    }
    progress_->set(done);
  }

  bool quiet_;
  std::string shown_;
  std::unique_ptr<Progress> progress_;
};

void prepare_folder(const TrainCommand& options) {
  const fs::path out = options.out;
  if (path_exists(out) && !fs::is_directory(out))
    throw Error("this is no folder", out.string(), "give --out another name");
  const bool ours = path_exists(out / "metrics.jsonl") || path_exists(out / "reference.bin") ||
                    path_exists(out / "run.json");
  if (path_exists(out) && !fs::is_empty(out) && !ours)
    throw Error("the folder has files that are not of a training run", out.string(),
                "give --out a new folder");
  if (options.overwrite) {
    for (const char* name : {"metrics.jsonl", "reference.bin", "run.json", "model.gguf",
                             "adapter.gguf", "judge.yaml", "base.gguf"})
      fs::remove(out / name);
    for (const char* name : {"checkpoints", "adapter"}) fs::remove_all(out / name);
  }
  fs::create_directories(out);
}

int run_train(const TrainCommand& options) {
  const train::TrainSettings settings = settings_of(options);
  train::set_threads(options.threads > 0 ? options.threads : machine_threads());
  if (options.dry_run) {
    put(train::estimate_text(train::estimate(settings)));
    return kExitOk;
  }
  if (options.out.empty()) throw UsageError("--out is required", "", "name a folder for the run");
  prepare_folder(options);
  const fs::path out = options.out;
  const FileLock lock(out);
  if (path_exists(out / "model.gguf") && path_exists(out / "run.json"))
    throw Error("the run is finished", out.string(), "give --out another name, or --overwrite");
  RunRecord record("train");
  const fs::path base = base_gguf(settings.base, out);
  Screen screen(options.quiet);
  const train::TrainOutcome outcome =
      train::train(settings, base, out, screen.events(), record.fields());
  screen.finish();
  if (!outcome.done) {
    std::fprintf(stderr, "interrupted after step %lld; the same command again goes on from there\n",
                 static_cast<long long>(outcome.steps));
    return kExitInterrupted;
  }
  write_file_atomically(out / "judge.yaml",
                        "# What `--judge` of this folder takes.\nmodel: model.gguf\n");
  Json& fields = record.fields();
  fields["counts"]["steps"] = outcome.steps;
  fields["counts"]["best_step"] = outcome.best_step;
  fields["counts"]["tokens"] = outcome.tokens;
  fields["counts"]["plain_tokens"] = outcome.plain_tokens;
  fields["digests"] = {{"model", sha256_file(out / "model.gguf")}};
  record.write(out / "run.json");
  if (outcome.before) screen.say("before: " + of_validation(*outcome.before));
  if (outcome.after) screen.say("after:  " + of_validation(*outcome.after));
  screen.say(fmt::format("{} steps; the judge is {}: selene judge --judge {}", outcome.steps,
                         (out / "model.gguf").string(), out.string()));
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene train --mix mix --out run --lora
  selene train --mix mix --base selene-1-mini --out run --config train.yaml
  selene train --mix mix --out run --dry-run
  selene judge --judge run examples/answers.jsonl

The run can be stopped at any time: the same command goes on from its last checkpoint, to the same bits.)";

}  // namespace

void add_train_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TrainCommand>();
  CLI::App* command = app.add_subcommand("train", "Make a judge: DPO + NLL on a mix of pairs");
  command->footer(kExamples);
  command->add_option("--config", options->config, "YAML file of settings, which flags override")
      ->check(CLI::ExistingFile);
  command->add_option("--out", options->out, "Folder of the run")->check(not_empty());
  for (const Flag& flag : kFlags) {
    command->add_option(flag.name, options->values[flag.name], flag.help)
        ->check(not_empty())
        ->group(flag.group);
  }
  command->add_flag("--lora", options->lora, "Train adapters in place of all weights")
      ->group(kWhat);
  command->add_option("--lora-rank", options->lora_rank, "[16]")->group(kWhat);
  command->add_option("--lora-alpha", options->lora_alpha, "[32]")->group(kWhat);
  command
      ->add_option("--lora-targets", options->lora_targets,
                   "Weights with adapters, commas between [all seven of a layer]")
      ->group(kWhat);
  command
      ->add_flag("--recompute", options->recompute,
                 "Keep each layer's input alone and compute it again on the way back: less "
                 "memory, a third more time")
      ->group(kMemory);
  command->add_option("--threads", options->threads, "[all cores]")
      ->check(CLI::Range(0, 1024))
      ->group(kMemory);
  command->add_flag("--dry-run", options->dry_run, "Say memory and time, and train nothing");
  command->add_flag("--overwrite", options->overwrite, "Start anew where a run is there");
  command->add_flag("--quiet", options->quiet, "No progress");
  command->callback([options, command, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    std::erase_if(options->values, [](const auto& one) { return one.second.empty(); });
    exit_code = run_train(*options);
  });
  command->require_subcommand(0, 1);
  add_train_plot_command(*command, exit_code);
}

}  // namespace selene::cli
