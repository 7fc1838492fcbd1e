// Small random reward models, as GGUF files and as plain arithmetic in double, so that what
// llama.cpp computes can be compared with what the model is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "model/gguf_builder.h"

namespace selene::testing {

using Vector = std::vector<double>;

// The weights of a model by tensor name, made at random one after the other.
class Weights {
 public:
  explicit Weights(std::uint64_t seed) : random_(seed) {}

  // Rows of `inputs` numbers whose products with a vector of variance 1 have variance 1.
  void matrix(const std::string& name, std::uint64_t inputs, std::uint64_t rows) {
    add(name, {inputs, rows}, 0, std::sqrt(3.0 / static_cast<double>(inputs)));
  }
  void vector(const std::string& name, std::uint64_t size, double mean, double spread) {
    add(name, {size}, mean, spread);
  }

  void write(GgufBuilder& file) const {
    for (const std::string& name : names_) file.floats(name, shapes_.at(name), numbers_.at(name));
  }
  const std::vector<float>& operator[](const std::string& name) const { return numbers_.at(name); }

  Vector row(const std::string& name, size_t index, size_t size) const {
    const std::vector<float>& all = numbers_.at(name);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(index * size);
    return Vector(begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  Vector times(const std::string& name, const Vector& x) const {
    const std::vector<float>& all = numbers_.at(name);
    Vector y(all.size() / x.size());
    for (size_t i = 0; i < y.size(); ++i) {
      for (size_t j = 0; j < x.size(); ++j)
        y[i] += static_cast<double>(all[i * x.size() + j]) * x[j];
    }
    return y;
  }
  // times `name`.weight plus `name`.bias.
  Vector affine(const std::string& name, const Vector& x) const {
    Vector y = times(name + ".weight", x);
    for (size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>((*this)[name + ".bias"][i]);
    return y;
  }

 private:
  void add(const std::string& name, std::vector<std::uint64_t> shape, double mean, double spread) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    std::vector<float> numbers(count);
    for (float& number : numbers)
      number = static_cast<float>(mean + spread * (2 * random_.uniform() - 1));
    names_.push_back(name);
    shapes_[name] = std::move(shape);
    numbers_[name] = std::move(numbers);
  }

  Random random_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<std::uint64_t>> shapes_;
  std::map<std::string, std::vector<float>> numbers_;
};

inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline Vector sum(const Vector& a, const Vector& b) {
  Vector c = a;
  for (size_t i = 0; i < c.size(); ++i) c[i] += b[i];
  return c;
}

// Attention of one query over keys and values, head by head; heads share keys in groups.
inline Vector attend_plainly(const Vector& query, std::span<const Vector> keys,
                             std::span<const Vector> values, size_t heads, size_t key_heads) {
  const size_t size = query.size() / heads;
  Vector out(query.size());
  for (size_t head = 0; head < heads; ++head) {
    const size_t at = head / (heads / key_heads) * size;
    const auto of = [&](const Vector& x, size_t from) { return std::span(x).subspan(from, size); };
    Vector weights;
    for (const Vector& key : keys) {
      weights.push_back(std::exp(dot(of(query, head * size), of(key, at)) /
                                 std::sqrt(static_cast<double>(size))));
    }
    double total = 0;
    for (const double weight : weights) total += weight;
    for (size_t j = 0; j < keys.size(); ++j) {
      for (size_t i = 0; i < size; ++i)
        out[head * size + i] += weights[j] / total * values[j][at + i];
    }
  }
  return out;
}

// Two layers of Qwen3 with a byte-level vocabulary without merges that apply: the token of a byte
// is its number.
class TinyQwen3 {
 public:
  static constexpr size_t kWidth = 64, kHeads = 4, kKeyHeads = 2, kHead = 32, kInner = 96;
  static constexpr std::uint32_t kLayers = 2, kContext = 2048;
  static constexpr std::int32_t kStart = 256, kEnd = 257;
  static constexpr const char* kChatTemplate =
      "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
      "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

  explicit TinyQwen3(std::uint64_t outputs = 1) : weights_(7) {
    weights_.matrix("token_embd.weight", kWidth, tokens().size());
    weights_.vector("output_norm.weight", kWidth, 1, 0.3);
    weights_.matrix("cls.output.weight", kWidth, outputs);
    for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
      const std::string block = "blk." + std::to_string(layer) + ".";
      weights_.vector(block + "attn_norm.weight", kWidth, 1, 0.3);
      weights_.matrix(block + "attn_q.weight", kWidth, kHeads * kHead);
      weights_.matrix(block + "attn_k.weight", kWidth, kKeyHeads * kHead);
      weights_.matrix(block + "attn_v.weight", kWidth, kKeyHeads * kHead);
      weights_.matrix(block + "attn_output.weight", kHeads * kHead, kWidth);
      weights_.vector(block + "attn_q_norm.weight", kHead, 1, 0.3);
      weights_.vector(block + "attn_k_norm.weight", kHead, 1, 0.3);
      weights_.vector(block + "ffn_norm.weight", kWidth, 1, 0.3);
      weights_.matrix(block + "ffn_gate.weight", kWidth, kInner);
      weights_.matrix(block + "ffn_up.weight", kWidth, kInner);
      weights_.matrix(block + "ffn_down.weight", kInner, kWidth);
    }
  }

  // Without a chat template.
  static GgufBuilder metadata(const std::string& architecture = "qwen3") {
    GgufBuilder file;
    const auto key = [&](const char* name) { return architecture + "." + name; };
    file.text("general.architecture", architecture);
    file.u32(key("context_length"), kContext).u32(key("embedding_length"), kWidth);
    file.u32(key("block_count"), kLayers).u32(key("feed_forward_length"), kInner);
    file.u32(key("attention.head_count"), kHeads);
    file.u32(key("attention.head_count_kv"), kKeyHeads);
    file.u32(key("attention.key_length"), kHead).u32(key("attention.value_length"), kHead);
    file.f32(key("attention.layer_norm_rms_epsilon"), 1e-6f).f32(key("rope.freq_base"), 10000);
    file.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "qwen2");
    std::vector<std::int32_t> types(tokens().size(), 1);
    types[kStart] = types[kEnd] = 3;  // Control tokens.
    file.texts("tokenizer.ggml.tokens", tokens()).i32s("tokenizer.ggml.token_type", types);
    file.texts("tokenizer.ggml.merges", {"\u0100 \u0100"});
    file.u32("tokenizer.ggml.eos_token_id", kEnd);
    return file;
  }
  // A whole file with the given metadata.
  std::string file(GgufBuilder metadata) const {
    weights_.write(metadata);
    return metadata.build();
  }
  std::string chat_file() const {
    return file(metadata().text("tokenizer.chat_template", kChatTemplate));
  }

  static std::vector<std::int32_t> bytes(std::string_view text) {
    std::vector<std::int32_t> ids;
    for (const char byte : text) ids.push_back(static_cast<unsigned char>(byte));
    return ids;
  }

  // The head's outputs for the last of the tokens.
  Vector outputs(const std::vector<std::int32_t>& ids) const {
    std::vector<Vector> states;
    for (const std::int32_t id : ids)
      states.push_back(weights_.row("token_embd.weight", static_cast<size_t>(id), kWidth));
    for (std::uint32_t layer = 0; layer < kLayers; ++layer)
      run_layer("blk." + std::to_string(layer) + ".", states);
    return weights_.times("cls.output.weight", norm("output_norm.weight", states.back()));
  }

 private:
  static std::vector<std::string> tokens() {
    std::vector<std::string> list;
    int unprintable = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool shown = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      const int character = shown ? byte : unprintable++;
      list.push_back(character < 128 ? std::string(1, static_cast<char>(character))
                                     : std::string{static_cast<char>(0xC0 | character >> 6),
                                                   static_cast<char>(0x80 | (character & 63))});
    }
    list.insert(list.end(), {"<|im_start|>", "<|im_end|>", "\u0100\u0100"});
    return list;
  }

  Vector norm(const std::string& name, const Vector& x) const {
    const double scale = 1 / std::sqrt(dot(x, x) / static_cast<double>(x.size()) + 1e-6);
    Vector y(x.size());
    for (size_t i = 0; i < x.size(); ++i)
      y[i] = x[i] * scale * static_cast<double>(weights_[name][i]);
    return y;
  }

  // Normed head by head, and turned: the second half of a head is the first's other coordinate.
  Vector normed_and_turned(const std::string& name, const Vector& x, size_t position) const {
    Vector y;
    for (size_t from = 0; from < x.size(); from += kHead) {
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(from);
      Vector head = norm(name, Vector(begin, begin + kHead));
      for (size_t i = 0; i < kHead / 2; ++i) {
        const double angle = static_cast<double>(position) *
                             std::pow(10000.0, -2.0 * static_cast<double>(i) / kHead);
        const double a = head[i], b = head[i + kHead / 2];
        head[i] = a * std::cos(angle) - b * std::sin(angle);
        head[i + kHead / 2] = a * std::sin(angle) + b * std::cos(angle);
      }
      y.insert(y.end(), head.begin(), head.end());
    }
    return y;
  }

  void run_layer(const std::string& block, std::vector<Vector>& states) const {
    std::vector<Vector> keys, values;
    for (size_t t = 0; t < states.size(); ++t) {
      const Vector x = norm(block + "attn_norm.weight", states[t]);
      keys.push_back(normed_and_turned(block + "attn_k_norm.weight",
                                       weights_.times(block + "attn_k.weight", x), t));
      values.push_back(weights_.times(block + "attn_v.weight", x));
      const Vector query = normed_and_turned(block + "attn_q_norm.weight",
                                             weights_.times(block + "attn_q.weight", x), t);
      const Vector seen = attend_plainly(query, keys, values, kHeads, kKeyHeads);
      states[t] = sum(states[t], weights_.times(block + "attn_output.weight", seen));
      const Vector inner = norm(block + "ffn_norm.weight", states[t]);
      Vector gate = weights_.times(block + "ffn_gate.weight", inner);
      const Vector up = weights_.times(block + "ffn_up.weight", inner);
      for (size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      states[t] = sum(states[t], weights_.times(block + "ffn_down.weight", gate));
    }
  }

  Weights weights_;
};

// One layer of BERT with a vocabulary of a few words.
class TinyBert {
 public:
  static constexpr size_t kWidth = 64, kHeads = 2, kInner = 96;
  static constexpr std::uint32_t kContext = 64;
  static constexpr std::int32_t kUnknown = 1, kBegin = 2, kSeparator = 3;

  explicit TinyBert(std::uint64_t outputs = 1) : weights_(11) {
    weights_.matrix("token_embd.weight", kWidth, tokens().size());
    weights_.matrix("token_types.weight", kWidth, 2);
    weights_.matrix("position_embd.weight", kWidth, kContext);
    norm_weights("token_embd_norm");
    for (const char* name : {"blk.0.attn_q", "blk.0.attn_k", "blk.0.attn_v", "blk.0.attn_output"})
      affine_weights(name, kWidth, kWidth);
    norm_weights("blk.0.attn_output_norm");
    affine_weights("blk.0.ffn_up", kWidth, kInner);
    affine_weights("blk.0.ffn_down", kInner, kWidth);
    norm_weights("blk.0.layer_output_norm");
    affine_weights("cls", kWidth, kWidth);
    affine_weights("cls.output", kWidth, outputs);
  }

  static GgufBuilder metadata() {
    GgufBuilder file;
    file.text("general.architecture", "bert");
    file.u32("bert.context_length", kContext).u32("bert.embedding_length", kWidth);
    file.u32("bert.block_count", 1).u32("bert.feed_forward_length", kInner);
    file.u32("bert.attention.head_count", kHeads).flag("bert.attention.causal", false);
    file.f32("bert.attention.layer_norm_epsilon", 1e-12f).u32("bert.pooling_type", 4);
    file.u32("tokenizer.ggml.token_type_count", 2);
    file.text("tokenizer.ggml.model", "bert").text("tokenizer.ggml.pre", "default");
    std::vector<std::int32_t> types(tokens().size(), 1);
    std::fill_n(types.begin(), 4, 3);  // Control tokens.
    file.texts("tokenizer.ggml.tokens", tokens()).i32s("tokenizer.ggml.token_type", types);
    file.u32("tokenizer.ggml.padding_token_id", 0);
    file.u32("tokenizer.ggml.unknown_token_id", kUnknown);
    file.u32("tokenizer.ggml.bos_token_id", kBegin);
    file.u32("tokenizer.ggml.eos_token_id", kSeparator);
    file.u32("tokenizer.ggml.seperator_token_id", kSeparator);
    // As gguf-py writes them for the pair template `[CLS] A [SEP] B [SEP]`.
    file.flag("tokenizer.ggml.add_bos_token", true).flag("tokenizer.ggml.add_eos_token", true);
    file.flag("tokenizer.ggml.add_sep_token", false);
    return file;
  }
  std::string file(GgufBuilder metadata = TinyBert::metadata()) const {
    weights_.write(metadata);
    return metadata.build();
  }

  // Of a word that the vocabulary has.
  static std::int32_t word(std::string_view text) {
    const std::vector<std::string> all = tokens();
    const auto found = std::find(all.begin(), all.end(), "\u2581" + std::string(text));
    return static_cast<std::int32_t>(found - all.begin());
  }

  Vector outputs(const std::vector<std::int32_t>& ids) const {
    std::vector<Vector> states;
    for (size_t t = 0; t < ids.size(); ++t) {
      Vector x = weights_.row("token_embd.weight", static_cast<size_t>(ids[t]), kWidth);
      x = sum(x, weights_.row("token_types.weight", 0, kWidth));
      x = sum(x, weights_.row("position_embd.weight", t, kWidth));
      states.push_back(norm("token_embd_norm", x));
    }
    std::vector<Vector> keys, values;
    for (const Vector& x : states) {
      keys.push_back(weights_.affine("blk.0.attn_k", x));
      values.push_back(weights_.affine("blk.0.attn_v", x));
    }
    const Vector& first = states.front();
    const Vector seen =
        attend_plainly(weights_.affine("blk.0.attn_q", first), keys, values, kHeads, kHeads);
    const Vector attended =
        norm("blk.0.attn_output_norm", sum(first, weights_.affine("blk.0.attn_output", seen)));
    Vector inner = weights_.affine("blk.0.ffn_up", attended);
    for (double& x : inner) x = 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    Vector pooled = weights_.affine(
        "cls",
        norm("blk.0.layer_output_norm", sum(attended, weights_.affine("blk.0.ffn_down", inner))));
    for (double& x : pooled) x = std::tanh(x);
    return weights_.affine("cls.output", pooled);
  }

 private:
  static std::vector<std::string> tokens() {
    std::vector<std::string> list = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
    for (const char* word : {"is", "it", "good", "bad", "yes", "no", "very", "not", "why"})
      list.push_back("\u2581" + std::string(word));
    list.push_back("ly");
    return list;
  }

  void norm_weights(const std::string& name) {
    weights_.vector(name + ".weight", kWidth, 1, 0.3);
    weights_.vector(name + ".bias", kWidth, 0, 0.3);
  }
  void affine_weights(const std::string& name, std::uint64_t inputs, std::uint64_t rows) {
    weights_.matrix(name + ".weight", inputs, rows);
    weights_.vector(name + ".bias", rows, 0, 0.3);
  }

  Vector norm(const std::string& name, const Vector& x) const {
    double mean = 0;
    for (const double one : x) mean += one / static_cast<double>(x.size());
    double variance = 0;
    for (const double one : x)
      variance += (one - mean) * (one - mean) / static_cast<double>(x.size());
    Vector y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      y[i] = (x[i] - mean) / std::sqrt(variance + 1e-12) *
                 static_cast<double>(weights_[name + ".weight"][i]) +
             static_cast<double>(weights_[name + ".bias"][i]);
    }
    return y;
  }

  Weights weights_;
};

}  // namespace selene::testing
