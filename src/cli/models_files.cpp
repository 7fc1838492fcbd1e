#include "cli/models_files.h"

#include <system_error>

#include <fmt/format.h>

#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "model/store.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kMillion = 1e6;

std::uint64_t millions(std::uint64_t numbers) {
  return static_cast<std::uint64_t>(static_cast<double>(numbers) / kMillion);
}

std::uint64_t numbers_of(const std::vector<model::WeightInfo>& tensors) {
  std::uint64_t numbers = 0;
  for (const model::WeightInfo& tensor : tensors) numbers += tensor.rows * tensor.columns;
  return numbers;
}

std::uint64_t bytes_of(const fs::path& path) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) return fs::file_size(path, failure);
  std::uint64_t bytes = 0;
  for (fs::directory_iterator at(path, failure), end; !failure && at != end; at.increment(failure))
    bytes += at->file_size(failure);
  return bytes;
}

}  // namespace

fs::path model_path(const std::string& spec) {
  std::error_code failure;
  if (model::find_known_model(spec) == nullptr && fs::is_directory(spec, failure)) return spec;
  return model::resolve_model(spec).path;
}

bool is_gguf_output(const std::string& out, const std::string& to) {
  return to.empty() ? fs::path(out).extension() == ".gguf" : to == "gguf";
}

std::string exact_format(const model::Weights& weights) {
  std::string format;
  for (const model::WeightInfo& tensor : weights.tensors()) {
    if (tensor.rows == 1) continue;
    if (!format.empty() && format != tensor.type) return "f32";
    format = tensor.type;
  }
  return format == "f16" || format == "bf16" ? format : "f32";
}

NumberProgress::NumberProgress(std::string label, const std::vector<model::WeightInfo>& tensors,
                               bool quiet)
    : progress_({.label = std::move(label),
                 .unit = "M parameters",
                 .total = millions(numbers_of(tensors)),
                 .silent = quiet}) {}

void NumberProgress::add(std::uint64_t numbers) {
  if (interrupted()) throw Error("interrupted: nothing was written");
  done_ += numbers;
  progress_.set(millions(done_));
}

void write_model(const WriteModel& task, const model::Weights& weights,
                 const std::function<void(const std::string&, std::span<float>)>& change) {
  const bool is_gguf = is_gguf_output(task.out, task.to);
  const std::string format = task.format.empty() ? exact_format(weights) : task.format;
  NumberProgress progress(task.label, weights.tensors(), task.quiet);
  const model::WeightSource source = [&](const std::string& name, std::span<float> out) {
    weights.read(name, out);
    if (change) change(name, out);
  };
  model::WriteOptions options{.overwrite = task.overwrite};
  if (!task.tokenizer.empty()) options.tokenizer = model_path(task.tokenizer);
  options.written = [&](std::uint64_t numbers) { progress.add(numbers); };
  if (is_gguf) {
    model::write_gguf(output_target(task.out, task.overwrite), task.base, source, format, options);
  } else {
    model::write_huggingface(task.out, task.base, source, format, options);
  }
  progress.finish();
  if (!task.quiet) {
    fmt::print(stderr, "{}, {} tensors in {}, {:.2f} GB\n",
               is_gguf ? "a GGUF" : "a Hugging Face folder", weights.tensors().size(), format,
               static_cast<double>(bytes_of(task.out)) / 1e9);
  }
  put(fmt::format("{}\n", task.out));
}

}  // namespace selene::cli
