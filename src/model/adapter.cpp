#include "model/adapter.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <unordered_map>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "core/text.h"
#include "model/adapter_files.h"
#include "model/gguf.h"
#include "model/number_format.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code failure;
  return fs::is_directory(path, failure);
}

LoraAdapter read_file_of(const fs::path& path, std::string* base_name) {
  return is_folder(path) ? read_peft_adapter(path, base_name) : read_gguf_adapter(path, base_name);
}

// "q_proj" of "model.layers.0.self_attn.q_proj.weight".
std::string target_of(const std::string& name) {
  const size_t end = name.rfind('.');
  const size_t begin = end == std::string::npos ? end : name.rfind('.', end - 1);
  return begin == std::string::npos ? name.substr(0, end) : name.substr(begin + 1, end - begin - 1);
}

// From the rows of a GGUF to Hugging Face's.
void unturn(LoraMatrix& matrix, std::uint64_t rank, std::uint64_t head_size) {
  std::vector<float> rows(matrix.b.size());
  for (std::uint64_t row = 0; row < matrix.out; ++row) {
    const auto from = static_cast<std::ptrdiff_t>(turned_row(row, head_size) * rank);
    std::copy_n(matrix.b.begin() + from, rank,
                rows.begin() + static_cast<std::ptrdiff_t>(row * rank));
  }
  matrix.b = std::move(rows);
}

}  // namespace

void check_adapter(const LoraAdapter& adapter, const LlamaConfig& config) {
  if (adapter.matrices.empty()) throw Error("the adapter changes nothing: it has no matrices");
  std::unordered_map<std::string, LlamaTensor> tensors;
  for (LlamaTensor& tensor : llama_tensors(config)) tensors.emplace(tensor.name, tensor);
  std::set<std::string> seen;
  for (const LoraMatrix& matrix : adapter.matrices) {
    const auto found = tensors.find(matrix.name);
    if (found == tensors.end() || found->second.rows == 1 ||
        matrix.name == "model.embed_tokens.weight") {
      throw Error(fmt::format("it changes '{}', which is no matrix of this model that an adapter "
                              "can change",
                              cut_to_columns(matrix.name, 60)),
                  "", "give the model that the adapter is for");
    }
    if (!seen.insert(matrix.name).second)
      throw Error(fmt::format("damaged: it changes '{}' twice", matrix.name));
    const LlamaTensor& tensor = found->second;
    if (matrix.in != tensor.columns || matrix.out != tensor.rows) {
      throw Error(fmt::format("its change of '{}' is {} x {}, the model has {} x {}", matrix.name,
                              matrix.out, matrix.in, tensor.rows, tensor.columns),
                  "", "give the model that the adapter is for");
    }
    if (matrix.a.size() != adapter.rank * matrix.in || matrix.b.size() != adapter.rank * matrix.out)
      throw Error(
          fmt::format("its change of '{}' is not of the rank {}", matrix.name, adapter.rank));
  }
}

LoraAdapter read_adapter(const fs::path& path, const LlamaConfig& config) {
  LoraAdapter adapter = read_file_of(path, nullptr);
  try {
    check_adapter(adapter, config);
  } catch (const Error& failure) {
    throw failure.at(path.string());
  }
  std::unordered_map<std::string, size_t> order;
  for (const LlamaTensor& tensor : llama_tensors(config)) order.emplace(tensor.name, order.size());
  std::sort(adapter.matrices.begin(), adapter.matrices.end(),
            [&](const LoraMatrix& a, const LoraMatrix& b) {
              return order.at(a.name) < order.at(b.name);
            });
  if (!is_folder(path)) {
    for (LoraMatrix& matrix : adapter.matrices) {
      const std::string target = target_of(matrix.name);
      if (target == "q_proj" || target == "k_proj") unturn(matrix, adapter.rank, config.head_size);
    }
  }
  return adapter;
}

bool is_adapter(const fs::path& path) {
  if (is_folder(path)) return path_exists(path / "adapter_config.json");
  try {
    return inspect_gguf(path).is_adapter;
  } catch (const Error&) {
    return false;  // Whoever opens it as a model says what is wrong with it.
  }
}

AdapterFacts inspect_adapter(const fs::path& path) {
  AdapterFacts facts;
  const LoraAdapter adapter = read_file_of(path, &facts.base);
  facts.kind = is_folder(path) ? "PEFT" : "GGUF";
  facts.rank = adapter.rank;
  facts.alpha = adapter.alpha;
  facts.matrices = adapter.matrices.size();
  std::set<std::string> targets;
  for (const LoraMatrix& matrix : adapter.matrices) {
    facts.parameters += matrix.a.size() + matrix.b.size();
    targets.insert(target_of(matrix.name));
  }
  facts.targets.assign(targets.begin(), targets.end());
  std::error_code failure;
  facts.bytes = fs::file_size(is_folder(path) ? path / "adapter_model.safetensors" : path, failure);
  return facts;
}

void add_adapter(const LoraAdapter& adapter, const std::string& name, std::span<float> weight) {
  const auto found = std::find_if(adapter.matrices.begin(), adapter.matrices.end(),
                                  [&](const LoraMatrix& matrix) { return matrix.name == name; });
  if (found == adapter.matrices.end()) return;
  const LoraMatrix& matrix = *found;
  ensure(weight.size() == matrix.in * matrix.out, "a weight of the adapter's shape");
  const auto scale = static_cast<float>(adapter.alpha / static_cast<double>(adapter.rank));
  constexpr std::size_t kRows = 64;
  const std::size_t blocks = (matrix.out + kRows - 1) / kRows;
  parallel_for(blocks, machine_threads(), [&](std::size_t block) {
    std::vector<float> change(matrix.in);
    for (std::size_t row = block * kRows;
         row < std::min<std::size_t>(matrix.out, (block + 1) * kRows); ++row) {
      std::fill(change.begin(), change.end(), 0.0f);
      for (std::uint64_t r = 0; r < adapter.rank; ++r) {
        const float b = matrix.b[row * adapter.rank + r];
        const float* a = matrix.a.data() + r * matrix.in;
        for (std::uint64_t i = 0; i < matrix.in; ++i) change[i] += b * a[i];
      }
      float* out = weight.data() + row * matrix.in;
      for (std::uint64_t i = 0; i < matrix.in; ++i) out[i] += scale * change[i];
    }
  });
}

}  // namespace selene::model
