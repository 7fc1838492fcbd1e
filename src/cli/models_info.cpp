// `selene models info`: what a model file or an adapter is.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/models_files.h"
#include "cli/output.h"
#include "core/text.h"
#include "model/adapter.h"
#include "model/describe.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(Examples:
  selene models info default
  selene models info model.gguf
  selene models info folder/ --format json       a Hugging Face folder
  selene models info adapter.gguf                a LoRA adapter, also a PEFT folder)";

std::string gigabytes(std::uint64_t bytes) {
  return bytes < 10'000'000 ? fmt::format("{:.2f} MB", static_cast<double>(bytes) / 1e6)
                            : fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

std::string millions(std::uint64_t numbers) {
  return numbers < 1'000'000 ? fmt::format("{}", numbers)
                             : fmt::format("{:.1f} million", static_cast<double>(numbers) / 1e6);
}

void line(std::string_view name, const std::string& value) {
  put(fmt::format("{:<15}{}\n", name, printable(value)));
}

void print_shape(const model::LlamaConfig& config) {
  line("shape",
       fmt::format("{} layers of width {}, {} heads of {}, {} of keys and values, feed-forward {}",
                   config.layers, config.width, config.heads, config.head_size, config.kv_heads,
                   config.feed_forward));
  line("context", fmt::format("{} tokens", config.context_length));
  line("RoPE", fmt::format("base {}, {}", config.rope_base,
                           config.rope_factors.empty() ? "no scaling" : "scaled as Llama 3.1"));
  line("RMSNorm", fmt::format("epsilon {}", config.rms_epsilon));
  line("embedding",
       fmt::format("{} rows, {}", config.vocabulary,
                   config.tied_embeddings ? "also the output" : "apart from the output"));
}

void print_tokenizer(const model::ModelFacts& facts) {
  const model::TokenizerFacts& tokenizer = facts.tokenizer;
  if (!tokenizer.problem.empty()) {
    line("tokenizer", tokenizer.problem);
  } else if (tokenizer.kind.empty()) {
    line("tokenizer", "none");
  } else {
    std::vector<std::string> special;
    for (const auto& [name, text] : tokenizer.special)
      special.push_back(fmt::format("{} {}", name, text));
    line("tokenizer", fmt::format("{} tokens, {}{}", tokenizer.tokens, tokenizer.kind,
                                  tokenizer.pre.empty() ? "" : " (" + tokenizer.pre + ")"));
    if (!special.empty()) line("", fmt::format("{}", fmt::join(special, ", ")));
  }
  line("chat template",
       facts.chat_template ? fmt::format("{} characters", facts.chat_template->size()) : "none");
}

void print_text(const model::ModelFacts& facts) {
  if (!facts.name.empty()) line("name", facts.name);
  line("kind", fmt::format("{}, {}{}", facts.kind, facts.architecture,
                           facts.file_type.empty() ? "" : ", " + facts.file_type));
  line("parameters", fmt::format("{} in {} tensors", millions(facts.parameters), facts.tensors));
  line("size", gigabytes(facts.bytes));
  for (const model::TypeShare& share : facts.types) {
    line(&share == &facts.types.front() ? "numbers" : "",
         fmt::format("{}: {} tensors, {} parameters, {}", share.type, share.tensors,
                     millions(share.parameters), gigabytes(share.bytes)));
  }
  if (facts.config) {
    print_shape(*facts.config);
  } else {
    line("shape", fmt::format("not read: {}", facts.not_read));
  }
  print_tokenizer(facts);
}

Json to_json(const model::LlamaConfig& config) {
  return {{"layers", config.layers},
          {"width", config.width},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"head_size", config.head_size},
          {"feed_forward", config.feed_forward},
          {"vocabulary", config.vocabulary},
          {"context_length", config.context_length},
          {"rms_epsilon", config.rms_epsilon},
          {"rope_base", config.rope_base},
          {"rope_factors", config.rope_factors},
          {"tied_embeddings", config.tied_embeddings}};
}

Json to_json(const model::ModelFacts& facts) {
  Json types = Json::array();
  for (const model::TypeShare& share : facts.types) {
    types.push_back({{"type", share.type},
                     {"tensors", share.tensors},
                     {"parameters", share.parameters},
                     {"bytes", share.bytes}});
  }
  Json special = Json::object();
  for (const auto& [name, text] : facts.tokenizer.special) special[name] = text;
  Json json{{"kind", facts.kind},
            {"name", facts.name},
            {"architecture", facts.architecture},
            {"file_type", facts.file_type},
            {"bytes", facts.bytes},
            {"tensors", facts.tensors},
            {"parameters", facts.parameters},
            {"types", types}};
  json["shape"] = facts.config ? to_json(*facts.config) : Json();
  if (!facts.not_read.empty()) json["not_read"] = facts.not_read;
  json["tokenizer"] = {{"kind", facts.tokenizer.kind},
                       {"pre", facts.tokenizer.pre},
                       {"tokens", facts.tokenizer.tokens},
                       {"special", special}};
  if (!facts.tokenizer.problem.empty()) json["tokenizer"]["problem"] = facts.tokenizer.problem;
  json["chat_template"] = facts.chat_template ? Json(*facts.chat_template) : Json();
  return json;
}

void print_adapter(const model::AdapterFacts& facts, bool as_json) {
  if (as_json) {
    const Json json{{"kind", facts.kind + " adapter"},
                    {"rank", facts.rank},
                    {"alpha", facts.alpha},
                    {"matrices", facts.matrices},
                    {"parameters", facts.parameters},
                    {"targets", facts.targets},
                    {"base", facts.base},
                    {"bytes", facts.bytes}};
    put(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return;
  }
  line("kind", facts.kind + " adapter (LoRA)");
  if (!facts.base.empty()) line("for", facts.base);
  line("rank", fmt::format("{}, alpha {}", facts.rank, facts.alpha));
  line("parameters",
       fmt::format("{} in {} weights' changes", millions(facts.parameters), facts.matrices));
  line("targets", fmt::format("{}", fmt::join(facts.targets, ", ")));
  line("size", gigabytes(facts.bytes));
}

int run_info(const std::string& spec, bool as_json) {
  const std::filesystem::path path = model_path(spec);
  if (model::is_adapter(path)) {
    print_adapter(model::inspect_adapter(path), as_json);
    return kExitOk;
  }
  const model::ModelFacts facts = model::describe_model(path);
  if (as_json) {
    put(to_json(facts).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    print_text(facts);
  }
  return kExitOk;
}

}  // namespace

void add_models_info_command(CLI::App& models, int& exit_code) {
  struct Options {
    std::string in;
    std::string format = "text";
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = models.add_subcommand(
      "info", "Say what a model is: shape, formats, parameters, size, tokenizer");
  command->footer(kExamples);
  command->add_option("IN", options->in, "A GGUF, a Hugging Face folder, a name, or an adapter")
      ->required()
      ->check(not_empty());
  command->add_option("--format", options->format, "How it is printed")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
  command->callback(
      [options, &exit_code] { exit_code = run_info(options->in, options->format == "json"); });
}

}  // namespace selene::cli
