#include "model/describe.h"

#include <algorithm>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/gguf.h"
#include "model/gguf_layout.h"
#include "model/gguf_weights.h"
#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "model/number_format.h"
#include "model/tokenizer.h"
#include "model/weights.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

void add_share(std::vector<TypeShare>& shares, const std::string& type, std::uint64_t parameters,
               std::uint64_t bytes) {
  auto found = std::find_if(shares.begin(), shares.end(),
                            [&](const TypeShare& share) { return share.type == type; });
  if (found == shares.end()) found = shares.insert(shares.end(), TypeShare{.type = type});
  ++found->tensors;
  found->parameters += parameters;
  found->bytes += bytes;
}

void sort_shares(std::vector<TypeShare>& shares) {
  std::sort(shares.begin(), shares.end(),
            [](const TypeShare& a, const TypeShare& b) { return a.bytes > b.bytes; });
}

// The text of token `id`, found by a walk over the list.
std::string token_text(const GgufEntry& tokens, std::uint64_t id) {
  std::string_view rest = tokens.value;
  for (std::uint64_t i = 0; i < tokens.count; ++i) {
    std::uint64_t size = 0;
    std::memcpy(&size, rest.data(), sizeof size);
    if (i == id) return replace_invalid_utf8(rest.substr(sizeof size, size));
    rest.remove_prefix(sizeof size + size);
  }
  return "";
}

TokenizerFacts gguf_tokenizer(const GgufLayout& layout) {
  TokenizerFacts facts;
  facts.kind = replace_invalid_utf8(layout.text("tokenizer.ggml.model").value_or(""));
  facts.pre = replace_invalid_utf8(layout.text("tokenizer.ggml.pre").value_or(""));
  const GgufEntry* tokens = layout.find("tokenizer.ggml.tokens");
  if (tokens == nullptr || !tokens->array || tokens->type != GgufType::Text) return facts;
  facts.tokens = tokens->count;
  for (const SpecialToken& token : Tokenizer().special) {
    if (const auto id = layout.number(token.gguf_key); id && *id < tokens->count)
      facts.special.emplace_back(token.name, token_text(*tokens, *id));
  }
  return facts;
}

ModelFacts describe_gguf(const fs::path& path) {
  const MappedFile file(path);
  ModelFacts facts{.kind = "GGUF"};
  try {
    const GgufInfo info = inspect_gguf_bytes(file.bytes());
    const GgufLayout layout = read_gguf_layout(file.bytes());
    facts.name = replace_invalid_utf8(info.name);
    facts.architecture = replace_invalid_utf8(info.architecture);
    facts.file_type = info.file_type;
    facts.bytes = info.bytes;
    facts.tensors = info.tensors;
    facts.parameters = info.parameters;
    for (const GgufTensor& tensor : layout.tensors) {
      add_share(facts.types, ggml_type_name(static_cast<ggml_type>(tensor.type)), tensor.elements,
                tensor.bytes.size());
    }
    facts.tokenizer = gguf_tokenizer(layout);
    if (info.chat_template) facts.chat_template = replace_invalid_utf8(*info.chat_template);
    try {
      facts.config = read_gguf_config(layout);
    } catch (const Error& failure) {
      facts.not_read = failure.message();
    }
  } catch (const Error& failure) {
    throw failure.at(path.string());
  }
  return facts;
}

ModelFacts describe_folder(const fs::path& folder) {
  const std::unique_ptr<Weights> weights = open_weights(folder);
  ModelFacts facts{.kind = "Hugging Face", .architecture = "llama"};
  const Json json = parse_object(read_file(folder / "config.json"), "it");
  facts.name = text_field(json, "_name_or_path").value_or("");
  facts.config = weights->config();
  facts.tensors = weights->tensors().size();
  for (const WeightInfo& tensor : weights->tensors()) {
    const std::uint64_t parameters = tensor.rows * tensor.columns;
    const NumberFormat& format = find_number_format(tensor.type, {"f32", "f16", "bf16"});
    facts.parameters += parameters;
    add_share(facts.types, tensor.type, parameters, encoded_bytes(format.type, parameters));
  }
  std::error_code failure;
  for (fs::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    if (at->path().extension() == ".safetensors") facts.bytes += at->file_size(failure);
  }
  try {
    const Tokenizer tokenizer = read_huggingface_tokenizer(folder, weights->config().vocabulary);
    facts.tokenizer = {.kind = "gpt2", .pre = tokenizer.pre, .tokens = tokenizer.tokens.size()};
    for (const SpecialToken& token : tokenizer.special) {
      if (token.id) facts.tokenizer.special.emplace_back(token.name, tokenizer.tokens[*token.id]);
    }
    if (!tokenizer.chat_template.empty()) facts.chat_template = tokenizer.chat_template;
  } catch (const Error& problem) {
    facts.tokenizer.problem = problem.message();
  }
  return facts;
}

}  // namespace

ModelFacts describe_model(const fs::path& path) {
  std::error_code failure;
  ModelFacts facts = fs::is_directory(path, failure) ? describe_folder(path) : describe_gguf(path);
  sort_shares(facts.types);
  return facts;
}

}  // namespace selene::model
