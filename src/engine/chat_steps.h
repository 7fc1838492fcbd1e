// One request as calls to a chat server, one after the other.
//
// Where the server continues an assistant message, the request runs as it does in-process: the
// critique, stopped at the result mark; then, after answer_before_label(), the label with the
// log-probabilities of what else could stand there; then, where labels of several tokens leave it
// open, what follows their beginnings (label_scores.h). Where that gives no distribution, as a
// label is not among what is listed, all of it once more with the most that the server lists.
// llama-server is kept to the labels by a grammar, which does not change the log-probabilities.
//
// Where it does not, one call writes critique, mark and label freely, and the verdict is read
// strictly (answer_parser.h); the start of the answer is not sent. A request for the verdict alone
// gets one more line at its end: `Answer with "<mark> <label>" alone, without reasoning.`; a stored
// critique comes before that line as a turn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "engine/label_scores.h"
#include "engine/openai_chat.h"

namespace selene::engine {

class ChatSteps {
 public:
  // `request` and `kind` outlive it.
  ChatSteps(const Request& request, const ServerKind& kind, bool ask_log_probs);

  bool ended() const { return step_ == Step::End; }
  // No call was answered yet.
  bool first() const { return first_; }
  // The next call scores labels only.
  bool scoring() const { return step_ == Step::Label || step_ == Step::OpenLabel; }
  // The next call. Not after the end.
  ChatCall call() const;
  // What it was answered.
  void take(const ChatAnswer& answer);
  // The server does not take the call: the request ends without a verdict, and with no final
  // result.
  void refuse(std::string_view why);
  Result take_result() { return std::move(result_); }

 private:
  enum class Step {
    Whole,  // Critique, mark and label in one.
    Critique,
    Label,
    OpenLabel,  // What follows the beginning of a label.
    End,
  };
  ChatCall whole_call() const;
  ChatCall continuing_call() const;
  ChatCall label_call() const;
  std::string sent_answer() const;
  int verdict_tokens() const;
  std::string critique_in(std::string_view text) const;
  void take_whole(const ChatAnswer& answer);
  void take_critique(const ChatAnswer& answer);
  void take_label(const ChatAnswer& answer);
  void end_or_ask_on();
  void end();

  const Request* request_;
  const ServerKind* kind_;
  int alternatives_;  // To ask for; 0: no log-probabilities.
  Step step_;
  LabelScores scores_;
  bool first_ = true;
  Result result_;
};

}  // namespace selene::engine
