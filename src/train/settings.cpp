#include "train/settings.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/yaml.h"
#include "data/yaml_map.h"

namespace selene::train {
namespace {

using data::Entry;
using data::Key;

using Json = nlohmann::ordered_json;

// What a call without a place throws, at the entry's.
template <typename Call>
auto at_entry(const Entry& entry, const Call& call) {
  try {
    return call();
  } catch (const Error& failure) {
    throw failure.at(entry.place);
  }
}

void set_loss(TrainSettings& settings, const std::string& name) {
  settings.loss = find_loss(name).settings;
  settings.loss_name = name;
}

constexpr Key<LoraSettings> kLoraKeys[] = {
    {"rank", [](LoraSettings& lora, const Entry& e) { lora.rank = e.as<std::int64_t>(); }},
    {"alpha", [](LoraSettings& lora, const Entry& e) { lora.alpha = e.as<double>(); }},
    {"targets",
     [](LoraSettings& lora, const Entry& e) { lora.targets = e.as<std::vector<std::string>>(); }},
};

constexpr Key<model::LlamaConfig> kShapeKeys[] = {
    {"layers", [](model::LlamaConfig& c, const Entry& e) { c.layers = e.as<std::uint64_t>(); }},
    {"width", [](model::LlamaConfig& c, const Entry& e) { c.width = e.as<std::uint64_t>(); }},
    {"heads", [](model::LlamaConfig& c, const Entry& e) { c.heads = e.as<std::uint64_t>(); }},
    {"kv_heads", [](model::LlamaConfig& c, const Entry& e) { c.kv_heads = e.as<std::uint64_t>(); }},
    {"head_size",
     [](model::LlamaConfig& c, const Entry& e) { c.head_size = e.as<std::uint64_t>(); }},
    {"feed_forward",
     [](model::LlamaConfig& c, const Entry& e) { c.feed_forward = e.as<std::uint64_t>(); }},
    {"vocabulary",
     [](model::LlamaConfig& c, const Entry& e) { c.vocabulary = e.as<std::uint64_t>(); }},
    {"context",
     [](model::LlamaConfig& c, const Entry& e) { c.context_length = e.as<std::uint64_t>(); }},
    {"tied_embeddings",
     [](model::LlamaConfig& c, const Entry& e) { c.tied_embeddings = e.as<bool>(); }},
};

constexpr Key<TrainSettings> kKeys[] = {
    {"mix", [](TrainSettings& s, const Entry& e) { s.mix = e.text(); }},
    {"base", [](TrainSettings& s, const Entry& e) { s.base = e.text(); }},
    {"adapter", [](TrainSettings& s, const Entry& e) { s.adapter = e.text(); }},
    {"loss", [](TrainSettings& s, const Entry& e) { at_entry(e, [&] { set_loss(s, e.text()); }); }},
    {"beta", [](TrainSettings& s, const Entry& e) { s.loss.beta = e.as<double>(); }},
    {"dpo_weight", [](TrainSettings& s, const Entry& e) { s.loss.dpo_weight = e.as<double>(); }},
    {"nll_weight", [](TrainSettings& s, const Entry& e) { s.loss.nll_weight = e.as<double>(); }},
    {"normaliser",
     [](TrainSettings& s, const Entry& e) {
       at_entry(e, [&] { s.loss.normaliser = normaliser_from_name(e.text()); });
     }},
    {"verdict_weight",
     [](TrainSettings& s, const Entry& e) { s.loss.verdict_weight = e.as<double>(); }},
    {"precision",
     [](TrainSettings& s, const Entry& e) {
       at_entry(e, [&] { s.model.precision = precision_from_name(e.text()); });
     }},
    {"lora",
     [](TrainSettings& s, const Entry& e) {
       s.model.lora = LoraSettings{};
       data::read_keys(*s.model.lora, data::entries_of(e.value, "'lora'", e.file), kLoraKeys);
     }},
    {"recompute", [](TrainSettings& s, const Entry& e) { s.model.recompute = e.as<bool>(); }},
    {"seed", [](TrainSettings& s, const Entry& e) { s.model.seed = e.as<std::uint64_t>(); }},
    {"learning_rate",
     [](TrainSettings& s, const Entry& e) {
       s.optimizer.learning_rate = e.as<double>();
       s.learning_rate_given = true;
     }},
    {"schedule",
     [](TrainSettings& s, const Entry& e) {
       at_entry(e, [&] { s.optimizer.schedule = schedule_from_name(e.text()); });
     }},
    {"warmup", [](TrainSettings& s, const Entry& e) { s.optimizer.warmup = e.as<double>(); }},
    {"weight_decay",
     [](TrainSettings& s, const Entry& e) { s.optimizer.weight_decay = e.as<double>(); }},
    {"clip", [](TrainSettings& s, const Entry& e) { s.optimizer.clip = e.as<double>(); }},
    {"batch", [](TrainSettings& s, const Entry& e) { s.batch = e.as<std::int64_t>(); }},
    {"epochs", [](TrainSettings& s, const Entry& e) { s.epochs = e.as<double>(); }},
    {"steps", [](TrainSettings& s, const Entry& e) { s.steps = e.as<std::int64_t>(); }},
    {"row_tokens", [](TrainSettings& s, const Entry& e) { s.row_tokens = e.as<std::int64_t>(); }},
    {"max_tokens", [](TrainSettings& s, const Entry& e) { s.max_tokens = e.as<std::int64_t>(); }},
    {"pairs", [](TrainSettings& s, const Entry& e) { s.pairs = e.as<std::int64_t>(); }},
    {"validation_pairs",
     [](TrainSettings& s, const Entry& e) { s.validation_pairs = e.as<std::int64_t>(); }},
    {"validate_every",
     [](TrainSettings& s, const Entry& e) { s.validate_every = e.as<std::int64_t>(); }},
    {"checkpoint_every",
     [](TrainSettings& s, const Entry& e) { s.checkpoint_every = e.as<std::int64_t>(); }},
    {"keep", [](TrainSettings& s, const Entry& e) { s.keep = e.as<std::int64_t>(); }},
    {"patience", [](TrainSettings& s, const Entry& e) { s.patience = e.as<std::int64_t>(); }},
    {"format", [](TrainSettings& s, const Entry& e) { s.format = e.text(); }},
    {"assumed_pairs",
     [](TrainSettings& s, const Entry& e) { s.assumed_pairs = e.as<std::int64_t>(); }},
    {"assumed_tokens",
     [](TrainSettings& s, const Entry& e) { s.assumed_tokens = e.as<std::int64_t>(); }},
    {"shape",
     [](TrainSettings& s, const Entry& e) {
       model::LlamaConfig shape;
       data::read_keys(shape, data::entries_of(e.value, "'shape'", e.file), kShapeKeys);
       at_entry(e, [&] { model::check_config(shape); });
       s.shape = shape;
     }},
};

void at_least(std::int64_t value, std::int64_t least, const char* name) {
  if (value < least)
    throw Error(fmt::format("'{}' must be at least {}, not {}", name, least, value));
}

}  // namespace

void read_settings(const std::filesystem::path& file, TrainSettings& settings) {
  const YAML::Node root = data::parse_yaml(read_file(file), file.string());
  data::read_keys(settings, data::entries_of(root, "training settings", file.string()), kKeys);
}

void set_setting(const std::string& key, const std::string& value, const std::string& place,
                 TrainSettings& settings) {
  data::read_keys(settings, {Entry{key, YAML::Node(value), place, place}}, kKeys);
}

void set_lora_setting(const std::string& key, const std::string& value, const std::string& place,
                      LoraSettings& lora) {
  YAML::Node node(value);
  if (key == "targets") {
    node = YAML::Node(YAML::NodeType::Sequence);
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      node.push_back(std::string(trim(rest.substr(0, comma))));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  data::read_keys(lora, {Entry{key, node, place, place}}, kLoraKeys);
}

namespace {

void check_targets(const std::vector<std::string>& targets) {
  const std::vector<std::string> known = LoraSettings{}.targets;
  if (targets.empty()) throw Error("LoRA without targets trains nothing");
  for (const std::string& target : targets) {
    if (std::find(known.begin(), known.end(), target) == known.end())
      throw Error(fmt::format("there is no weight '{}' to adapt", cut_to_columns(target, 40)), "",
                  fmt::format("lora targets are {}", fmt::join(known, ", ")));
  }
}

}  // namespace

std::size_t longest_pair(const TrainSettings& settings, std::uint64_t context) {
  return settings.max_tokens > 0
             ? std::min(context, static_cast<std::uint64_t>(settings.max_tokens))
             : context;
}

void check_settings(const TrainSettings& settings) {
  if (settings.mix.empty())
    throw Error("no pairs to train on are named", "", "give --mix FOLDER (made by selene curate)");
  at_least(settings.batch, 1, "batch");
  at_least(settings.row_tokens, 16, "row_tokens");
  at_least(settings.keep, 1, "keep");
  for (const auto& [value, name] : {std::pair{settings.steps, "steps"},
                                    {settings.max_tokens, "max_tokens"},
                                    {settings.pairs, "pairs"},
                                    {settings.validation_pairs, "validation_pairs"},
                                    {settings.validate_every, "validate_every"},
                                    {settings.checkpoint_every, "checkpoint_every"},
                                    {settings.patience, "patience"}})
    at_least(value, 0, name);
  for (const auto& [value, name] : {std::pair{settings.epochs, "epochs"},
                                    {settings.optimizer.learning_rate, "learning_rate"},
                                    {settings.loss.beta, "beta"},
                                    {settings.loss.verdict_weight, "verdict_weight"}}) {
    if (!(value > 0)) throw Error(fmt::format("'{}' must be above 0, not {:g}", name, value));
  }
  for (const auto& [value, name] : {std::pair{settings.loss.dpo_weight, "dpo_weight"},
                                    {settings.loss.nll_weight, "nll_weight"},
                                    {settings.optimizer.clip, "clip"},
                                    {settings.optimizer.weight_decay, "weight_decay"}}) {
    if (!(value >= 0))
      throw Error(fmt::format("'{}' must not be below 0, but is {:g}", name, value));
  }
  if (settings.loss.dpo_weight == 0 && settings.loss.nll_weight == 0)
    throw Error("both terms of the loss have the weight 0: nothing would be learned");
  if (!(settings.optimizer.warmup >= 0 && settings.optimizer.warmup < 1))
    throw Error(fmt::format("'warmup' is a share of the steps from 0 to below 1, not {:g}",
                            settings.optimizer.warmup));
  if (settings.model.lora) {
    at_least(settings.model.lora->rank, 1, "lora rank");
    if (!(settings.model.lora->alpha > 0)) throw Error("the alpha of LoRA must be above 0");
    check_targets(settings.model.lora->targets);
  } else if (!settings.adapter.empty()) {
    throw Error("an adapter to start from needs LoRA", "", "give --lora");
  }
}

Json to_json(const TrainSettings& settings) {
  Json json{{"loss", settings.loss_name},
            {"beta", settings.loss.beta},
            {"dpo_weight", settings.loss.dpo_weight},
            {"nll_weight", settings.loss.nll_weight},
            {"normaliser", name_of(settings.loss.normaliser)},
            {"length_normalised", settings.loss.length_normalised},
            {"verdict_weight", settings.loss.verdict_weight},
            {"precision", name_of(settings.model.precision)},
            {"recompute", settings.model.recompute},
            {"seed", settings.model.seed},
            {"learning_rate", settings.optimizer.learning_rate},
            {"schedule", name_of(settings.optimizer.schedule)},
            {"warmup", settings.optimizer.warmup},
            {"weight_decay", settings.optimizer.weight_decay},
            {"clip", settings.optimizer.clip},
            {"batch", settings.batch},
            {"epochs", settings.epochs},
            {"steps", settings.steps},
            {"row_tokens", settings.row_tokens},
            {"max_tokens", settings.max_tokens},
            {"pairs", settings.pairs},
            {"validation_pairs", settings.validation_pairs},
            {"patience", settings.patience}};
  if (settings.model.lora)
    json["lora"] = {{"rank", settings.model.lora->rank},
                    {"alpha", settings.model.lora->alpha},
                    {"targets", settings.model.lora->targets}};
  return json;
}

}  // namespace selene::train
