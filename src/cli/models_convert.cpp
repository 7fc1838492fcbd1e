// `selene models convert`, `quantize` and `merge`: model files made of model files.
#include <algorithm>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/models_files.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "model/adapter.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"
#include "model/number_format.h"
#include "model/quantize.h"
#include "model/write_model.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

struct Files {
  std::string in;
  std::string out;
  std::string adapter;  // merge
  std::string base;     // Of an adapter that is converted.
  std::string to;
  std::string format;
  std::string tokenizer;
  bool overwrite = false;
  bool quiet = false;
};

constexpr const char* kConvertExamples = R"(Examples:
  selene models convert model.gguf folder/                     every number kept: f32, or f16 or bf16 where it is that
  selene models convert folder/ model.gguf
  selene models convert folder/ model.gguf --format q8_0
  selene models convert adapter.gguf peft/ --base model.gguf   a LoRA adapter, and the other way

The tokenizer and the chat template go along. `selene models diff IN OUT` shows what a format has changed.)";

constexpr const char* kQuantizeExamples = R"(Examples:
  selene models quantize model-f16.gguf model-q8_0.gguf --format q8_0
  selene models quantize folder/ model-q4_0.gguf --format q4_0

The formats are those that `selene models tune` measures. A GGUF may be of any architecture.)";

constexpr const char* kMergeExamples = R"(Examples:
  selene models merge default adapter.gguf merged.gguf --format q8_0
  selene models merge folder/ peft/ merged/

The adapter is a GGUF adapter or a PEFT folder: each weight becomes W + alpha / rank * B A.)";

std::vector<std::string> names_of(const std::vector<std::string_view>& names) {
  return {names.begin(), names.end()};
}

void add_flags(CLI::App& command, Files& options) {
  command.add_flag("--overwrite", options.overwrite, "Replace OUT where it is there");
  command.add_flag("--quiet", options.quiet, "No progress, no messages");
}

// --to and --format are checked against one another: a folder holds f32, f16 and bf16.
void check_format(const Files& options) {
  const std::vector<std::string_view> known = is_gguf_output(options.out, options.to)
                                                  ? model::gguf_formats()
                                                  : model::huggingface_formats();
  if (options.format.empty()) return;
  if (std::find(known.begin(), known.end(), options.format) == known.end()) {
    throw UsageError(fmt::format("a Hugging Face folder is not written in {}", options.format), "",
                     "name a file OUT.gguf, or give --format f32, f16 or bf16");
  }
}

int convert_adapter(const Files& options, const fs::path& in) {
  if (options.base.empty()) {
    throw UsageError("an adapter is converted by the shape of its model", "",
                     "give --base MODEL, the model that it is for");
  }
  if (!options.format.empty() || !options.tokenizer.empty()) {
    throw UsageError("an adapter is written in f32 and has no tokenizer", "",
                     "leave out --format and --tokenizer");
  }
  const fs::path base = model_path(options.base);
  const model::LlamaConfig config = model::open_weights(base)->config();
  const model::LoraAdapter adapter = model::read_adapter(in, config);
  if (is_gguf_output(options.out, options.to)) {
    model::write_adapter_gguf(output_target(options.out, options.overwrite), adapter, config);
  } else {
    if (!options.overwrite && path_exists(options.out)) {
      throw Error("the output folder exists", options.out,
                  "give --overwrite or name another folder");
    }
    const std::string said = model::inspect_adapter(in).base;
    model::write_peft_folder(options.out, adapter, config, said.empty() ? base.string() : said);
  }
  put(fmt::format("{}\n", options.out));
  return kExitOk;
}

int run_convert(const Files& options) {
  const fs::path in = model_path(options.in);
  if (model::is_adapter(in)) return convert_adapter(options, in);
  if (!options.base.empty()) {
    throw UsageError("--base is for adapters, and this is a model", "", "leave it out");
  }
  check_format(options);
  const std::unique_ptr<model::Weights> weights = model::open_weights(in);
  write_model({.base = in.string(),
               .out = options.out,
               .to = options.to,
               .format = options.format,
               .tokenizer = options.tokenizer,
               .label = "converting",
               .overwrite = options.overwrite,
               .quiet = options.quiet},
              *weights);
  return kExitOk;
}

// A GGUF of any architecture, tensor by tensor.
void quantize_gguf(const Files& options, const fs::path& in) {
  std::vector<model::WeightInfo> tensors;
  {
    const model::MappedFile file(in);
    try {
      for (const model::GgufTensor& tensor : model::read_gguf_layout(file.bytes()).tensors)
        tensors.push_back({std::string(tensor.name), tensor.rows(), tensor.row_length(), ""});
    } catch (const Error& failure) {
      throw failure.at(in.string());
    }
  }
  NumberProgress progress("quantising", tensors, options.quiet);
  model::quantize(in, output_target(options.out, options.overwrite), options.format,
                  [&](std::uint64_t numbers) { progress.add(numbers); });
  progress.finish();
  put(fmt::format("{}\n", options.out));
}

int run_quantize(const Files& options) {
  const fs::path in = model_path(options.in);
  std::error_code failure;
  if (!fs::is_directory(in, failure)) {
    quantize_gguf(options, in);
    return kExitOk;
  }
  const std::unique_ptr<model::Weights> weights = model::open_weights(in);
  write_model({.base = in.string(),
               .out = options.out,
               .to = "gguf",
               .format = options.format,
               .label = "quantising",
               .overwrite = options.overwrite,
               .quiet = options.quiet},
              *weights);
  return kExitOk;
}

int run_merge(const Files& options) {
  const fs::path base = model_path(options.in);
  check_format(options);
  const std::unique_ptr<model::Weights> weights = model::open_weights(base);
  const model::LoraAdapter adapter = model::read_adapter(options.adapter, weights->config());
  write_model({.base = base.string(),
               .out = options.out,
               .to = options.to,
               .format = options.format,
               .label = "merging",
               .overwrite = options.overwrite,
               .quiet = options.quiet},
              *weights, [&](const std::string& name, std::span<float> numbers) {
                model::add_adapter(adapter, name, numbers);
              });
  return kExitOk;
}

void add_out(CLI::App& command, Files& options) {
  command.add_option("OUT", options.out, "NAME.gguf, or a folder for Hugging Face")
      ->required()
      ->check(not_empty());
  command.add_option("--to", options.to, "What OUT is [by its name]")
      ->check(CLI::IsMember({"gguf", "huggingface"}));
  command
      .add_option("--format", options.format, "How numbers are kept [so that each stays as it is]")
      ->check(CLI::IsMember(names_of(model::gguf_formats())));
}

void add_convert(CLI::App& models, int& exit_code) {
  auto options = std::make_shared<Files>();
  CLI::App* command = models.add_subcommand(
      "convert", "Write a model as a GGUF or as a Hugging Face folder, or an adapter as the other");
  command->footer(kConvertExamples);
  command->add_option("IN", options->in, "A GGUF, a Hugging Face folder, a name, or an adapter")
      ->required()
      ->check(not_empty());
  add_out(*command, *options);
  command
      ->add_option("--tokenizer", options->tokenizer,
                   "A GGUF whose tokenizer goes along in place of IN's")
      ->check(not_empty());
  command->add_option("--base", options->base, "Of an adapter: the model that it is for")
      ->check(not_empty());
  add_flags(*command, *options);
  command->callback([options, &exit_code] { exit_code = run_convert(*options); });
}

void add_quantize(CLI::App& models, int& exit_code) {
  auto options = std::make_shared<Files>();
  CLI::App* command =
      models.add_subcommand("quantize", "Write a model as a GGUF with fewer bits a number");
  command->footer(kQuantizeExamples);
  command->add_option("IN", options->in, "A GGUF, a Hugging Face folder, or a name")
      ->required()
      ->check(not_empty());
  command->add_option("OUT", options->out, "A file NAME.gguf")->required()->check(not_empty());
  command->add_option("--format", options->format, "How numbers are kept")
      ->required()
      ->check(CLI::IsMember(names_of(model::quantized_formats())));
  add_flags(*command, *options);
  command->callback([options, &exit_code] { exit_code = run_quantize(*options); });
}

void add_merge(CLI::App& models, int& exit_code) {
  auto options = std::make_shared<Files>();
  CLI::App* command = models.add_subcommand("merge", "Write a model with a LoRA adapter in it");
  command->footer(kMergeExamples);
  command->add_option("BASE", options->in, "A GGUF, a Hugging Face folder, or a name")
      ->required()
      ->check(not_empty());
  command->add_option("ADAPTER", options->adapter, "A GGUF adapter or a PEFT folder")
      ->required()
      ->check(not_empty());
  add_out(*command, *options);
  add_flags(*command, *options);
  command->callback([options, &exit_code] { exit_code = run_merge(*options); });
}

}  // namespace

void add_models_convert_commands(CLI::App& models, int& exit_code) {
  add_convert(models, exit_code);
  add_quantize(models, exit_code);
  add_merge(models, exit_code);
}

}  // namespace selene::cli
