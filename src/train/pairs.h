// The pairs of a mix (`selene curate`), read and tokenised.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/conversation_tokens.h"
#include "train/packing.h"

namespace selene::train {

struct LoadedPair {
  TokenPair tokens;
  std::string kind;  // critique, verdict, ...
  std::string source;
};

struct LoadedPairs {
  std::vector<LoadedPair> pairs;
  std::string digest;          // SHA-256 of the file.
  std::uint64_t cut = 0;       // Pairs whose prompt was cut to fit.
  std::uint64_t too_long = 0;  // Pairs whose answers alone do not fit: left out.
};

// The pairs to train on of a mix: a folder's train.jsonl, or the file itself.
std::filesystem::path training_file(const std::filesystem::path& mix);

// A file of pairs (docs/formats.md, "Pair"). At most `most` of them are read (0: all). A pair of
// more than `most_tokens` (prompt and the longer answer) has the middle of its longest fenced text
// cut out, or where there is none of its longest message: the verdict and the task stay whole.
// Throws Error that names file and line: malformed JSON, a side that is missing or empty, sides
// that are the same, an answer that does not end with its label, a prompt that the model's chat
// template refuses, a file without pairs.
LoadedPairs load_pairs(const std::filesystem::path& file,
                       const engine::ConversationTokens& tokenizer, std::size_t most_tokens,
                       std::size_t most = 0);

// The message with its longest fenced text (or itself) shortened by at least `bytes` in its
// middle, where " […] " stands then; at most to nothing but that. Whole characters are cut.
std::string cut_middle(const std::string& message, std::size_t bytes);

}  // namespace selene::train
