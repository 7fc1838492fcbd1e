#include "judge/harness_prompt.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "judge/template.h"
#include "temporary_folder.h"

namespace selene::judge {
namespace {

using testing::message_of;

constexpr const char* kModule = R"(# Made up, in the shape of a harness.
OTHER = """Which is {better}?"""

Some_PROMPT = """You compare two answers.
(1) The longer one is not the better one: "{user_input}" stays.

**Result:** <A or B>

```
{user_input}
```
A:
{assistant_response_a}
B:
{assistant_response_b}
```"""


def format_answers(question):
    Some_PROMPT = """no"""
    return Some_PROMPT.format(user_input=question)
)";

TEST(HarnessPrompt, IsTakenOutOfThePythonFile) {
  const std::string text = python_text(kModule, "Some_PROMPT");
  EXPECT_TRUE(text.starts_with("You compare two answers.\n(1) "));
  EXPECT_TRUE(text.ends_with("{assistant_response_b}\n```"));
  EXPECT_EQ(python_text(kModule, "OTHER"), "Which is {better}?");
  EXPECT_EQ(python_text("X = \"\"\"first\"\"\"", "X"), "first");
}

TEST(HarnessPrompt, BecomesATemplateByteForByte) {
  const std::string text = python_text(kModule, "Some_PROMPT");
  const std::string yaml = foreign_template(text);
  EXPECT_TRUE(yaml.starts_with("user_template: |-\n  You compare two answers.\n"));
  const Template form = parse_template(yaml, "some", "some.yaml");
  EXPECT_TRUE(form.foreign);
  EXPECT_EQ(form.user_template, text);
  EXPECT_EQ(form.tasks, std::vector{data::Task::Pairwise});
  EXPECT_EQ(form.mark, "**Result:**");
  data::Sample sample;
  sample.task = data::Task::Pairwise;
  sample.labels = {"A", "B"};
  sample.input = "Why?";
  sample.response_a = "So.";
  sample.response_b = "No.";
  EXPECT_TRUE(render(form, sample).ends_with("```\nWhy?\n```\nA:\nSo.\nB:\nNo.\n```"));
}

TEST(HarnessPrompt, SaysWhatCannotBeTaken) {
  const auto failure = [](std::string_view source) {
    return message_of<Error>([&] { python_text(source, "X"); });
  };
  EXPECT_EQ(failure("Y = \"\"\"a\"\"\""), "'X' is not assigned one text in the Python file");
  EXPECT_EQ(failure("X = \"\"\"a\"\"\"\nX = \"\"\"b\"\"\"\n"),
            "'X' is not assigned one text in the Python file");
  EXPECT_EQ(failure("X = \"\"\"a"), "the text of 'X' does not end");
  EXPECT_EQ(failure("X = \"\"\"a\\n\"\"\""), "the text of 'X' has a backslash, which is not read");
}

TEST(HarnessPrompt, SaysWhatNoTemplateCanSay) {
  const std::string both = "{assistant_response_a} {assistant_response_b}";
  const auto failure = [](const std::string& text) {
    return message_of<Error>([&] { foreign_template(text); });
  };
  EXPECT_EQ(failure("{{\"a\": 1}} " + both), "a prompt with a doubled brace has no template");
  EXPECT_EQ(failure(both + "\n"), "a prompt with white space at an end has no template");
  EXPECT_TRUE(failure("{who} " + both).starts_with("unknown placeholder '{who}'"));
}

}  // namespace
}  // namespace selene::judge
