// tokenizer.json and the files beside it, from a tokenizer of GGUF.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "model/pre_tokenizer.h"
#include "model/tokenizer.h"

namespace selene::model {
namespace {

using Json = nlohmann::ordered_json;

std::string json_text(std::string_view text) { return Json(text).dump(); }

bool is_added(TokenType type) {
  return type == TokenType::Control || type == TokenType::UserDefined;
}

// Which tokens stand where. Added tokens behind the vocabulary are in no vocabulary, as in Llama 3;
// those in the midst of it are in both, as in SmolLM2. Unused ones at the end only fill up the
// embedding.
struct Places {
  size_t vocabulary = 0;  // Ids below are in "vocab".
  size_t used = 0;        // Ids from here on have no token.
};

Places places_of(const Tokenizer& tokenizer) {
  Places places;
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    if (tokenizer.types[i] != TokenType::Unused) places.used = i + 1;
    if (!is_added(tokenizer.types[i]) && tokenizer.types[i] != TokenType::Unused)
      places.vocabulary = i + 1;
  }
  for (size_t i = places.vocabulary; i < places.used; ++i) {
    if (tokenizer.types[i] == TokenType::Unused) places.vocabulary = i + 1;
  }
  return places;
}

void check_distinct(const Tokenizer& tokenizer, size_t used) {
  std::map<std::string_view, size_t> ids;
  for (size_t i = 0; i < used; ++i) {
    const auto [before, is_new] = ids.emplace(tokenizer.tokens[i], i);
    if (!is_new) {
      throw Error(
          fmt::format("the tokens {} and {} are both '{}', which tokenizer.json cannot hold",
                      before->second, i, cut_to_columns(tokenizer.tokens[i], 40)));
    }
  }
}

Json added_token(const Tokenizer& tokenizer, size_t id) {
  return {{"content", tokenizer.tokens[id]},
          {"single_word", false},
          {"lstrip", false},
          {"rstrip", false},
          {"normalized", false},
          {"special", tokenizer.types[id] == TokenType::Control}};
}

std::string added_tokens(const Tokenizer& tokenizer, const Places& places) {
  std::string list;
  for (size_t i = 0; i < places.used; ++i) {
    if (!is_added(tokenizer.types[i])) continue;
    Json token{{"id", i}};
    token.update(added_token(tokenizer, i));
    list += fmt::format("{}\n    {}", list.empty() ? "" : ",", token.dump());
  }
  return "[" + list + "\n  ]";
}

std::string vocabulary(const Tokenizer& tokenizer, const Places& places) {
  std::string list;
  for (size_t i = 0; i < places.vocabulary; ++i)
    list += fmt::format("{}\n      {}: {}", i == 0 ? "" : ",", json_text(tokenizer.tokens[i]), i);
  return "{" + list + "\n    }";
}

std::string merges(const Tokenizer& tokenizer) {
  std::string list;
  for (const std::string& merge : tokenizer.merges) {
    const size_t space = merge.find(' ');
    if (space == std::string::npos || space != merge.rfind(' ') || space == 0 ||
        space + 1 == merge.size()) {
      throw Error(
          fmt::format("damaged: the merge '{}' is not two parts", cut_to_columns(merge, 40)));
    }
    list += fmt::format("{}\n      [{}, {}]", list.empty() ? "" : ",",
                        json_text(std::string_view(merge).substr(0, space)),
                        json_text(std::string_view(merge).substr(space + 1)));
  }
  return "[" + list + "\n    ]";
}

// What is put before and after a text: nothing, or the tokens that llama.cpp puts there.
std::string post_processor(const Tokenizer& tokenizer) {
  const Json bytes{{"type", "ByteLevel"},
                   {"add_prefix_space", true},
                   {"trim_offsets", false},
                   {"use_regex", true}};
  // No element or one each.
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> last;
  for (const SpecialToken& token : tokenizer.special) {
    if (!token.id) continue;
    if (token.name == "bos" && tokenizer.adds_bos()) first.push_back(*token.id);
    if (token.name == "eos" && tokenizer.add_eos.value_or(false)) last.push_back(*token.id);
  }
  if (first.empty() && last.empty()) return bytes.dump();
  Json single = Json::array();
  Json pair = Json::array();
  Json tokens = Json::object();
  const auto add_special = [&](const std::vector<std::uint32_t>& ids, Json& list, int type) {
    for (const std::uint32_t id : ids) {
      const std::string& text = tokenizer.tokens[id];
      list.push_back({{"SpecialToken", {{"id", text}, {"type_id", type}}}});
      tokens[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
    }
  };
  const auto add_text = [&](const char* name, Json& list, int type) {
    add_special(first, list, type);
    list.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    add_special(last, list, type);
  };
  add_text("A", single, 0);
  add_text("A", pair, 0);
  add_text("B", pair, 1);
  const Json both{{"type", "Sequence"},
                  {"processors",
                   {bytes,
                    {{"type", "TemplateProcessing"},
                     {"single", single},
                     {"pair", pair},
                     {"special_tokens", tokens}}}}};
  return both.dump();
}

std::string tokenizer_json(const Tokenizer& tokenizer, const Places& places) {
  const PreTokenizer* rules = find_pre_tokenizer(tokenizer.pre);
  ensure(rules != nullptr, "a pre-tokenizer of ours");
  return fmt::format(R"({{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": {},
  "normalizer": null,
  "pre_tokenizer": {},
  "post_processor": {},
  "decoder": {{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}},
  "model": {{
    "type": "BPE",
    "dropout": null,
    "unk_token": null,
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": {},
    "vocab": {},
    "merges": {}
  }}
}}
)",
                     added_tokens(tokenizer, places), rules->json, post_processor(tokenizer),
                     rules->ignores_merges, vocabulary(tokenizer, places), merges(tokenizer));
}

// bos_token, eos_token, ... as texts.
Json special_tokens(const Tokenizer& tokenizer) {
  Json map = Json::object();
  for (const SpecialToken& token : tokenizer.special) {
    // transformers has no field for eot and eom: generation_config.json names their ids.
    if (token.id && token.name != "eot" && token.name != "eom")
      map[fmt::format("{}_token", token.name)] = tokenizer.tokens[*token.id];
  }
  return map;
}

std::string tokenizer_config(const Tokenizer& tokenizer, const Places& places,
                             std::uint64_t context_length) {
  Json json = Json::object();
  if (tokenizer.add_bos) json["add_bos_token"] = *tokenizer.add_bos;
  if (tokenizer.add_eos) json["add_eos_token"] = *tokenizer.add_eos;
  if (tokenizer.add_space_prefix) json["add_prefix_space"] = *tokenizer.add_space_prefix;
  Json decoder = Json::object();
  for (size_t i = 0; i < places.used; ++i) {
    if (is_added(tokenizer.types[i]))
      decoder.push_back({std::to_string(i), added_token(tokenizer, i)});
  }
  json["added_tokens_decoder"] = decoder;
  json.update(special_tokens(tokenizer));
  if (!tokenizer.named_templates.empty()) {
    Json list = Json::array();
    if (!tokenizer.chat_template.empty())
      list.push_back({{"name", "default"}, {"template", tokenizer.chat_template}});
    for (const auto& [name, text] : tokenizer.named_templates)
      list.push_back({{"name", name}, {"template", text}});
    json["chat_template"] = list;
  } else if (!tokenizer.chat_template.empty()) {
    json["chat_template"] = tokenizer.chat_template;
  }
  json["clean_up_tokenization_spaces"] = false;
  json["model_max_length"] = context_length;
  json["tokenizer_class"] = "PreTrainedTokenizerFast";
  return json.dump(2) + "\n";
}

// What ends an answer: llama.cpp stops at any of these.
std::string generation_config(const Tokenizer& tokenizer) {
  Json json{{"_from_model_config", true}};
  if (const auto bos = tokenizer.id_of("bos")) json["bos_token_id"] = *bos;
  std::vector<std::uint32_t> ends;
  for (const std::string_view name : {"eos", "eot", "eom"}) {
    const auto id = tokenizer.id_of(name);
    if (id && std::find(ends.begin(), ends.end(), *id) == ends.end()) ends.push_back(*id);
  }
  if (ends.size() == 1) json["eos_token_id"] = ends.front();
  if (ends.size() > 1) json["eos_token_id"] = ends;
  if (const auto pad = tokenizer.id_of("pad")) json["pad_token_id"] = *pad;
  return json.dump(2) + "\n";
}

}  // namespace

std::vector<FolderFile> huggingface_tokenizer_files(const Tokenizer& tokenizer,
                                                    std::uint64_t context_length) {
  const Places places = places_of(tokenizer);
  check_distinct(tokenizer, places.used);
  return {{"tokenizer.json", tokenizer_json(tokenizer, places)},
          {"tokenizer_config.json", tokenizer_config(tokenizer, places, context_length)},
          {"special_tokens_map.json", special_tokens(tokenizer).dump(2) + "\n"},
          {"generation_config.json", generation_config(tokenizer)}};
}

}  // namespace selene::model
