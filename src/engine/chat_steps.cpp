#include "engine/chat_steps.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "engine/answer_parser.h"

namespace selene::engine {
namespace {

// For a space, a line break and what else a model puts around a label.
constexpr int kSpareTokens = 8;

std::string_view without_start(std::string_view text, std::string_view start) {
  if (!start.empty() && text.starts_with(start)) text.remove_prefix(start.size());
  return text;
}

// The tokens after white space at the beginning.
std::span<const AnswerToken> without_blank_tokens(std::span<const AnswerToken> tokens) {
  while (!tokens.empty() && trim(tokens.front().text).empty()) tokens = tokens.subspan(1);
  return tokens;
}

}  // namespace

ChatSteps::ChatSteps(const Request& request, const ServerKind& kind, bool ask_log_probs)
    : request_(&request), kind_(&kind), ask_log_probs_(ask_log_probs), scores_(request.labels) {
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
      ChatCall call = continuing_call(request_->answer_start);
      call.max_tokens = request_->max_tokens;
      call.stop = request_->stop;
      call.sampling = request_->sampling;
      return call;
    }
    case Step::Label: {
      ChatCall call = continuing_call(answer_before_label(*request_, result_.text));
      call.max_tokens = verdict_tokens();
      call.log_probs = ask_log_probs_;
      if (kind_->takes_grammar) call.grammar = label_grammar(request_->labels);
      return call;
    }
    case Step::OpenLabel: {
      ChatCall call = continuing_call(answer_before_label(*request_, result_.text) + " " + *scores_.open_text());
      call.max_tokens = 1;
      call.log_probs = true;
      return call;
    }
    case Step::End:
      ensure(false, "a call after the end");
  }
  return {};
}

ChatCall ChatSteps::continuing_call(const std::string& answer_so_far) const {
  ChatCall call{.messages = request_->messages};
  if (answer_so_far.empty()) return call;
  call.messages.push_back({"assistant", answer_so_far});
  call.continues_last = true;
  return call;
}

ChatCall ChatSteps::whole_call() const {
  ChatCall call{.messages = request_->messages};
  call.sampling = request_->sampling;
  call.max_tokens = request_->max_tokens;
  if (request_->labels.empty()) {
    call.stop = request_->stop;
    return call;
  }
  call.log_probs = ask_log_probs_;
  call.max_tokens += static_cast<int>(request_->mark.size()) + verdict_tokens();
  if (request_->max_tokens > 0) return call;
  const std::string line = fmt::format("Answer with \"{} <label>\" alone, without reasoning.", request_->mark);
  if (!request_->answer_start.empty()) call.messages.push_back({"assistant", request_->answer_start});
  if (!call.messages.empty() && call.messages.back().role == "user") {
    call.messages.back().content += "\n\n" + line;
  } else {
    call.messages.push_back({"user", line});
  }
  return call;
}

std::string ChatSteps::generated_text(std::string_view answer) const {
  return std::string(trim(without_start(trim(answer), request_->answer_start)));
}

void ChatSteps::take(const ChatAnswer& answer) {
  if (std::exchange(first_, false)) {
    result_.prompt_tokens = answer.prompt_tokens;
    result_.generated_tokens = request_->max_tokens > 0 ? answer.generated_tokens : 0;
  }
  switch (step_) {
    case Step::Whole:
      return take_whole(answer);
    case Step::Critique: {
      const size_t stop = request_->stop.empty() ? std::string::npos : answer.text.find(request_->stop);
      result_.text = generated_text(std::string_view(answer.text).substr(0, stop));
      result_.truncated = answer.cut && stop == std::string::npos;
      step_ = request_->labels.empty() ? Step::End : Step::Label;
      return;
    }
    case Step::Label:
      return take_label(answer);
    case Step::OpenLabel: {
      const std::string read = *scores_.open_text();
      scores_.add(read, answer.tokens.empty() ? std::span<const Alternative>() : answer.tokens.front().alternatives);
      return end_or_ask_open_label();
    }
    case Step::End:
      ensure(false, "an answer after the end");
  }
}

void ChatSteps::take_whole(const ChatAnswer& answer) {
  step_ = Step::End;
  result_.truncated = answer.cut;
  if (request_->labels.empty()) {
    result_.text = generated_text(answer.text);
    return;
  }
  const LabelReading reading = read_label(answer.text, request_->mark, request_->labels, answer.cut);
  if (!reading.label) {
    result_.text = generated_text(answer.text);
    result_.unreadable = reading.unreadable;
    return;
  }
  result_.truncated = false;
  result_.text = generated_text(reading.before_mark);
  result_.label_read = reading.label;
  scores_.add_path(tokens_of_label(answer.tokens, request_->mark, request_->labels, *reading.label));
  end();
}

void ChatSteps::take_label(const ChatAnswer& answer) {
  const LabelReading reading = read_label(answer.text, /*mark=*/"", request_->labels, answer.cut);
  result_.label_read = reading.label;
  result_.unreadable = reading.unreadable;
  scores_.add_path(without_blank_tokens(answer.tokens));
  end_or_ask_open_label();
}

void ChatSteps::end_or_ask_open_label() {
  if (scores_.open_text()) {
    step_ = Step::OpenLabel;
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
}

}  // namespace selene::engine
