// Probabilities of labels from what a server lists as possible tokens ("top_logprobs").
//
// The rule. Where the label begins, each listed alternative counts for the label that it is, white
// space in front left out. What only begins a label stays open until it is known what follows it,
// for something else could; so does what is a label and begins another ("1" of 10), unless each
// longer one is listed in another way ("10"): then the tokenizer does not write it in these parts.
// Where the server cannot be asked what follows, a text that begins one label alone counts for it.
// White space that was generated alone in front of the label is a step on the way, with its
// probability.
//
// A label that is not listed, or open, takes the most that it can have. A distribution is given
// only when all that is open or taken so is at most a thousandth of what the labels have; else
// there is none, for it would be a guess.
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
  // `can_ask`: add() can be called with what the server generates after an open text.
  LabelScores(std::span<const std::string> labels, bool can_ask)
      : labels_(labels.begin(), labels.end()), can_ask_(can_ask), found_(labels.size()) {}

  // The tokens generated after `read`: nothing (where the label begins), or an open text. They are
  // followed as far as their text is white space or open.
  void add(std::string_view read, std::span<const AnswerToken> tokens);

  // The most probable open text that the server can be asked about, when it matters.
  std::optional<std::string> open_text() const;
  // Something was listed where a label could stand.
  bool has_seen() const { return has_seen_; }
  // Natural log, one a label (their sum is not 1); empty when there is no distribution.
  std::vector<double> log_probs() const;

 private:
  struct Found {
    double probability = 0;
    double unlisted = 0;  // The most that it can have besides.
  };
  void add_place(std::string_view read, double share, std::span<const Alternative> alternatives);
  size_t count_beginning(std::string_view text) const;
  bool counts_at_once(const std::string& text, size_t count) const;
  bool is_listed_beyond(size_t label, std::string_view text) const;
  void close_whole_labels();
  double known() const;
  double open() const;

  std::vector<std::string> labels_;
  bool can_ask_;
  bool has_seen_ = false;
  std::vector<Found> found_;            // One a label.
  std::map<std::string, double> open_;  // Text and its probability.
};

}  // namespace selene::engine
