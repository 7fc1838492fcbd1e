#include "engine/llama_load.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "engine/accelerator.h"
#include "engine/attention.h"

namespace selene::engine {
namespace {

// llama.cpp reports through one process-wide callback; its last error lines go into our Error.
class LlamaLog {
 public:
  static void receive(ggml_log_level level, const char* text, void*) {
    if (level != GGML_LOG_LEVEL_ERROR) return;
    const std::lock_guard lock(mutex_);
    if (text_.size() < 4096) text_ += text;
  }
  static std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, {});
  }

 private:
  static inline std::mutex mutex_;
  static inline std::string text_;
};

std::string metadata(const llama_model* model, const std::string& key) {
  char value[128];
  const bool found = llama_model_meta_val_str(model, key.c_str(), value, sizeof value) > 0;
  return found ? value : "";
}

}  // namespace

void set_up_llama() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(&LlamaLog::receive, nullptr);
    llama_backend_init();
    register_accelerator();
  });
}

std::string take_llama_log() { return LlamaLog::take(); }

llama_model_ptr load_llama_model(const std::filesystem::path& path,
                                 const llama_model_params& params) {
  set_up_llama();
  take_llama_log();
  llama_model_ptr model(llama_model_load_from_file(path.c_str(), params));
  if (model == nullptr) {
    throw Error(
        fmt::format("llama.cpp cannot load the model: {}", cut_to_columns(take_llama_log(), 400)),
        path.string());
  }
  return model;
}

bool accelerates_attention(const llama_model* model) {
  const std::string architecture = metadata(model, "general.architecture");
  const auto size = [&](const char* key) -> std::int64_t {
    const std::string value = metadata(model, fmt::format("{}.attention.{}", architecture, key));
    if (!value.empty()) return std::atoll(value.c_str());
    return llama_model_n_embd(model) / std::max(1, llama_model_n_head(model));
  };
  return has_accelerator() && size("key_length") % kHeadStep == 0 &&
         size("value_length") % kHeadStep == 0;
}

}  // namespace selene::engine
