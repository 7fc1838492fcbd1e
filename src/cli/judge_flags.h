// The flags that name a judge, the same in every command that has one.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "engine/chat_template.h"
#include "judge/judge.h"

namespace selene::cli {

struct JudgeFlags {
  std::string judge;                 // A name, a GGUF file or hf:owner/repo/file; empty: the default.
  std::string adapter = "none";
  double adapter_scale = 1;
  std::string template_spec;         // Empty: the built-in ones, by task.
  std::string mode = "critique";
  std::string order = "one";
  int max_tokens = 512;
  int samples = 1;
  double temperature = 0;
  std::uint64_t seed = 0;
  int threads = 0;
  std::int64_t context = 0;
  std::int64_t kv_mib = 0;
  int gpu_layers = -1;
  bool no_mmap = false;
  std::string chat_template;         // A Jinja file.
  std::string date = engine::ChatTemplate::kDefaultDate;
};

void add_judge_flags(CLI::App& command, JudgeFlags& flags);

// Loads the model and the templates. Throws Error.
judge::Judge open_judge(const JudgeFlags& flags);

// What of the judge a judgment depends on, and nothing else (threads and memory are not in it).
nlohmann::ordered_json describe(const judge::Judge& judge);

}  // namespace selene::cli
