// tokenizer.json and the files beside it, to a tokenizer of GGUF: the keys that llama.cpp's
// convert_hf_to_gguf.py writes (conversion/base.py get_vocab_base, gguf-py/gguf/vocab.py
// SpecialVocab), found from the files alone.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/json_fields.h"
#include "model/pre_tokenizer.h"
#include "model/tokenizer.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemedy =
    "give --tokenizer FILE.gguf, a GGUF whose tokenizer goes along in its place";

std::string shown(std::string_view text) { return cut_to_columns(text, 60); }

Error refused(std::string_view what) { return Error(what, "", kRemedy); }

// A description of steps with the defaults filled in, so that two can be compared.
Json normal_form(const Json& step) {
  Json out = step;
  const std::string type = text_field(step, "type").value_or("");
  if (type == "ByteLevel") {
    out["use_regex"] = flag_field(step, "use_regex").value_or(true);
    out.erase("trim_offsets");  // Says nothing of tokens.
  }
  if (const Json* steps = find_field(step, "pretokenizers");
      steps != nullptr && steps->is_array()) {
    Json list = Json::array();
    for (const Json& inner : *steps) {
      if (!inner.is_object()) throw refused("a step of its pre-tokenizer is no object");
      list.push_back(normal_form(inner));
    }
    out["pretokenizers"] = list;
  }
  return out;
}

// "Sequence(Split, ByteLevel)", for people.
std::string steps_of(const Json& step) {
  const std::string type = shown(text_field(step, "type").value_or("?"));
  const Json* steps = find_field(step, "pretokenizers");
  if (steps == nullptr || !steps->is_array()) return type;
  std::vector<std::string> names;
  for (const Json& inner : *steps) {
    names.push_back(inner.is_object() ? shown(text_field(inner, "type").value_or("?")) : "?");
    if (names.size() == 8) break;
  }
  return fmt::format("{}({})", type, fmt::join(names, ", "));
}

std::string recognise(const Json& json, bool ignores_merges) {
  if (const Json* normalizer = find_field(json, "normalizer")) {
    throw refused(fmt::format(
        "its tokenizer has a normaliser ('{}'), which is not known here",
        normalizer->is_object() ? shown(text_field(*normalizer, "type").value_or("?")) : "?"));
  }
  const Json* steps = find_field(json, "pre_tokenizer");
  if (steps == nullptr || !steps->is_object())
    throw refused("its tokenizer has no pre-tokenizer, which byte-level BPE needs");
  const Json wanted = normal_form(*steps);
  for (const PreTokenizer& rules : pre_tokenizers()) {
    if (rules.ignores_merges == ignores_merges && normal_form(Json::parse(rules.json)) == wanted)
      return std::string(rules.name);
  }
  throw refused(fmt::format("its pre-tokenizer {}{} is not known; known are those of {}",
                            steps_of(*steps), ignores_merges ? " with ignore_merges" : "",
                            fmt::join(known_pre_tokenizers(), ", ")));
}

struct AddedToken {
  std::uint64_t id = 0;
  std::string content;
  bool special = false;
};

std::vector<AddedToken> added_tokens(const Json& json) {
  std::vector<AddedToken> tokens;
  const Json* list = find_field(json, "added_tokens");
  if (list == nullptr) return tokens;
  if (!list->is_array()) throw refused("its 'added_tokens' are no list");
  for (const Json& entry : *list) {
    if (!entry.is_object()) throw refused("an added token is no object");
    const auto id = whole_field(entry, "id");
    const auto content = text_field(entry, "content");
    if (!id || !content || content->empty()) throw refused("an added token lacks its id or text");
    tokens.push_back({*id, *content, flag_field(entry, "special").value_or(false)});
  }
  return tokens;
}

// TextModel.does_token_look_special: marks of which the model's makers did not say so.
bool looks_special(const std::string& token) {
  const auto between = [&](std::string_view start, std::string_view end) {
    return token.starts_with(start) && token.ends_with(end);
  };
  return token == "<pad>" || token == "<mask>" || token == "<2mass>" || token == "[@BOS@]" ||
         between("<|", "|>") || between("<｜", "｜>") || between("<unused", ">");
}

void place(Tokenizer& tokenizer, std::uint64_t id, const std::string& text, TokenType type) {
  if (id >= tokenizer.tokens.size()) {
    throw refused(fmt::format("its token '{}' has the number {}, and the model {} tokens",
                              shown(text), id, tokenizer.tokens.size()));
  }
  std::string& token = tokenizer.tokens[static_cast<size_t>(id)];
  TokenType& before = tokenizer.types[static_cast<size_t>(id)];
  if (before != TokenType::Unused && token != text) {
    throw refused(fmt::format("its tokens '{}' and '{}' have both the number {}", shown(token),
                              shown(text), id));
  }
  token = text;
  before = type;
}

void read_tokens(const Json& json, const Json& bpe, std::uint64_t vocabulary,
                 Tokenizer& tokenizer) {
  const Json* vocab = find_field(bpe, "vocab");
  if (vocab == nullptr || !vocab->is_object())
    throw refused("its tokenizer has no vocabulary ('vocab')");
  // More than the file can name would be nothing but filling.
  if (vocabulary > vocab->size() + 1'000'000) {
    throw refused(
        fmt::format("the model has {} tokens and its tokenizer {}", vocabulary, vocab->size()));
  }
  tokenizer.types.assign(vocabulary, TokenType::Unused);
  tokenizer.tokens.reserve(vocabulary);
  for (std::uint64_t i = 0; i < vocabulary; ++i)
    tokenizer.tokens.push_back(fmt::format("[PAD{}]", i));
  for (const auto& [text, id] : vocab->items()) {
    if (!id.is_number_unsigned())
      throw refused(fmt::format("its token '{}' has no number", shown(text)));
    place(tokenizer, id.get<std::uint64_t>(), text, TokenType::Normal);
  }
  for (AddedToken& token : added_tokens(json)) {
    const bool control = token.special || looks_special(token.content);
    place(tokenizer, token.id, token.content,
          control ? TokenType::Control : TokenType::UserDefined);
    if (control) continue;
    // The mark that SentencePiece has for a space, as the script writes it.
    std::string& text = tokenizer.tokens[static_cast<size_t>(token.id)];
    for (size_t at = 0; (at = text.find("\u2581", at)) != std::string::npos;)
      text.replace(at, std::string_view("\u2581").size(), " ");
  }
}

// A space within a part is written as byte-level BPE writes spaces elsewhere.
std::string merge_part(const Json& part) {
  std::string out;
  for (const char byte : part.get<std::string>()) {
    if (byte == ' ') {
      out += "\u0120";
    } else {
      out += byte;
    }
  }
  return out;
}

void read_merges(const Json& bpe, Tokenizer& tokenizer) {
  const Json* merges = find_field(bpe, "merges");
  if (merges == nullptr || !merges->is_array()) throw refused("its tokenizer has no merges");
  for (const Json& merge : *merges) {
    if (merge.is_string()) {
      tokenizer.merges.push_back(merge.get<std::string>());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      tokenizer.merges.push_back(merge_part(merge[0]) + " " + merge_part(merge[1]));
    } else {
      throw refused(fmt::format("its merge {} is not two texts", tokenizer.merges.size()));
    }
    const std::string& text = tokenizer.merges.back();
    const size_t space = text.find(' ');
    if (space == std::string::npos || space != text.rfind(' ') || space == 0 ||
        space + 1 == text.size())
      throw refused(fmt::format("its merge '{}' is not two parts", shown(text)));
  }
}

// The first and last special token around a text; empty where the text begins or ends itself.
struct Around {
  std::string first;
  std::string last;
  bool is_said = false;
};

std::string special_id(const Json& piece) {
  if (!piece.is_object()) return "";
  const Json* special = find_field(piece, "SpecialToken");
  return special != nullptr && special->is_object() ? text_field(*special, "id").value_or("") : "";
}

Around around_text(const Json& json) {
  Around around;
  const Json* post = find_field(json, "post_processor");
  if (post == nullptr || !post->is_object()) return around;
  Json processors = Json::array({*post});
  if (const Json* list = find_field(*post, "processors"); list != nullptr && list->is_array())
    processors = *list;
  for (const Json& processor : processors) {
    if (!processor.is_object()) throw refused("its post-processor is no object");
    const std::string type = text_field(processor, "type").value_or("");
    if (type == "ByteLevel") continue;
    if (type != "TemplateProcessing")
      throw refused(fmt::format("its post-processor '{}' is not known", shown(type)));
    const Json* single = find_field(processor, "single");
    if (single == nullptr || !single->is_array() || single->size() < 2) continue;
    around = {special_id(single->front()), special_id(single->back()), true};
  }
  return around;
}

// A special token of tokenizer_config.json: a text, or an object with one.
std::string special_text(const Json& config, std::string_view name) {
  const auto found = config.find(fmt::format("{}_token", name));
  if (found == config.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (found->is_object()) return text_field(*found, "content").value_or("");
  return "";
}

void read_special(const Json& json, const Json& config, const Json& model_config,
                  Tokenizer& tokenizer) {
  const Around around = around_text(json);
  const std::vector<AddedToken> added = added_tokens(json);
  const auto set = [&](std::string_view name, const std::string& text) {
    if (text.empty() || tokenizer.id_of(name)) return;
    const auto found = std::find_if(added.begin(), added.end(),
                                    [&](const AddedToken& token) { return token.content == text; });
    if (found != added.end()) tokenizer.set_id(name, static_cast<std::uint32_t>(found->id));
  };
  std::string bos = special_text(config, "bos");
  std::string eos = special_text(config, "eos");
  if (bos.empty()) bos = around.first;
  if (!around.last.empty() && around.last != eos) {
    set("eot", eos);
    eos = around.last;
  }
  if (!around.first.empty()) tokenizer.add_bos = around.first == bos;
  if (!around.last.empty()) tokenizer.add_eos = true;
  set("bos", bos);
  set("eos", eos);
  for (const std::string_view name : {"unk", "sep", "pad", "mask"})
    set(name, special_text(config, name));
  for (const std::string_view name : {"bos", "eos", "unk", "sep", "pad", "mask"}) {
    const auto id = model_config.find(fmt::format("{}_token_id", name));
    if (id != model_config.end() && id->is_number_unsigned() && !tokenizer.id_of(name) &&
        id->get<std::uint64_t>() < tokenizer.tokens.size()) {
      tokenizer.set_id(name, id->get<std::uint32_t>());
    }
  }
  if (const auto flag = flag_field(config, "add_bos_token")) tokenizer.add_bos = flag;
  if (const auto flag = flag_field(config, "add_eos_token")) tokenizer.add_eos = flag;
  tokenizer.add_space_prefix = flag_field(config, "add_prefix_space");
  // llama.cpp's script takes this size for a model of the Granite family, whose text begins with
  // nothing; SmolLM2 has it too.
  if (tokenizer.tokens.size() == 49152 && !tokenizer.add_bos) tokenizer.add_bos = false;
}

void read_templates(const Json& config, const std::string& jinja, Tokenizer& tokenizer) {
  const Json* chat = find_field(config, "chat_template");
  if (chat == nullptr) {
    tokenizer.chat_template = jinja;
    return;
  }
  if (chat->is_string()) {
    tokenizer.chat_template = chat->get<std::string>();
    return;
  }
  if (!chat->is_array()) throw refused("its chat template is no text");
  for (const Json& entry : *chat) {
    if (!entry.is_object()) throw refused("its chat template is no text");
    const std::string name = text_field(entry, "name").value_or("");
    const std::string text = text_field(entry, "template").value_or("");
    if (name == "default") {
      tokenizer.chat_template = text;
    } else if (!name.empty() && !text.empty()) {
      tokenizer.named_templates.emplace_back(name, text);
    }
  }
}

Json optional_object(const std::string& text, std::string_view what) {
  return text.empty() ? Json::object() : parse_object(text, what);
}

std::string read_if_there(const fs::path& path) {
  return path_exists(path) ? read_file(path) : std::string();
}

}  // namespace

Tokenizer read_huggingface_tokenizer(const TokenizerTexts& texts, std::uint64_t vocabulary) {
  const Json json = parse_object(texts.tokenizer_json, "tokenizer.json");
  const Json config = optional_object(texts.tokenizer_config_json, "tokenizer_config.json");
  const Json model_config = optional_object(texts.config_json, "config.json");
  const Json* bpe = find_field(json, "model");
  if (bpe == nullptr || !bpe->is_object()) throw refused("its tokenizer has no model");
  const std::string type = text_field(*bpe, "type").value_or("BPE");
  if (type != "BPE" || flag_field(*bpe, "byte_fallback").value_or(false)) {
    throw refused(fmt::format(
        "its tokenizer is {}; only byte-level BPE is carried over to GGUF",
        type == "BPE" ? "SentencePiece BPE with byte fallback" : fmt::format("'{}'", shown(type))));
  }
  Tokenizer tokenizer;
  tokenizer.pre = recognise(json, flag_field(*bpe, "ignore_merges").value_or(false));
  read_tokens(json, *bpe, vocabulary, tokenizer);
  read_merges(*bpe, tokenizer);
  read_special(json, config, model_config, tokenizer);
  read_templates(config, texts.chat_template_jinja, tokenizer);
  return tokenizer;
}

Tokenizer read_huggingface_tokenizer(const fs::path& folder, std::uint64_t vocabulary) {
  const fs::path file = folder / "tokenizer.json";
  if (!path_exists(file)) {
    throw Error(path_exists(folder / "tokenizer.model")
                    ? "there is a tokenizer.model of SentencePiece and no tokenizer.json"
                    : "there is no tokenizer.json",
                folder.string(), kRemedy);
  }
  TokenizerTexts texts{.tokenizer_json = read_file(file),
                       .tokenizer_config_json = read_if_there(folder / "tokenizer_config.json"),
                       .config_json = read_if_there(folder / "config.json"),
                       .chat_template_jinja = read_if_there(folder / "chat_template.jinja")};
  try {
    return read_huggingface_tokenizer(texts, vocabulary);
  } catch (const Error& failure) {
    throw failure.at(file.string());
  }
}

}  // namespace selene::model
