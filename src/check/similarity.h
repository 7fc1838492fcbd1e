// How alike two texts are, from 0 to 1.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace selene::check {

struct Similarity {
  std::string_view name;
  std::string_view help;
  double (*measure)(std::string_view text, std::string_view reference);
};

// Words are runs of letters and digits in lower case (ASCII; any other character is a letter).
// - token_f1: F1 of the words both have, as SQuAD scores answers (Rajpurkar et al. 2016)
// - rouge_l: F1 of the longest common subsequence of words (Lin 2004)
// - levenshtein: 1 - edits / length of the longer, in bytes
// Two empty texts are alike. The last two throw Error (without a place) for texts whose lengths
// multiplied are above 2e9 words or 1.28e11 bytes, such as 44,000 words or 350,000 bytes each.
std::span<const Similarity> similarities();

// Levenshtein distance, in bytes.
size_t edit_distance(std::string_view first, std::string_view second);

}  // namespace selene::check
