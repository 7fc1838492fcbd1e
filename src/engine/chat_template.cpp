#include "engine/chat_template.h"

#include <algorithm>
#include <ctime>
#include <set>

#include <fmt/format.h>

#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>
#include <json.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::engine {
namespace {

// Noon, local time, since the Jinja engine formats with localtime.
std::time_t parse_date(const std::string& date) {
  std::tm fields{};
  const char* end = ::strptime(date.c_str(), "%Y-%m-%d", &fields);
  fields.tm_hour = 12;
  fields.tm_isdst = -1;
  const std::tm given = fields;
  const std::time_t time = std::mktime(&fields);
  // mktime turns the 31st of February into a day of March; strptime takes "24-7-5".
  const bool same_day = fields.tm_mon == given.tm_mon && fields.tm_mday == given.tm_mday;
  if (date.size() != std::string_view("YYYY-MM-DD").size() || end == nullptr || *end != '\0' ||
      !same_day) {
    throw Error(fmt::format("'{}' is not a date", cut_to_columns(date, 40)), "",
                "write it as YYYY-MM-DD");
  }
  return time;
}

// The form in which Llama 3.1's template writes dates ("26 Jul 2024"), whatever the locale.
std::string day_month_year(const std::string& date) {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int month = std::stoi(date.substr(5, 2));
  return fmt::format("{} {} {}", date.substr(8, 2), kMonths[month - 1], date.substr(0, 4));
}

// The Jinja engine's message, which quotes the template.
std::string harmless(const std::exception& failure) {
  return printable(replace_invalid_utf8(failure.what()));
}

// Control tokens inside messages, made unrecognisable while the template is rendered: a guard
// stands behind the first byte of each. So they are found again where the engine lost track of what
// came from a message.
class Guard {
 public:
  Guard(std::span<const std::string> control_tokens, std::span<const Message> messages)
      : tokens_(control_tokens) {
    const auto in_messages = [&](std::string_view text) {
      return std::any_of(messages.begin(), messages.end(), [&](const Message& one) {
        return one.content.find(text) != std::string::npos;
      });
    };
    if (std::none_of(tokens_.begin(), tokens_.end(), in_messages)) return;
    do guard_ += kCharacter;
    while (in_messages(guard_));
  }

  std::string protect(const std::string& content) const {
    if (guard_.empty()) return content;
    std::set<size_t> starts;
    for (const std::string& token : tokens_) {
      for (size_t at = content.find(token); at != std::string::npos;
           at = content.find(token, at + 1))
        starts.insert(at);
    }
    std::string guarded;
    for (size_t i = 0; i < content.size(); ++i) {
      guarded += content[i];
      if (starts.contains(i)) guarded += guard_;
    }
    return guarded;
  }

  // Adds the part to `parts` without its guards; what they protected is from a message.
  void release(TextPart part, std::vector<TextPart>& parts) const {
    std::set<size_t> starts;
    if (!guard_.empty()) {
      for (size_t at = part.text.find(guard_); at != std::string::npos;
           at = part.text.find(guard_, at)) {
        part.text.erase(at, guard_.size());
        if (at > 0) starts.insert(at - 1);
      }
    }
    size_t done = 0;
    const auto add = [&](size_t end, bool from_message) {
      if (end > done) parts.push_back({part.text.substr(done, end - done), from_message});
      done = std::max(done, end);
    };
    for (const size_t start : starts) {
      add(start, part.from_message);
      for (const std::string& token : tokens_) {
        if (part.text.compare(start, token.size(), token) == 0) add(start + token.size(), true);
      }
    }
    add(part.text.size(), part.from_message);
  }

 private:
  static constexpr const char* kCharacter =
      "\xF4\x8F\xBF\xBE";  // U+10FFFE, which stands for no character.
  std::span<const std::string> tokens_;
  std::string
      guard_;  // Longer than any run of it in the messages; empty when they have no control tokens.
};

}  // namespace

struct ChatTemplate::State {
  Options options;
  std::time_t now = 0;
  jinja::program program;
};

ChatTemplate::ChatTemplate(Options options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->now = parse_date(state_->options.date);
  try {
    jinja::lexer lexer;
    const auto tokens = lexer.tokenize(state_->options.source);
    state_->program = jinja::parse_from_tokens(tokens);
  } catch (const std::exception& failure) {
    throw Error(fmt::format("the model's chat template does not parse: {}", harmless(failure)), "",
                "give another with --chat-template FILE");
  }
  // A template that leaves the message out would ask every sample the same.
  constexpr std::string_view kProbe = "Is this text shown?";
  std::string text;
  for (const TextPart& part : render(std::vector<Message>{{"user", std::string(kProbe)}}))
    text += part.text;
  if (text.find(kProbe) == std::string::npos) {
    throw Error("the chat template leaves out what the message says", "",
                "give another with --chat-template FILE");
  }
}

void ChatTemplate::check_date(const std::string& date) { parse_date(date); }

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;

std::vector<TextPart> ChatTemplate::render(std::span<const Message> messages,
                                           bool begin_answer) const {
  const Guard guard(state_->options.control_tokens, messages);
  common_json list = common_json::array();
  for (const Message& message : messages) {
    common_json item = common_json::object();
    item["role"] = message.role;
    item["content"] = guard.protect(message.content);
    list.push_back(item);
  }
  common_json inputs = common_json::object();
  inputs["messages"] = list;
  inputs["add_generation_prompt"] = begin_answer;
  try {
    jinja::context context(state_->options.source);
    context.current_time = state_->now;
    // Only what comes from messages is marked as input; the tokens below are the template's own
    // words.
    jinja::global_from_json(context, inputs, /*mark_input=*/true);
    context.set_val("bos_token", jinja::mk_val<jinja::value_string>(state_->options.bos_token));
    context.set_val("eos_token", jinja::mk_val<jinja::value_string>(state_->options.eos_token));
    context.set_val("date_string",
                    jinja::mk_val<jinja::value_string>(day_month_year(state_->options.date)));
    jinja::runtime runtime(context);
    const jinja::value result = runtime.execute(state_->program);
    std::vector<TextPart> parts;
    for (const jinja::string_part& part :
         jinja::runtime::gather_string_parts(result)->as_string().parts) {
      guard.release({part.val, part.is_input}, parts);
    }
    return parts;
  } catch (const std::exception& failure) {
    throw Error(
        fmt::format("the model's chat template refuses the messages: {}", harmless(failure)), "",
        "give another with --chat-template FILE");
  }
}

}  // namespace selene::engine
