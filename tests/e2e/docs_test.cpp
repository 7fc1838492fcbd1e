// The documentation says what the program does: docs/cli.md has every flag of every help text and
// no other, and each example and table of docs/formats.md is read by the code that it describes.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "check/checks_file.h"
#include "check/gate.h"
#include "check/plain_check.h"
#include "core/error.h"
#include "data/jsonl.h"
#include "data/sample.h"
#include "default_model.h"
#include "engine/q8_product.h"
#include "judge/judge_spec.h"
#include "judge/ledger.h"
#include "judge/template.h"
#include "program.h"
#include "table/table.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::set<std::string>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The first capture of every match.
Names matches(const std::string& text, const std::string& pattern) {
  Names found;
  const std::regex expression(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
    found.insert((*at)[1]);
  return found;
}

// command → its long flags, from the help texts, beginning at `command`.
void read_help(const std::vector<std::string>& command, std::map<std::string, Names>& flags) {
  std::vector<std::string> args = command;
  args.emplace_back("--help");
  const Finished help = run(args);
  ASSERT_EQ(help.exit_code, 0) << help.err;
  std::string name = "selene";
  for (const std::string& word : command) name += " " + word;
  Names& own = flags[name];
  bool subcommands = false;
  for (const std::string& line : lines_of(help.out)) {
    if (!line.starts_with("  ")) subcommands = line == "Subcommands:";
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^  (?:-[a-z],)?(--[a-z-]+)")))
      own.insert(match[1]);
    if (!subcommands || !std::regex_search(line, match, std::regex("^  ([a-z]+)"))) continue;
    std::vector<std::string> next = command;
    next.push_back(match[1]);
    read_help(next, flags);
  }
  if (!command.empty()) own.erase("--help");
}

std::map<std::string, Names> documented_flags() {
  std::map<std::string, Names> flags;
  std::string command;
  for (const std::string& line : lines_of(slurp(source_file("docs/cli.md")))) {
    if (line.starts_with("## ")) {
      command = line.substr(3);
      if (command.starts_with("selene")) flags[command];
    }
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^\\| `(--[a-z-]+)"))) {
      EXPECT_TRUE(flags[command].insert(match[1]).second)
          << match[1] << " stands twice in " << command;
    }
  }
  return flags;
}

TEST(CliDocument, HasEveryFlagOfEveryCommandAndNoOther) {
  if (!table::is_available()) GTEST_SKIP() << "SKIPPED: without DuckDB some commands are missing";
  std::map<std::string, Names> helped;
  read_help({}, helped);
  std::map<std::string, Names> documented = documented_flags();
  if (!helped.contains("selene train plot")) {  // Built without LibTorch: there is no help of it.
    std::erase_if(documented, [](const auto& one) { return one.first.starts_with("selene train"); });
    helped.erase("selene train");
  }
  for (const auto& [command, flags] : helped) {
    ASSERT_TRUE(documented.contains(command))
        << "docs/cli.md has no section '## " << command << "'";
    EXPECT_EQ(documented.at(command), flags) << command;
  }
  for (const auto& [command, flags] : documented)
    EXPECT_TRUE(helped.contains(command)) << "there is no " << command;
}

// The fenced block after `<!-- example: NAME -->`.
std::string example(const std::string& name) {
  const std::string text = slurp(source_file("docs/formats.md"));
  const size_t mark = text.find("<!-- example: " + name + " -->\n```");
  if (mark == std::string::npos) throw std::runtime_error("docs/formats.md has no example " + name);
  const size_t begin = text.find('\n', text.find("```", mark)) + 1;
  return text.substr(begin, text.find("\n```", begin) + 1 - begin);
}

std::string section(const std::string& heading) {
  const std::string text = slurp(source_file("docs/formats.md"));
  const size_t begin = text.find("\n" + heading + "\n");
  if (begin == std::string::npos)
    throw std::runtime_error("docs/formats.md has no heading " + heading);
  const std::string level = "\n" + heading.substr(0, heading.find(' ') + 1);
  return text.substr(begin, text.find(level, begin + 1) - begin);
}

TEST(FormatsDocument, ChecksFilesAreReadAndEveryKindIsNamed) {
  const check::ChecksFile checks = check::parse_checks(example("checks"), "formats.md");
  EXPECT_EQ(checks.checks.size(), 4U);
  const std::string text = section("## Checks file");
  for (const check::PlainKind& kind : check::plain_kinds())
    EXPECT_NE(text.find(fmt::format("`{}`", kind.key)), std::string::npos) << kind.key;
}

TEST(FormatsDocument, CheckResultsAreABaseline) {
  const TemporaryFolder folder;
  const check::ChecksFile checks = check::parse_checks(
      "checks:\n  - {name: no placeholder left, json: true}\n"
      "  - {name: solves the problem, criteria: c}\n",
      "c.yaml");
  check::Answers answers;
  answers.answers = {{.id = "T-102", .fields = {}}};
  const check::Baseline baseline =
      check::read_baseline(folder.file("b.jsonl", example("check result")), checks, answers);
  EXPECT_EQ(baseline.rows.at("T-102").checks,
            (std::vector{check::Status::Failed, check::Status::Passed}));
}

TEST(FormatsDocument, SamplesAreRead) {
  size_t line = 0;
  for (const std::string& row : lines_of(example("sample"))) {
    const data::Sample sample = data::sample_from_json(data::parse_object(row), ++line);
    EXPECT_FALSE(sample.id.empty());
  }
  EXPECT_EQ(line, 3u);
}

TEST(FormatsDocument, TemplatesAreRead) {
  const judge::Template ours = judge::parse_template(example("template"), "x", "docs");
  EXPECT_FALSE(ours.foreign);
  EXPECT_EQ(ours.name, "politeness");
  EXPECT_EQ(ours.labels, (std::vector<std::string>{"polite", "rude"}));
  const judge::Template foreign = judge::parse_template(example("foreign-template"), "x", "docs");
  EXPECT_TRUE(foreign.foreign);
  EXPECT_EQ(foreign.tasks, std::vector<data::Task>{data::Task::Classification});
}

// "…; known: a, b" of an error message.
Names known_names(const std::string& message) {
  const size_t known = message.find("known: ");
  return known == std::string::npos ? Names() : matches(message.substr(known + 7), "([a-z_0-9]+)");
}

TEST(FormatsDocument, TemplateTablesAreComplete) {
  const auto message = [](const char* yaml) {
    return message_of<Error>([&] { judge::parse_template(yaml, "x", "docs"); });
  };
  EXPECT_EQ(matches(section("### Ours"), "\n\\| `([a-z_]+)` \\|"),
            known_names(message("nope: 1\nuser_template: a\n")));
  EXPECT_EQ(matches(section("### Ours"), "\n\\| `\\{([a-z_]+)\\}` \\|"),
            known_names(message("task: absolute\nmark: R\nuser_template: '{nope}'\n")));
  EXPECT_EQ(matches(section("### Foreign"), "\n\\| `\\{([a-z_0-9]+)\\}` \\|"),
            known_names(message("user_template: '{nope}'\n")));
}

TEST(FormatsDocument, JudgeFilesAreRead) {
  const judge::JudgeSpec spec = judge::parse_judge_file(example("judge"), "jury.yaml");
  EXPECT_EQ(spec.name, "my-jury");
  EXPECT_EQ(spec.members.size(), 2u);
  const std::string message =
      message_of<Error>([] { judge::parse_judge_file("nope: 1\n", "jury.yaml"); });
  Names documented;
  for (const std::string& line : lines_of(section("## Judge file"))) {
    if (line.starts_with("| `"))
      documented.merge(matches(line.substr(0, line.find(" | ")), "`([a-z_]+)`"));
  }
  EXPECT_EQ(documented, known_names(message));
}

TEST(FormatsDocument, LedgerRecordsAreRead) {
  const std::string text = example("record");
  const judge::Record record = judge::record_from_json(text);
  EXPECT_EQ(judge::record_to_json(record) + "\n", text);
  EXPECT_EQ(record.template_name, judge::parse_template(example("template"), "x", "docs").name);
}

TEST(FormatsDocument, TheLockFileIsQuoted) {
  const std::string lock = slurp(source_file("third_party.lock"));
  for (const std::string& line : lines_of(example("lock"))) {
    EXPECT_NE(lock.find("\n" + line + "\n"), std::string::npos) << line;
  }
}

// "a.b" for every key below `value`; list entries count as one.
void key_paths(const Json& value, const std::string& prefix, Names& paths) {
  if (value.is_array()) {
    for (const Json& item : value) key_paths(item, prefix, paths);
  }
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.items()) {
    paths.insert(prefix + key);
    key_paths(inner, prefix + key + ".", paths);
  }
}

Names key_paths(const std::string& json) {
  Names paths;
  key_paths(Json::parse(json), "", paths);
  std::erase_if(
      paths, [](const std::string& path) { return path.find(".templates.") != std::string::npos; });
  return paths;
}

// The README's fenced block that begins after `at`.
std::string block_after(const std::string& readme, size_t at) {
  const size_t begin = readme.find('\n', readme.find("\n```", at) + 1) + 1;
  return readme.substr(begin, readme.find("\n```", begin) + 1 - begin);
}

// Of the first lines, up to an empty one: each line's first `most` words but bars, numbers with two
// digits.
std::vector<std::string> facts_of(const std::string& text, size_t most) {
  std::vector<std::string> facts;
  for (const std::string& line : lines_of(text)) {
    if (line.empty()) break;
    std::istringstream words(line);
    std::string word;
    for (size_t i = 0; i < most && words >> word; ++i) {
      char* end = nullptr;
      const double number = std::strtod(word.c_str(), &end);
      if (*end == '\0') word = fmt::format("{:.2f}", number);
      if (word.find("█") == std::string::npos) facts.push_back(word);
    }
  }
  return facts;
}

// Where these fail, print the program's output into the README.
// The README shows what a CPU with AVX-512 VNNI gives; other kernels round otherwise.
class ReadmeOutput : public DefaultModelTest {
 protected:
  void SetUp() override {
    DefaultModelTest::SetUp();
    if (!engine::has_q8_product()) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  }
  std::string readme_ = slurp(source_file("README.md"));
};

TEST_F(ReadmeOutput, TheTableIsWhatMakeJudgePrints) {
  const std::string command = "judge examples/answers.jsonl --format table";
  ASSERT_NE(slurp(source_file("Makefile")).find("build/selene " + command), std::string::npos);
  const Finished finished =
      run(judge_call({source_file("examples/answers.jsonl"), "--format", "table", "--no-ledger"}));
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const std::string documented = block_after(readme_, readme_.find("judges `examples/answers"));
  constexpr size_t kIdTaskVerdictP = 4;
  EXPECT_EQ(facts_of(documented, kIdTaskVerdictP), facts_of(finished.out, kIdTaskVerdictP))
      << finished.out;
}

TEST_F(ReadmeOutput, TheCardIsWhatItsCommandPrints) {
  const size_t at = readme_.find("\nselene judge --task pairwise ");
  ASSERT_NE(at, std::string::npos);
  std::string line = readme_.substr(at + 1, readme_.find('\n', at + 1) - at - 1);
  line.replace(0, std::string_view("selene").size(), "\"$@\"");
  const Finished finished = run(in_bash({}, line + " --threads 1"));
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const std::string documented = block_after(readme_, readme_.find("\n```\n", at) + 4);
  EXPECT_EQ(facts_of(documented, 100), facts_of(finished.out, 100)) << finished.out;
}

using FormatsOfARun = DefaultModelTest;

TEST_F(FormatsOfARun, JudgmentAndRecordHaveTheDocumentedKeys) {
  const TemporaryFolder folder;
  const std::string pair =
      R"({"id": "haiku", "task": "pairwise", "input": "a", "response_a": "b", "response_b": "c", )"
      R"("source": "examples"})"
      "\n";
  const std::string out = folder / "out.jsonl";
  const Finished finished = judge(
      {folder.file("pairs.jsonl", pair), "--order", "both", "--mode", "verdict", "--out", out});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(key_paths(slurp(out)), key_paths(example("judgment")));
  EXPECT_EQ(key_paths(slurp(out + ".run.json")), key_paths(example("run")));
  const Json record = Json::parse(slurp(out + ".run.json"));
  EXPECT_EQ(record.at("exact"), true);
  EXPECT_EQ(record.at("counts").at("without_probabilities"), 0);
}

}  // namespace
}  // namespace selene::testing
