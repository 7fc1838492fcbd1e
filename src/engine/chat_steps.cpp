#include "engine/chat_steps.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "engine/answer_parser.h"

namespace selene::engine {
namespace {

// For a space, a line break and what else a model puts around a label.
constexpr int kSpareTokens = 8;

std::string_view without_start(std::string_view text, std::string_view start) {
  if (text.starts_with(start)) text.remove_prefix(start.size());
  return text;
}

}  // namespace

ChatSteps::ChatSteps(const Request& request, const ServerKind& kind, bool ask_log_probs)
    : request_(&request),
      kind_(&kind),
      alternatives_(ask_log_probs ? kind.alternatives : 0),
      scores_(request.labels, kind.continues) {
  const bool generates = request.max_tokens > 0;
  const bool scores = !request.labels.empty();
  if (kind.continues) {
    step_ = generates ? Step::Critique : scores ? Step::Label : Step::End;
  } else {
    step_ = generates || scores ? Step::Whole : Step::End;
  }
}

// Enough, for no token is shorter than a byte.
int ChatSteps::verdict_tokens() const {
  size_t longest = 0;
  for (const std::string& label : request_->labels) longest = std::max(longest, label.size());
  return static_cast<int>(longest) + kSpareTokens;
}

ChatCall ChatSteps::call() const {
  switch (step_) {
    case Step::Whole:
      return whole_call();
    case Step::Critique: {
      ChatCall call = continuing_call();
      call.max_tokens = request_->max_tokens;
      call.stop = request_->stop;
      call.sampling = request_->sampling;
      return call;
    }
    case Step::Label:
    case Step::OpenLabel:
      return label_call();
    case Step::End:
      ensure(false, "a call after the end");
  }
  return {};
}

// The beginning of the answer, to be continued.
std::string ChatSteps::sent_answer() const {
  if (step_ == Step::Critique) return request_->answer_start;
  std::string text = answer_before_label(*request_, result_.text);
  if (step_ == Step::OpenLabel) text += " " + *scores_.open_text();
  return text;
}

ChatCall ChatSteps::continuing_call() const {
  ChatCall call;
  call.messages = request_->messages;
  const std::string sent = sent_answer();
  if (sent.empty()) return call;
  call.messages.push_back({"assistant", sent});
  call.continues_last = true;
  return call;
}

ChatCall ChatSteps::label_call() const {
  ChatCall call = continuing_call();
  call.max_tokens = verdict_tokens();
  call.alternatives = alternatives_;
  if (!kind_->takes_grammar) return call;
  const std::string open = step_ == Step::OpenLabel ? *scores_.open_text() : "";
  std::vector<std::string> choices;
  for (const std::string& label : request_->labels) {
    if (step_ == Step::Label) {
      choices.push_back(" " + label);
    } else if (label.size() > open.size() && label.starts_with(open)) {
      choices.push_back(label.substr(open.size()));
    }
  }
  call.grammar = choice_grammar(choices);
  return call;
}

ChatCall ChatSteps::whole_call() const {
  ChatCall call;
  call.messages = request_->messages;
  call.sampling = request_->sampling;
  call.max_tokens = request_->max_tokens;
  if (request_->labels.empty()) {
    call.stop = request_->stop;
    return call;
  }
  call.alternatives = alternatives_;
  call.max_tokens += static_cast<int>(request_->mark.size()) + verdict_tokens();
  if (request_->max_tokens > 0) return call;
  const std::string line =
      fmt::format("Answer with \"{} <label>\" alone, without reasoning.", request_->mark);
  if (const std::string& stored = request_->answer_start; !stored.empty()) {
    call.messages.push_back({"assistant", stored});
  }
  if (!call.messages.empty() && call.messages.back().role == "user") {
    call.messages.back().content += "\n\n" + line;
  } else {
    call.messages.push_back({"user", line});
  }
  return call;
}

std::string ChatSteps::critique_in(std::string_view text) const {
  return std::string(trim(without_start(trim(text), request_->answer_start)));
}

void ChatSteps::take(const ChatAnswer& answer) {
  if (std::exchange(first_, false)) {
    result_.prompt_tokens = answer.prompt_tokens;
    result_.generated_tokens = request_->max_tokens > 0 ? answer.generated_tokens : 0;
  }
  result_.invalid_utf8 |= answer.invalid_utf8;
  switch (step_) {
    case Step::Whole:
      return take_whole(answer);
    case Step::Critique:
      return take_critique(answer);
    case Step::Label:
      return take_label(answer);
    case Step::OpenLabel: {
      const std::string open = *scores_.open_text();
      scores_.add(open, answer.tokens.empty() ? std::vector<AnswerToken>(1) : answer.tokens);
      return end_or_ask_on();
    }
    case Step::End:
      ensure(false, "an answer after the end");
  }
}

void ChatSteps::take_critique(const ChatAnswer& answer) {
  const size_t stop = request_->stop.empty() ? std::string::npos : answer.text.find(request_->stop);
  result_.text = critique_in(std::string_view(answer.text).substr(0, stop));
  result_.truncated = answer.cut && stop == std::string::npos;
  step_ = request_->labels.empty() ? Step::End : Step::Label;
}

void ChatSteps::take_whole(const ChatAnswer& answer) {
  step_ = Step::End;
  result_.truncated = answer.cut;
  if (request_->labels.empty()) {
    result_.text = critique_in(answer.text);
    return;
  }
  const LabelReading reading =
      read_label(answer.text, request_->mark, request_->labels, answer.cut);
  if (!reading.label) {
    result_.text = critique_in(answer.text);
    result_.unreadable = reading.unreadable;
    return;
  }
  result_.truncated = false;
  result_.text = critique_in(reading.before_mark);
  result_.label_read = reading.label;
  scores_.add("", tokens_of_label(answer.tokens, request_->mark, request_->labels, *reading.label));
  end();
}

void ChatSteps::take_label(const ChatAnswer& answer) {
  // llama-server repeats what it continues.
  const std::string_view text = without_start(answer.text, sent_answer());
  const LabelReading reading = read_label(text, /*mark=*/"", request_->labels, answer.cut);
  result_.label_read = reading.label;
  result_.unreadable = reading.unreadable;
  scores_.add("", answer.tokens);
  end_or_ask_on();
}

void ChatSteps::end_or_ask_on() {
  const bool lists_more = alternatives_ > 0 && alternatives_ < kind_->most_alternatives;
  if (scores_.open_text()) {
    step_ = Step::OpenLabel;
  } else if (lists_more && scores_.has_seen() && scores_.log_probs().empty()) {
    alternatives_ = kind_->most_alternatives;
    scores_ = LabelScores(request_->labels, kind_->continues);
    step_ = Step::Label;
  } else {
    end();
  }
}

void ChatSteps::end() {
  step_ = Step::End;
  result_.label_log_probs = scores_.log_probs();
  if (result_.label_log_probs.empty()) return;
  result_.label_read.reset();
  result_.unreadable.clear();
}

void ChatSteps::refuse(std::string_view why) {
  step_ = Step::End;
  result_.unreadable = why;
  result_.is_final = false;
}

}  // namespace selene::engine
