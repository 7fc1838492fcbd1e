// Pairs into rows of tokens without padding: what pairs share (a prompt, a critique) is computed
// once.
//
// A row is a forest: each segment is a run of tokens that goes on where its parent ends, and sees
// itself, its parent and theirs, never a sibling. A pair is then its prompt once, with the chosen
// and the rejected answer as two branches; pairs of one prompt share it as well, and answers that
// begin alike share their beginning.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace selene::train {

using Token = std::int32_t;

// The tokens of one pair. `chosen` and `rejected` are the answers alone, with the model's end of
// answer; neither is empty. From `chosen_verdict` on (an index into `chosen`) the tokens are those
// of the label; likewise of `rejected`.
struct TokenPair {
  std::string id;
  std::vector<Token> prompt;
  std::vector<Token> chosen;
  std::vector<Token> rejected;
  std::size_t chosen_verdict = 0;
  std::size_t rejected_verdict = 0;
};

struct Segment {
  std::int32_t begin = 0;  // Of the row's tokens.
  std::int32_t end = 0;
  std::int32_t parent = -1;   // An earlier segment; -1: none.
  std::int32_t position = 0;  // Of its first token, from the beginning of the text.
};

// A token to be predicted from the row's token at `from`.
struct Target {
  std::int32_t from = 0;
  Token token = 0;
};

// One answer: what is predicted for it, in its order. Two answers that begin alike name the same
// targets there.
struct Branch {
  std::vector<std::int32_t> targets;
  std::size_t verdict = 0;  // Index into `targets` of the label's first token.
};

struct PackedPair {
  std::size_t pair = 0;  // Index into the pairs given.
  Branch chosen;
  Branch rejected;
};

struct Row {
  std::vector<Token> tokens;
  std::vector<Segment> segments;  // Parents first; they cover the tokens in order.
  std::vector<Target> targets;    // By `from`, ascending.
  std::vector<PackedPair> pairs;
};

// The pairs as rows of at most `most_tokens` tokens, those that share a prompt in one row where
// they fit; a pair that is longer has a row of its own. The rows are those of the same pairs in the
// same order, whatever else is packed. The last token of an answer is a target only, so it costs no
// computation.
std::vector<Row> pack(std::span<const TokenPair> pairs, std::size_t most_tokens);

// Tokens that would be computed with a row for each answer, as plain DPO has it.
std::size_t plain_tokens(std::span<const TokenPair> pairs);

// Of each segment the runs of tokens before it that it sees, ascending and joined where they touch.
struct Range {
  std::int32_t begin = 0;
  std::int32_t end = 0;
};
std::vector<std::vector<Range>> seen_before(std::span<const Segment> segments);

}  // namespace selene::train
