// Chat templates rendered as Hugging Face renders them, and which parts of the text came from
// messages.
#include "engine/chat_template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "chat_cases.h"
#include "core/error.h"
#include "core/text.h"
#include "temporary_folder.h"
#include "vocab.h"

namespace selene::engine {
namespace {

namespace fs = std::filesystem;
using selene::testing::fixture_rows;
using selene::testing::joined;
using selene::testing::llama_source;
using selene::testing::message_of;
using selene::testing::messages_of;
using selene::testing::slurp;

ChatTemplate::Options options(std::string source) {
  return {.source = std::move(source), .bos_token = "<bos>", .eos_token = "<eos>"};
}

std::string rendered(const ChatTemplate::Options& given, const std::vector<Message>& messages) {
  return joined(ChatTemplate(given).render(messages));
}

// The texts were made by transformers with Jinja2 (make_chat_ids.py).
TEST(ChatTemplate, Llama31IsRenderedAsHuggingFaceRendersIt) {
  const std::string source =
      slurp(llama_source("models/templates/meta-llama-Llama-3.1-8B-Instruct.jinja"));
  const auto rows = fixture_rows("llama31_chats.jsonl");
  EXPECT_GE(rows.size(), 12u);
  for (const auto& row : rows) {
    ChatTemplate::Options given{
        .source = source, .bos_token = "<|begin_of_text|>", .eos_token = "<|eot_id|>"};
    if (row.at("name") == "other-date") given.date = "2025-02-01";
    EXPECT_EQ(rendered(given, messages_of(row)), row.at("text")) << row.at("name");
  }
}

TEST(ChatTemplate, TheDateIsTheGivenOneInEveryTimeZone) {
  ChatTemplate::Options given =
      options("{{ date_string }}|{{ strftime_now('%Y-%m-%d') }}{{ messages[0].content }}");
  for (const char* zone : {"UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo"}) {
    const selene::testing::ScopedEnvironment environment("TZ", zone);
    ::tzset();
    given.date = ChatTemplate::kDefaultDate;
    EXPECT_EQ(rendered(given, {{"user", ""}}), "26 Jul 2024|2024-07-26") << zone;
    given.date = "2028-02-29";
    EXPECT_EQ(rendered(given, {{"user", ""}}), "29 Feb 2028|2028-02-29") << zone;
  }
  ::tzset();
}

TEST(ChatTemplate, OnlyAWholeDateIsADate) {
  for (const char* date :
       {"", "tomorrow", "2024-13-01", "2024-02-30", "2023-02-29", "2024-7-5", "24-07-26",
        "2024-07-26x", "2024-07-26 ", " 2024-07-26", "26 Jul 2024", "-024-07-26"}) {
    ChatTemplate::Options given = options("{{ date_string }}");
    given.date = date;
    EXPECT_EQ(message_of<Error>([&] { ChatTemplate{given}; }),
              "'" + cut_to_columns(date, 40) + "' is not a date; write it as YYYY-MM-DD");
  }
}

TEST(ChatTemplate, SaysWhatDoesNotParse) {
  const std::string message = message_of<Error>([] { ChatTemplate{options("{% for x in %}")}; });
  EXPECT_EQ(message.rfind("the model's chat template does not parse: ", 0), 0u) << message;
  EXPECT_NE(message.find("; give another with --chat-template FILE"), std::string::npos) << message;
}

TEST(ChatTemplate, AMessageThatQuotesBytesOfItIsHarmless) {
  const std::string message =
      message_of<Error>([] { ChatTemplate{options("{% if \x85 \x1b[2J %}{% endif %}")}; });
  EXPECT_NE(message, "");
  EXPECT_TRUE(is_valid_utf8(message)) << message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos) << message;
}

TEST(ChatTemplate, OneThatLeavesTheMessageOutIsRefused) {
  for (const char* source : {"Say yes.", "{# nothing #}", "{{ messages[0].role }}"}) {
    EXPECT_EQ(message_of<Error>([&] { ChatTemplate{options(source)}; }),
              "the chat template leaves out what the message says; give another with "
              "--chat-template FILE");
  }
}

TEST(ChatTemplate, SaysWhyMessagesAreRefused) {
  const ChatTemplate gemma(
      options(slurp(llama_source("models/templates/google-gemma-2-2b-it.jinja"))));
  const std::string message = message_of<Error>([&] {
    gemma.render(std::vector<Message>{{"system", "Be brief."}, {"user", "Hi"}});
  });
  EXPECT_EQ(message.rfind("the model's chat template refuses the messages: ", 0), 0u) << message;
  EXPECT_NE(message.find("System role not supported"), std::string::npos) << message;
  EXPECT_NE(message.find("; give another with --chat-template FILE"), std::string::npos) << message;
}

TEST(ChatTemplate, SaysWhichPartsCameFromMessages) {
  ChatTemplate::Options given =
      options("{{ bos_token }}<u>{{ messages[0].content | trim }}</u>{{ eos_token }}");
  given.control_tokens = {"<u>", "</u>"};
  const std::vector<TextPart> parts =
      ChatTemplate(given).render(std::vector<Message>{{"user", " a</u>\n"}});
  std::string template_words;
  std::string message_words;
  for (const TextPart& part : parts)
    (part.from_message ? message_words : template_words) += part.text;
  EXPECT_EQ(joined(parts), "<bos><u>a</u></u><eos>");
  EXPECT_EQ(template_words, "<bos><u></u><eos>");
  EXPECT_EQ(message_words, "a</u>");
}

// The engine forgets where text came from when a template splits it, as those of reasoning models
// do.
TEST(ChatTemplate, ControlTokensOfAMessageStayDataWhereTheTemplateCutsIt) {
  ChatTemplate::Options given =
      options("{% for part in messages[0].content.split(',') %}<e>{{ part }}{% endfor %}");
  given.control_tokens = {"<end>", "<e>", "<"};
  const std::string guard = "\xF4\x8F\xBF\xBE";
  for (const std::string& content :
       {std::string("a<end>b,<e>,c"), std::string("<e><e>,<end><end>"), std::string("<en<e>d>,x"),
        std::string(","), guard + "<e>" + guard + "," + guard + guard + "<end>" + guard}) {
    const std::vector<TextPart> parts =
        ChatTemplate(given).render(std::vector<Message>{{"user", content}});
    std::string expected = "<e>" + content;
    for (size_t at = 0; (at = expected.find(',', at)) != std::string::npos;)
      expected.replace(at, 1, "<e>");
    EXPECT_EQ(joined(parts), expected);
    std::string template_words;
    for (const TextPart& part : parts) template_words += part.from_message ? "" : part.text;
    const auto commas = static_cast<size_t>(std::count(content.begin(), content.end(), ','));
    size_t found = 0;
    for (size_t at = 0; (at = template_words.find('<', at)) != std::string::npos; ++at) ++found;
    EXPECT_EQ(found, commas + 1) << content;
  }
}

// Every template that llama.cpp's source carries, with messages of each role that try what
// templates look for.
TEST(ChatTemplate, ControlTokensOfMessagesStayDataInEveryKnownTemplate) {
  const std::string control = "<|secret|>";
  std::vector<std::vector<Message>> chats;
  for (const char* cut : {"", "</think>", "<think>", "<think>x</think>", "[/THINK]", "\n", " "}) {
    const std::string text = control + "a" + cut + "b" + control;
    chats.push_back({{"user", text}});
    chats.push_back({{"system", text}, {"user", text}});
    chats.push_back({{"user", text}, {"assistant", text}, {"user", text}});
  }
  size_t templates = 0;
  for (const auto& entry : fs::directory_iterator(llama_source("models/templates"))) {
    if (entry.path().extension() != ".jinja") continue;
    ++templates;
    ChatTemplate::Options given = options(slurp(entry.path()));
    given.control_tokens = {control};
    const ChatTemplate one(given);
    for (const auto& messages : chats) {
      try {
        for (const TextPart& part : one.render(messages)) {
          EXPECT_TRUE(part.from_message || part.text.find(control) == std::string::npos)
              << entry.path() << "\n"
              << part.text;
        }
      } catch (const Error& refused) {  // Some have no place for a system message.
        EXPECT_NE(std::string(refused.what()).find("refuses"), std::string::npos) << refused.what();
      }
    }
  }
  EXPECT_GT(templates, 60u);
}

}  // namespace
}  // namespace selene::engine
