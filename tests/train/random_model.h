// A tiny random model of the Llama 3.1 kind, in memory: grouped-query attention, scaled RoPE, an
// output apart from the embedding. And random pairs for it.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/random.h"
#include "model/weights.h"
#include "train/packing.h"

namespace selene::testing {

class RandomWeights final : public model::Weights {
 public:
  explicit RandomWeights(bool tied = false, std::uint64_t seed = 1) : seed_(seed) {
    config_.layers = 2;
    config_.width = 48;
    config_.heads = 4;
    config_.kv_heads = 2;
    config_.head_size = 16;
    config_.feed_forward = 80;
    config_.vocabulary = 96;
    config_.context_length = 512;
    config_.rope_base = 10000;
    config_.rope_factors = {1, 1, 1, 1.5f, 2, 4, 8, 8};
    config_.tied_embeddings = tied;
    for (const model::LlamaTensor& tensor : model::llama_tensors(config_))
      tensors_.push_back({tensor.name, tensor.rows, tensor.columns, "f32"});
  }

  void read(const std::string& name, std::span<float> out) const override {
    Random random(derive_seed(seed_, name));
    const bool norm = name.ends_with("norm.weight");
    for (float& x : out) {
      const auto uniform = static_cast<float>(2 * random.uniform() - 1);
      x = norm ? 1 + 0.3f * uniform : 0.4f * uniform;
    }
  }

 private:
  std::uint64_t seed_;
};

inline std::vector<train::Token> random_tokens(Random& random, std::size_t count) {
  std::vector<train::Token> tokens;
  for (std::size_t i = 0; i < count; ++i)
    tokens.push_back(static_cast<train::Token>(random.next() % 96));
  return tokens;
}

// `pairs` pairs of which every third has the prompt of the one before it, and every second has a
// rejected answer that begins like the chosen one; prompts are longer than a block of attention.
inline std::vector<train::TokenPair> random_pairs(std::size_t pairs, std::uint64_t seed = 7) {
  Random random(seed);
  std::vector<train::TokenPair> made;
  for (std::size_t i = 0; i < pairs; ++i) {
    train::TokenPair pair;
    pair.id = "pair" + std::to_string(i);
    pair.prompt = i % 3 == 2 ? made.back().prompt : random_tokens(random, 70 + random.next() % 60);
    pair.prompt.front() = 1;
    pair.chosen = random_tokens(random, 3 + random.next() % 9);
    pair.rejected = random_tokens(random, 2 + random.next() % 9);
    if (i % 2 == 1) {
      pair.rejected = pair.chosen;
      pair.rejected.back() = (pair.rejected.back() + 1) % 96;
    }
    pair.chosen_verdict = pair.chosen.size() - 1;
    pair.rejected_verdict = pair.rejected.size() - 1;
    made.push_back(std::move(pair));
  }
  return made;
}

}  // namespace selene::testing
