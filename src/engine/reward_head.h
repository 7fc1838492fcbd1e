// The classification head of a reward model, as its GGUF file describes it: what llama.cpp calls
// rank pooling (build_pooling in its llama-graph.cpp).
//
// Encoders (BERT and its kin) are cross-encoders: they read a pair of texts, and llama.cpp computes
// the head. A Qwen3 reads one text to its last token. There llama.cpp ends the head with a softmax
// over its outputs, which makes 1 of any single one, so the head of a Qwen3 is computed here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace selene::engine {

struct RewardHead {
  bool encoder = false;
  // Pairs of texts are scored; false: conversations.
  bool takes_pairs = false;
  // Of a model that is no encoder: the score is the product of these and the last token's state.
  std::vector<float> weights;
  // Of one that takes pairs and is no encoder: the text around {query} and {document}.
  std::string pair_template;
};

// Reads the header and the head. Throws Error when the file is no whole GGUF, is of an architecture
// for which llama.cpp has no head (naming those that have one), has no head, or one of several
// outputs. Of those only "yes" and "no" of a Qwen3 reranker are known: its score is the log-odds of
// "yes".
RewardHead read_reward_head(const std::filesystem::path& gguf);

}  // namespace selene::engine
