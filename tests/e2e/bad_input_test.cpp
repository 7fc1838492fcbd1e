// Wrong rows, files and flags: each is refused with its message and exit code, before the model is
// loaded.
#include <gtest/gtest.h>

#include "default_model.h"
#include "model/gguf_builder.h"
#include "program.h"

namespace selene::testing {
namespace {

struct BadRows {
  const char* name;
  std::string rows;
  std::string message;  // After "error: ".
  friend void PrintTo(const BadRows& bad, std::ostream* out) { *out << bad.name; }
};

constexpr const char* kGood =
    R"({"id": "good", "task": "absolute", "input": "Hi", "response": "Hello"})";

const BadRows kBadRows[] = {
    {"MalformedJson", std::string(kGood) + "\n{\"id\": 1,\n",
     "<stdin>:2: malformed JSON at column"},
    {"NotAnObject", "[1, 2]\n",
     "<stdin>:1: a row must be a JSON object, this is array; write one object {…} a line"},
    {"RepeatedKey", R"({"task": "absolute", "task": "pairwise"})",
     "<stdin>:1: the key 'task' stands twice in one object"},
    {"NoRows", "\n\n", "<stdin>: there are no rows"},
    {"InvalidUtf8", std::string(kGood) + "\n\n{\"id\": \"a\xFF\"}\n",
     "<stdin>:3: invalid UTF-8 at byte 10 of the line; save the file as UTF-8"},
    {"MissingTask", R"({"input": "Hi", "response": "Hello"})",
     "<stdin>:1: the field 'task' is missing"},
    {"MissingInput", R"({"task": "absolute", "response": "Hello"})",
     "<stdin>:1: the field 'input' is missing"},
    {"MissingResponse", R"({"task": "absolute", "input": "Hi"})",
     "<stdin>:1: the field 'response' is missing"},
    {"MissingResponseB", R"({"task": "pairwise", "input": "Hi", "response_a": "Hello"})",
     "<stdin>:1: the field 'response_b' is missing"},
    {"WrongShape", R"({"task": "pairwise", "input": "Hi", "response": "Hello"})",
     "<stdin>:1: a pairwise row has 'response_a' and 'response_b', this one has 'response'"},
    {"WrongType", R"({"task": "absolute", "input": 7, "response": "Hello"})",
     "<stdin>:1: the field 'input' must be a string, this is number: 7"},
    {"UnknownTask", R"({"task": "score", "input": "Hi", "response": "Hello"})",
     "<stdin>:1: unknown task 'score'; known: absolute, classification, pairwise"},
    {"OneLabel", R"({"task": "absolute", "input": "Hi", "response": "Hello", "labels": ["1"]})",
     "<stdin>:1: 'labels' has 1 label, a verdict needs at least two"},
    {"UnknownLabelInRubric",
     R"({"task": "absolute", "input": "Hi", "response": "Hello", "rubric": {"6": "great"}})",
     "<stdin>:1: the rubric describes '6', which is not one of the labels 1, 2, 3, 4, 5"},
    {"UnknownLabelInExample",
     R"({"task": "absolute", "input": "a", "response": "b", "examples": [{"input": "c", "response": "d", "label": 9}]})",
     "<stdin>:1: examples[0].label is '9', not one of the labels 1, 2, 3, 4, 5"},
    {"UnknownKnownLabel", R"({"task": "absolute", "input": "q", "response": "a", "label": "9"})",
     "<stdin>:1: the field 'label' is '9', not one of the labels 1, 2, 3, 4, 5"},
    {"PrettyArray", "[\n{}\n]\n", "<stdin>:1: malformed JSON at column 2: "},
    {"Gzip", "\x1F\x8B\x08\n", "<stdin>:1: this is a gzip file, not JSONL; decompress it first"},
    {"DuplicateId", std::string(kGood) + "\n" + kGood + "\n",
     "<stdin>:2: the id 'good' was used in line 1"},
};

class BadInput : public ::testing::TestWithParam<BadRows> {};

// The model does not exist, which is said only when all rows are right.
TEST_P(BadInput, IsRefusedBeforeTheModelLoads) {
  Call call = judge_call({"-", "--judge", "/nowhere/model.gguf"});
  call.input = GetParam().rows;
  const Finished finished = run(call);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(finished.err.starts_with("error: " + GetParam().message)) << finished.err;
}

INSTANTIATE_TEST_SUITE_P(Rows, BadInput, ::testing::ValuesIn(kBadRows),
                         [](const auto& instance) { return instance.param.name; });

TEST(BadInputLast, RowOfManyIsFound) {
  std::string rows;
  for (int i = 1; i < 100; ++i)
    rows += R"({"task": "absolute", "input": "Hi", "response": "Hello"})"
            "\n";
  Call call = judge_call({"-", "--judge", "/nowhere/model.gguf"});
  call.input = rows + R"({"task": "absolute", "input": "Hi"})" + "\n";
  EXPECT_EQ(
      run(call).err,
      "error: <stdin>:100: the field 'response' is missing; add it (docs/formats.md, Sample)\n");
  call.input = rows;
  EXPECT_EQ(run(call).err, "error: /nowhere/model.gguf: no such file\n");
}

TEST(BadFile, TheInputIsNotThere) {
  const Finished finished = judge({"/nowhere/samples.jsonl"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.err,
            "error: /nowhere/samples.jsonl: cannot read: No such file or directory\n");
}

TEST(BadFile, TheOutputExistsWhichIsSaidFirst) {
  const TemporaryFolder folder;
  const std::string out = folder.file("out.jsonl", "kept\n");
  const Finished finished = judge({"/nowhere/samples.jsonl", "--out", out});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.err,
            "error: " + out + ": the output file exists; give --overwrite or name another file\n");
  EXPECT_EQ(slurp(out), "kept\n");
}

Finished judge_with(const std::string& flag, const std::string& value) {
  return judge({"--task", "absolute", "--input", "Hi", "--response", "Hello", flag, value});
}

TEST(BadFile, TheModelIsNoGguf) {
  const TemporaryFolder folder;
  const std::string model = folder.file("model.gguf", "a,b,c\n1,2,3\n");
  const Finished finished = judge_with("--judge", model);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.err, "error: " + model + ": not a GGUF file: it starts with 'a,b,c 1,2,3'\n");
}

using BadModel = DefaultModelTest;

TEST_F(BadModel, IsTruncated) {
  const TemporaryFolder folder;
  std::string bytes(10'000'000, '\0');
  std::ifstream(path_, std::ios::binary).read(bytes.data(), 10'000'000);
  const std::string model = folder.file("model.gguf", bytes);
  const Finished finished = judge_with("--judge", model);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_TRUE(finished.err.starts_with("error: " + model + ": ")) << finished.err;
  EXPECT_NE(finished.err.find("truncated"), std::string::npos) << finished.err;
}

TEST_F(BadModel, HasAnAdapterOfAnotherArchitecture) {
  const TemporaryFolder folder;
  GgufBuilder file;
  file.text("general.architecture", "qwen2")
      .text("general.type", "adapter")
      .text("adapter.type", "lora");
  file.floats("blk.0.attn_q.weight.lora_a", {32, 1}, std::vector<float>(32));
  const std::string lora = folder.file("lora.gguf", file.build());
  const Finished finished = judge_with("--adapter", lora);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.err, "error: " + lora +
                              ": the adapter is for architecture 'qwen2', the model's is 'llama'; "
                              "give the model that it was trained on\n");
}

TEST(BadFile, TheJudgeHasAnUnknownKey) {
  const TemporaryFolder folder;
  const std::string jury = folder.file("jury.yaml", "members:\n- model: default\n  wheight: 2\n");
  const Finished finished = judge_with("--judge", jury);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_TRUE(finished.err.starts_with("error: " + jury + ":3: unknown key 'wheight'; known: "))
      << finished.err;
}

TEST(BadFile, AMemberOfTheJudgeIsTheJudge) {
  const TemporaryFolder folder;
  const std::string jury = folder / "jury.yaml";
  folder.file("other.yaml", "members:\n- model: jury.yaml\n");
  for (const std::string member : {"jury.yaml", "other.yaml"}) {
    folder.file("jury.yaml", "members:\n- model: default\n- model: " + member + "\n");
    const Finished finished = judge_with("--judge", jury);
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_EQ(finished.err, "error: " + jury + ":3: a member's model is a judge file: " + member +
                                "; a jury's members are models and endpoints; copy the members "
                                "here\n");
  }
  folder.file("jury.yaml", "members: &all\n- *all\n");
  EXPECT_EQ(judge_with("--judge", jury).err,
            "error: " + jury + ":1: a member is a map with the key 'model' or 'endpoint'\n");
  folder.file("jury.yaml", "&all\nmembers:\n- *all\n");
  EXPECT_TRUE(judge_with("--judge", jury)
                  .err.starts_with("error: " + jury + ":2: unknown key 'members'; known: name, "));
}

TEST(BadFile, TheTemplateIsUnknown) {
  const Finished finished = judge_with("--template", "nope");
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_TRUE(
      finished.err.starts_with("error: --template: unknown template 'nope'; built in: absolute, "))
      << finished.err;
}

TEST(BadFile, TheTemplateHasAnUnknownPlaceholder) {
  const TemporaryFolder folder;
  const std::string form = folder.file(
      "mine.yaml", "task: absolute\nmark: 'Result:'\nuser_template: 'Score {respnse}'\n");
  const Finished finished = judge_with("--template", form);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_TRUE(finished.err.starts_with(
      "error: " + form + ": unknown placeholder '{respnse}'; known: input, context, "))
      << finished.err;
}

struct BadUsage {
  const char* name;
  std::vector<std::string> args;
  std::string message;
  friend void PrintTo(const BadUsage& bad, std::ostream* out) { *out << bad.name; }
};

// A sample from flags, with more flags after it.
std::vector<std::string> one_sample(const std::vector<std::string>& more) {
  std::vector<std::string> args{"judge", "--task",     "classification", "--input",
                                "Hi",    "--response", "Hello"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

const BadUsage kBadUsage[] = {
    {"NoCommand", {}, "error: a command is needed: judge, check, "},
    {"UnknownCommand", {"foo"}, "error: unknown command 'foo'; known: judge, check, "},
    {"UnknownCommandOfACommand",
     {"ledger", "foo"},
     "error: unknown command 'foo'; known: stats, export, import, prune, replay; see selene ledger "
     "--help"},
    {"UnknownCommandBeforeHelp",
     {"ledger", "stat", "--help"},
     "error: unknown command 'stat'; known: stats, export, import, prune, replay; see selene "
     "ledger "
     "--help\n"},
    {"SecondFile",
     {"judge", "a.jsonl", "b.jsonl"},
     "error: only one FILE is taken; not known here: b.jsonl; see selene judge --help\n"},
    {"FlagAsAValue",
     {"judge", "--task", "absolute", "--input", "--response", "x"},
     "error: --input needs a value; if --response is the value, write --input=--response\n"},
    {"NanTemperature", one_sample({"--temperature", "nan"}),
     "error: --temperature: nan is not a number; see selene judge --help\n"},
    {"EmptyOut", one_sample({"--out", ""}),
     "error: --out: the value is empty; leave the flag out, or give one; see selene judge "
     "--help\n"},
    {"EmptyOutWithEquals", one_sample({"--out=", "--quiet"}), "error: --out: the value is empty"},
    {"EmptyJudge", one_sample({"--judge", ""}), "error: --judge: the value is empty"},
    {"EmptyAdapter", one_sample({"--adapter", ""}), "error: --adapter: the value is empty"},
    {"EmptyTemplate", one_sample({"--template", ""}), "error: --template: the value is empty"},
    {"EmptyLedger", one_sample({"--ledger", ""}), "error: --ledger: the value is empty"},
    {"EmptyFile", {"judge", ""}, "error: FILE: the value is empty"},
    {"NothingToPrune",
     {"ledger", "prune"},
     "error: say what to remove; give KEYs, --model DIGEST, --older-than DAYS, --damaged or "
     "--all\n"},
    {"PruneAllAndSome",
     {"ledger", "prune", "--all", "--older-than", "30"},
     "error: KEYs, --damaged, --all, and --model with --older-than contradict one another; give "
     "one of them\n"},
    {"PruneNoModel", {"ledger", "prune", "--model", ""}, "error: --model: the value is empty"},
    {"ReplayOfNoKey",
     {"ledger", "replay", "row 3"},
     "error: KEY: 'row 3' is not a record's key: give at least 6 of its 64 hex digits; see selene "
     "ledger replay --help\n"},
    {"NoDate", one_sample({"--date", "foo"}),
     "error: --date: 'foo' is not a date; write it as YYYY-MM-DD; see selene judge --help"},
    {"UnknownModel", one_sample({"--judge", "nope"}),
     "error: --judge: unknown model 'nope'; known: smollm2-135m, "},
    {"UnknownModelToVerify",
     {"verify", "--judge", "nope"},
     "error: --judge: unknown model 'nope'; known: smollm2-135m, "},
    {"SamplesOfVerdicts", one_sample({"--samples", "3", "--mode", "verdict"}),
     "error: --samples with --mode verdict: verdicts without a critique are all the same; leave "
     "out "
     "one of them"},
    {"SamplesAtTemperature0", one_sample({"--samples", "3"}),
     "error: --samples at temperature 0: they are all the same; give a --temperature above 0"},
    {"OneLabel",
     {"judge", "/nowhere/samples.jsonl", "--labels", "a"},
     "error: --labels has 1 label, a verdict needs at least two"},
    {"EmptyLabel", one_sample({"--labels", "a,,b"}), "error: --labels: a label is empty"},
    {"NoResponse",
     {"judge", "--task", "absolute", "--input", "x"},
     "error: --response is missing; add it (docs/formats.md, Sample)\n"},
    {"ResponseOfAnotherTask",
     {"judge", "--task", "pairwise", "--input", "x", "--response", "y"},
     "error: a pairwise row has --response-a and --response-b, this one has --response\n"},
    {"ReferenceForTheTemplate", one_sample({"--template", "classification-with-reference"}),
     "error: the template 'classification-with-reference' has the placeholder '{reference}' and "
     "the "
     "sample no --reference\n"},
    {"ScaleWithoutAnAdapter", one_sample({"--adapter-scale", "2"}),
     "error: --adapter-scale is given and no adapter; give --adapter FILE too"},
    {"KeyForALocalModel", one_sample({"--key-env", "KEY"}),
     "error: --key-env is for a server, this judge is a local model; leave it out, or give --judge "
     "URL#model"},
    {"KeyFileForALocalModel", one_sample({"--key-file", "key"}),
     "error: --key-file is for a server"},
    {"DateForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--date", "2025-01-01"}),
     "error: --date is for a local model, this judge is a server; leave it out"},
    {"AdapterForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--adapter", "a.gguf"}),
     "error: --adapter is for a local model, this judge is a server; leave it out"},
    {"ThreadsForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--threads", "2"}),
     "error: --threads is for a local model, this judge is a server; leave it out"},
    {"MemoryForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--kv-mib", "64"}),
     "error: --kv-mib is for a local model"},
    {"ContextForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--ctx-size", "64"}),
     "error: --ctx-size is for a local model"},
    {"LayersForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--gpu-layers", "0"}),
     "error: --gpu-layers is for a local model"},
    {"NoMmapForAServer", one_sample({"--judge", "http://127.0.0.1:1#m", "--no-mmap"}),
     "error: --no-mmap is for a local model"},
    {"InFlightForALocalModel", one_sample({"--in-flight", "2"}),
     "error: --in-flight is for a server, this judge is a local model; leave it out, or give "
     "--judge URL#model"},
    {"RetriesForALocalModel", one_sample({"--retries", "2"}), "error: --retries is for a server"},
    {"TimeoutForALocalModel", one_sample({"--timeout", "9"}), "error: --timeout is for a server"},
    {"TwoKeys",
     one_sample({"--judge", "http://127.0.0.1:1#m", "--key-env", "A", "--key-file", "b"}),
     "error: --key-env excludes --key-file"},
    {"JudgeThatIsNoHttpUrl", one_sample({"--judge", "ftp://127.0.0.1#m"}),
     "error: --judge: 'ftp://127.0.0.1' is not an http or https URL; write it like "
     "http://127.0.0.1:8080; see selene judge --help\n"},
    {"VerifyOfAServer",
     {"verify", "--judge", "http://127.0.0.1:1#m"},
     "error: http://127.0.0.1:1#m: verify is for a local model; give a name (selene models), a "
     "GGUF file or hf:owner/repo/file.gguf\n"},
    {"VerifyOfAJudgeFile",
     {"verify", "--judge", "jury.yaml"},
     "error: jury.yaml: verify is for a local model; give a name"},
    {"TuneOfAServer",
     {"models", "tune", "https://127.0.0.1:1#m"},
     "error: https://127.0.0.1:1#m: models tune is for a local model; give a name"},
    {"TuneOfAJudgeFile",
     {"models", "tune", "jury.yml"},
     "error: jury.yml: models tune is for a local model; give a name"},
    {"MemoryToVerifyWith", {"verify", "--kv-mib", "-1"}, "error: --kv-mib: Value -1 not in range"},
    {"ThreadsToReplayWith",
     {"ledger", "replay", "abcdef", "--threads", "-1"},
     "error: --threads: Value -1 not in range"},
    {"KeyToReplayALocalModelWith",
     {"ledger", "replay", "abcdef", "--key-env", "KEY"},
     "error: --key-env is for a server, this judge is a local model"},
    {"BudgetForALocalModel", one_sample({"--token-budget", "9"}),
     "error: --token-budget is for a server"},
    {"NothingToJudge",
     {"judge"},
     "error: nothing to judge; give a JSONL file, - for standard input, or --task, --input and "
     "--response"},
    {"UnknownFlag",
     {"judge", "--colour"},
     "error: not known here: --colour; see selene judge --help"},
    {"FlagTwice",
     {"judge", "--mode", "verdict", "--mode", "critique"},
     "error: --mode is given more than once; see selene judge --help"},
    {"NoValue", {"judge", "--input"}, "error: --input needs a value; see selene judge --help"},
    {"UnknownChoice", {"judge", "--order", "random"}, "error: --order: random not in {one,both"},
    {"OutOfRange",
     {"judge", "--max-tokens", "0"},
     "error: --max-tokens: Value 0 not in range 1 to 1048576"},
    {"MissingArgument",
     {"templates", "render", "pairwise"},
     "error: SAMPLES is required; see selene templates render --help"},
};

class Usage : public ::testing::TestWithParam<BadUsage> {};

TEST_P(Usage, ExitsWithTwo) {
  const Finished finished = run(GetParam().args);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(finished.err.starts_with(GetParam().message)) << finished.err;
}

INSTANTIATE_TEST_SUITE_P(Flags, Usage, ::testing::ValuesIn(kBadUsage),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace selene::testing
