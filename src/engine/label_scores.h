// Probabilities of labels from what a server lists as possible tokens ("top_logprobs").
//
// The rule. Where the label begins, each listed alternative counts for the label that begins with it, white space in
// front left out. A text that several labels begin with ("1" of 1 and 10) stays open until it is known what follows it;
// but it counts for the label that it is as a whole when every longer one has an alternative of its own, for then the
// tokenizer writes that one in another way. A label that is not listed takes the smallest listed probability, which is
// the most it can have. A distribution is given only when all that is open or taken so is at most a thousandth of what
// the labels have; else there is none, for it would be a guess.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::engine {

// A token that could have stood at a place.
struct Alternative {
  std::string text;
  double log_prob = 0;  // Natural.
};

// A token of an answer.
struct AnswerToken {
  std::string text;
  std::vector<Alternative> alternatives;  // The token itself among them.
};

class LabelScores {
 public:
  explicit LabelScores(std::span<const std::string> labels) : labels_(labels.begin(), labels.end()), found_(labels.size()) {}

  // What can follow `read`: nothing (where the label begins), or an open text.
  void add(std::string_view read, std::span<const Alternative> alternatives);
  // Adds what is listed along a generated answer, from the token that begins the label, as far as its text is open.
  void add_path(std::span<const AnswerToken> tokens);

  // The most probable open text, when what follows it would decide whether there is a distribution.
  std::optional<std::string> open_text() const;
  // Natural log, one a label (their sum is not 1); empty when there is no distribution.
  std::vector<double> log_probs() const;

 private:
  struct Found {
    double probability = 0;
    double at_most = 0;  // What it can have, being not listed.
  };
  size_t count_beginning(std::string_view text) const;
  void close_whole_labels();
  double open_probability() const;

  std::vector<std::string> labels_;
  std::vector<Found> found_;            // One a label.
  std::map<std::string, double> open_;  // Text and its probability.
};

}  // namespace selene::engine
