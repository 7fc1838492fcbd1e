#include "engine/chat_template.h"

#include <ctime>

#include <fmt/format.h>

#include <json.h>
#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::engine {
namespace {

// Noon, local time, since the Jinja engine formats with localtime.
std::time_t parse_date(const std::string& date) {
  std::tm fields{};
  const char* end = ::strptime(date.c_str(), "%Y-%m-%d", &fields);
  if (end == nullptr || *end != '\0') {
    throw Error(fmt::format("'{}' is not a date", cut_to_columns(date, 40)), "", "write it as YYYY-MM-DD");
  }
  fields.tm_hour = 12;
  fields.tm_isdst = -1;
  return std::mktime(&fields);
}

// The form in which Llama 3.1's template writes dates ("26 Jul 2024"), whatever the locale.
std::string day_month_year(const std::string& date) {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int month = std::stoi(date.substr(5, 2));
  return fmt::format("{} {} {}", date.substr(8, 2), kMonths[month - 1], date.substr(0, 4));
}

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
    throw Error(fmt::format("the model's chat template does not parse: {}", failure.what()), "",
                "give another with --chat-template FILE");
  }
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;

std::vector<TextPart> ChatTemplate::render(std::span<const Message> messages) const {
  common_json list = common_json::array();
  for (const Message& message : messages) {
    common_json item = common_json::object();
    item["role"] = message.role;
    item["content"] = message.content;
    list.push_back(item);
  }
  common_json inputs = common_json::object();
  inputs["messages"] = list;
  inputs["add_generation_prompt"] = true;
  try {
    jinja::context context(state_->options.source);
    context.current_time = state_->now;
    // Only what comes from messages is marked as input; the tokens below are the template's own words.
    jinja::global_from_json(context, inputs, /*mark_input=*/true);
    context.set_val("bos_token", jinja::mk_val<jinja::value_string>(state_->options.bos_token));
    context.set_val("eos_token", jinja::mk_val<jinja::value_string>(state_->options.eos_token));
    context.set_val("date_string", jinja::mk_val<jinja::value_string>(day_month_year(state_->options.date)));
    jinja::runtime runtime(context);
    const jinja::value result = runtime.execute(state_->program);
    std::vector<TextPart> parts;
    for (const jinja::string_part& part : jinja::runtime::gather_string_parts(result)->as_string().parts) {
      parts.push_back({part.val, part.is_input});
    }
    return parts;
  } catch (const std::exception& failure) {
    throw Error(fmt::format("the model's chat template refuses the messages: {}", failure.what()), "",
                "give another with --chat-template FILE");
  }
}

}  // namespace selene::engine
