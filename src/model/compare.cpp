#include "model/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"
#include "model/tokenizer.h"
#include "model/weights.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code failure;
  return fs::is_directory(path, failure);
}

void compare_numbers(const Weights& a, const Weights& b, TensorDifference& difference) {
  const std::uint64_t count = difference.rows * difference.columns;
  std::vector<float> numbers_a(count);
  std::vector<float> numbers_b(count);
  a.read(difference.name, numbers_a);
  b.read(difference.name, numbers_b);
  double sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double apart =
        std::fabs(static_cast<double>(numbers_a[i]) - static_cast<double>(numbers_b[i]));
    difference.differing += numbers_a[i] != numbers_b[i] ? 1 : 0;
    difference.largest = std::max(difference.largest, apart);
    sum += apart;
  }
  difference.mean = sum / static_cast<double>(count);
}

void compare_shapes(const LlamaConfig& a, const LlamaConfig& b, std::vector<std::string>& out) {
  const auto compare = [&](const char* name, auto x, auto y) {
    if (x != y) out.push_back(fmt::format("{}: {} and {}", name, x, y));
  };
  compare("layers", a.layers, b.layers);
  compare("width", a.width, b.width);
  compare("heads", a.heads, b.heads);
  compare("key and value heads", a.kv_heads, b.kv_heads);
  compare("head size", a.head_size, b.head_size);
  compare("feed-forward", a.feed_forward, b.feed_forward);
  compare("vocabulary", a.vocabulary, b.vocabulary);
  compare("context length", a.context_length, b.context_length);
  compare("RMSNorm epsilon", a.rms_epsilon, b.rms_epsilon);
  compare("RoPE base", a.rope_base, b.rope_base);
  compare("tied embeddings", a.tied_embeddings, b.tied_embeddings);
  if (a.rope_factors != b.rope_factors) {
    double largest = a.rope_factors.size() == b.rope_factors.size() ? 0 : INFINITY;
    for (size_t i = 0; i < a.rope_factors.size() && i < b.rope_factors.size(); ++i)
      largest = std::max(largest, std::fabs(double{a.rope_factors[i]} - b.rope_factors[i]));
    out.push_back(fmt::format("RoPE factors: at most {:.3g} apart", largest));
  }
}

// A value in few words.
std::string shown_value(const GgufEntry& entry) {
  if (entry.array) return fmt::format("a list of {}", entry.count);
  if (entry.type == GgufType::Text)
    return fmt::format("'{}'", cut_to_columns(entry.value.substr(8), 60));
  if (entry.type == GgufType::F32) {
    float number = 0;
    std::memcpy(&number, entry.value.data(), sizeof number);
    return fmt::format("{}", number);
  }
  if (entry.type == GgufType::Bool) return entry.value[0] != 0 ? "true" : "false";
  std::uint64_t number = 0;
  std::memcpy(&number, entry.value.data(), std::min(sizeof number, entry.value.size()));
  return fmt::format("{}", number);
}

// Keys that say how numbers are kept, which the tensors' types say too, and those of the shape, of
// which compare_shapes() has what they mean: one that is not there has a default.
bool is_compared_elsewhere(std::string_view key) {
  return key == "general.file_type" || key == "general.quantization_version" ||
         key.starts_with("llama.");
}

void compare_ggufs(const fs::path& a, const fs::path& b, std::vector<std::string>& out) {
  const MappedFile file_a(a);
  const MappedFile file_b(b);
  const GgufLayout layout_a = read_gguf_layout(file_a.bytes());
  const GgufLayout layout_b = read_gguf_layout(file_b.bytes());
  std::map<std::string_view, const GgufEntry*> rest;
  for (const GgufEntry& entry : layout_b.entries) rest.emplace(entry.key, &entry);
  for (const GgufEntry& entry : layout_a.entries) {
    const std::string key = cut_to_columns(entry.key, 60);
    const auto found = rest.find(entry.key);
    if (found == rest.end()) {
      if (!is_compared_elsewhere(entry.key))
        out.push_back(fmt::format("{}: {} and none", key, shown_value(entry)));
      continue;
    }
    if (found->second->record != entry.record && !is_compared_elsewhere(entry.key)) {
      out.push_back(
          fmt::format("{}: {} and {}", key, shown_value(entry), shown_value(*found->second)));
    }
    rest.erase(found);
  }
  for (const auto& [key, entry] : rest) {
    if (!is_compared_elsewhere(key))
      out.push_back(fmt::format("{}: none and {}", cut_to_columns(key, 60), shown_value(*entry)));
  }
}

// Nothing where it cannot be read as byte-level BPE; `problem` says why.
std::optional<Tokenizer> tokenizer_of(const fs::path& path, std::uint64_t vocabulary,
                                      std::string& problem) {
  try {
    if (is_folder(path)) return read_huggingface_tokenizer(path, vocabulary);
    const MappedFile file(path);
    return read_gguf_tokenizer(read_gguf_layout(file.bytes()));
  } catch (const Error& failure) {
    problem = failure.message();
    return std::nullopt;
  }
}

void compare_tokenizers(const Tokenizer& a, const Tokenizer& b, std::vector<std::string>& out) {
  if (a.pre != b.pre) out.push_back(fmt::format("pre-tokenizer: {} and {}", a.pre, b.pre));
  if (a.tokens != b.tokens || a.types != b.types) {
    size_t differing =
        std::max(a.tokens.size(), b.tokens.size()) - std::min(a.tokens.size(), b.tokens.size());
    for (size_t i = 0; i < std::min(a.tokens.size(), b.tokens.size()); ++i)
      differing += a.tokens[i] != b.tokens[i] || a.types[i] != b.types[i] ? 1 : 0;
    out.push_back(fmt::format("tokens: {} differ", differing));
  }
  if (a.merges != b.merges) out.push_back("merges: they differ");
  for (const SpecialToken& token : a.special) {
    // Hugging Face's files have no place for these two; llama.cpp finds them by their texts.
    if (token.name == "eot" || token.name == "eom") continue;
    const auto other = b.id_of(token.name);
    if (token.id != other) {
      out.push_back(fmt::format("{} token: {} and {}", token.name,
                                token.id ? fmt::to_string(*token.id) : "none",
                                other ? fmt::to_string(*other) : "none"));
    }
  }
  if (a.adds_bos() != b.adds_bos())
    out.push_back(fmt::format("adds the bos token: {} and {}", a.adds_bos(), b.adds_bos()));
  if (a.add_eos.value_or(false) != b.add_eos.value_or(false))
    out.push_back("adds the eos token: they differ");
  if (a.chat_template != b.chat_template) out.push_back("chat template: they differ");
}

void compare_metadata(const fs::path& a, const fs::path& b, std::uint64_t vocabulary,
                      std::vector<std::string>& out) {
  if (!is_folder(a) && !is_folder(b)) {
    compare_ggufs(a, b, out);
    return;
  }
  std::string problem;
  const std::optional<Tokenizer> tokenizer_a = tokenizer_of(a, vocabulary, problem);
  const std::optional<Tokenizer> tokenizer_b = tokenizer_of(b, vocabulary, problem);
  if (tokenizer_a && tokenizer_b) {
    compare_tokenizers(*tokenizer_a, *tokenizer_b, out);
  } else {
    out.push_back(fmt::format("tokenizer: not compared, {}", problem));
  }
}

}  // namespace

bool ModelDifference::same_numbers() const {
  return only_a.empty() && only_b.empty() &&
         std::all_of(tensors.begin(), tensors.end(),
                     [](const TensorDifference& tensor) { return tensor.is_same(); });
}

ModelDifference compare_models(const fs::path& path_a, const fs::path& path_b,
                               const std::function<void(std::uint64_t)>& compared) {
  const std::unique_ptr<Weights> a = open_weights(path_a);
  const std::unique_ptr<Weights> b = open_weights(path_b);
  ModelDifference difference;
  compare_shapes(a->config(), b->config(), difference.metadata);
  compare_metadata(path_a, path_b, a->config().vocabulary, difference.metadata);
  std::map<std::string, WeightInfo> rest;
  for (const WeightInfo& info : b->tensors()) rest.emplace(info.name, info);
  for (const WeightInfo& info : a->tensors()) {
    const auto found = rest.find(info.name);
    if (found == rest.end()) {
      difference.only_a.push_back(info.name);
      continue;
    }
    const WeightInfo& other = found->second;
    TensorDifference tensor{.name = info.name,
                            .type_a = info.type,
                            .type_b = other.type,
                            .rows = info.rows,
                            .columns = info.columns};
    if (other.rows != info.rows || other.columns != info.columns) {
      tensor.shape_b = fmt::format("{} x {}", other.rows, other.columns);
    } else {
      compare_numbers(*a, *b, tensor);
    }
    difference.tensors.push_back(std::move(tensor));
    rest.erase(found);
    if (compared) compared(info.rows * info.columns);
  }
  for (const WeightInfo& info : b->tensors()) {
    if (rest.count(info.name) != 0) difference.only_b.push_back(info.name);
  }
  return difference;
}

}  // namespace selene::model
