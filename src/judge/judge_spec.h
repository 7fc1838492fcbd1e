// One handle for a judge: what --judge takes, the same in every command.
//
// - a name of the model table, a GGUF file, hf:owner/repo/file.gguf: the in-process engine
// - URL#model, several with commas between: an endpoint, or a fleet that serves one model
// - a judge file (*.yaml): one judge with its policy, or `members:` of a jury (docs/formats.md,
// "Judge file")
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat_template.h"
#include "judge/judge.h"

namespace selene::judge {

// What may be said of a member: in a judge file, or by flags, which override the file. Empty: not
// said.
struct MemberSettings {
  std::optional<std::string> adapter{};  // A LoRA adapter's file, or "none".
  std::optional<double> adapter_scale{};
  std::optional<std::string> template_spec{};
  std::optional<std::string> mode{};
  std::optional<std::string> order{};
  std::optional<int> max_tokens{};
  std::optional<int> samples{};
  std::optional<double> temperature{};
  std::optional<std::string> chat_template{};  // A Jinja file.
  std::optional<std::string> date{};
  // False: an endpoint is not asked for log-probabilities, and labels are read from its text.
  std::optional<bool> log_probs{};
  std::optional<std::string> key_env{};  // Of an endpoint's key: a variable's name, or a file.
  std::optional<std::string> key_file{};
};

struct MemberSpec {
  std::string name{};                    // Empty: the model's.
  std::string model{};                   // Empty with endpoints; "" of both: the default model.
  std::vector<std::string> endpoints{};  // URL#model
  double weight = 1;
  MemberSettings settings{};
};

struct JudgeSpec {
  std::string name;  // Empty: the only member's.
  std::vector<MemberSpec> members;
};

// Throws Error (without a place) on an unknown mode or order and a number that is out of range.
Policy policy_of(const MemberSettings& settings, std::uint64_t seed);

// Whether a --judge value is a judge file.
bool names_judge_file(std::string_view text);
// Whether a --judge value is neither a server nor a judge file.
bool names_local_model(std::string_view text);

// Reads a --judge value. Throws Error that names file, line, key and what is known: an unknown key,
// a bad value, keys that contradict one another, a member that is itself a judge file, no members.
JudgeSpec parse_judge_spec(std::string_view text);
JudgeSpec parse_judge_file(std::string_view yaml, const std::filesystem::path& path);

// What changes no judgment.
struct MachineOptions {
  int threads = 0;
  std::int64_t context_tokens = 0;
  std::int64_t kv_mib = 0;
  int gpu_layers = -1;
  bool mmap = true;
  int in_flight = 16;  // Requests at once, of each endpoint.
  int retries = 6;
  int timeout_s = 300;            // Of a request.
  std::int64_t token_budget = 0;  // Of endpoints; 0: none.
  // Told what the user should know, such as a key file that others can read. May be empty.
  std::function<void(std::string_view warning)> warn{};
};

// Opens everything that the spec names, `overrides` in place of what each member says (of a server,
// those that are for a local model alone say nothing). Members with
// the same engine share it. `ledger` empty: none. Throws Error.
Judge open_judge(const JudgeSpec& spec, const MemberSettings& overrides, std::uint64_t seed,
                 const MachineOptions& machine, const std::optional<std::filesystem::path>& ledger);

}  // namespace selene::judge
