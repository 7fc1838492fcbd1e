#include <algorithm>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "model/gguf_layout.h"
#include "model/huggingface_config.h"
#include "model/mapped_file.h"
#include "model/model_folder.h"
#include "model/number_format.h"
#include "model/safetensors.h"
#include "model/tokenizer.h"
#include "model/write_model.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

// Files of a Hugging Face folder that are of the tokenizer and of generation.
constexpr std::string_view kAlong[] = {"tokenizer.json",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "generation_config.json",
                                       "chat_template.jinja",
                                       "chat_template.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "tokenizer.model",
                                       "LICENSE",
                                       "README.md"};

struct Shard {
  std::vector<LlamaTensor> tensors;
  std::uint64_t bytes = 0;
};

std::vector<Shard> plan_shards(const LlamaConfig& config, std::uint64_t number_bytes,
                               std::uint64_t limit) {
  std::vector<Shard> shards(1);
  for (const LlamaTensor& tensor : llama_tensors(config)) {
    const std::uint64_t bytes = tensor.rows * tensor.columns * number_bytes;
    if (!shards.back().tensors.empty() && shards.back().bytes + bytes > limit)
      shards.emplace_back();
    shards.back().bytes += bytes;
    shards.back().tensors.push_back(tensor);
  }
  return shards;
}

std::string shard_name(size_t at, size_t count) {
  return count == 1 ? "model.safetensors"
                    : fmt::format("model-{:05}-of-{:05}.safetensors", at + 1, count);
}

void write_shard(const fs::path& path, const Shard& shard, const WeightSource& source,
                 const NumberFormat& format, const WriteOptions& options) {
  std::vector<SafetensorsTensor> entries;
  for (const LlamaTensor& tensor : shard.tensors) {
    SafetensorsTensor entry{.name = tensor.name, .type = safetensors_type_name(format.name)};
    entry.shape =
        tensor.rows == 1 ? std::vector{tensor.columns} : std::vector{tensor.rows, tensor.columns};
    entries.push_back(std::move(entry));
  }
  AtomicFile out(path);
  out.append(safetensors_header(entries));
  std::vector<float> numbers;
  for (const LlamaTensor& tensor : shard.tensors) {
    numbers.resize(tensor.rows * tensor.columns);
    source(tensor.name, numbers);
    try {
      // A slab of rows at a time, so that the encoded numbers take little memory.
      const std::uint64_t slab = std::max<std::uint64_t>(1, (1 << 22) / tensor.columns);
      for (std::uint64_t row = 0; row < tensor.rows; row += slab) {
        const std::uint64_t rows = std::min(slab, tensor.rows - row);
        out.append(encode_numbers(
            format.type,
            std::span<const float>(numbers).subspan(row * tensor.columns, rows * tensor.columns),
            tensor.columns));
      }
    } catch (const Error& failure) {
      throw failure.where().empty() ? failure.at(tensor.name) : failure;
    }
    if (options.written) options.written(numbers.size());
  }
  out.commit();
}

std::string index_json(const std::vector<Shard>& shards) {
  nlohmann::json map = nlohmann::json::object();
  std::uint64_t bytes = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    bytes += shards[i].bytes;
    for (const LlamaTensor& tensor : shards[i].tensors)
      map[tensor.name] = shard_name(i, shards.size());
  }
  return nlohmann::json{{"metadata", {{"total_size", bytes}}}, {"weight_map", map}}.dump(2) + "\n";
}

void write_tokenizer(const NewFolder& folder, const Tokenizer& tokenizer,
                     std::uint64_t context_length) {
  for (const FolderFile& file : huggingface_tokenizer_files(tokenizer, context_length))
    write_file_atomically(folder.file(file.name), file.bytes);
}

struct GgufFacts {
  Tokenizer tokenizer;
  std::string name;
};

GgufFacts facts_of(const fs::path& path) {
  const MappedFile file(path);
  try {
    const GgufLayout layout = read_gguf_layout(file.bytes());
    return {read_gguf_tokenizer(layout), std::string(layout.text("general.name").value_or(""))};
  } catch (const Error& failure) {
    throw failure.at(path.string());
  }
}

// config.json and all that is no number.
void write_small_files(const NewFolder& folder, const fs::path& base, const LlamaConfig& config,
                       std::string_view format, const fs::path& tokenizer) {
  std::error_code failure;
  if (!fs::is_directory(base, failure)) {
    GgufFacts facts = facts_of(base);
    if (!tokenizer.empty()) facts.tokenizer = facts_of(tokenizer).tokenizer;
    const std::string json =
        write_huggingface_config(config, facts.tokenizer, facts.name, dtype_name(format));
    write_file_atomically(folder.file("config.json"), json);
    write_tokenizer(folder, facts.tokenizer, config.context_length);
    return;
  }
  write_file_atomically(folder.file("config.json"),
                        with_dtype(read_file(base / "config.json"), dtype_name(format)));
  if (!tokenizer.empty()) {
    write_tokenizer(folder, facts_of(tokenizer).tokenizer, config.context_length);
    return;
  }
  for (const std::string_view name : kAlong) {
    if (path_exists(base / name)) write_file_atomically(folder.file(name), read_file(base / name));
  }
}

}  // namespace

std::vector<std::string_view> huggingface_formats() { return {"f32", "f16", "bf16"}; }

void write_huggingface(const fs::path& folder, const fs::path& base, const WeightSource& source,
                       std::string_view format_name, const WriteOptions& options) {
  const NumberFormat& format = find_number_format(format_name, huggingface_formats());
  const LlamaConfig config = open_weights(base)->config();
  NewFolder out(folder, "config.json", options.overwrite);
  write_small_files(out, base, config, format_name, options.tokenizer);
  const std::vector<Shard> shards =
      plan_shards(config, encoded_bytes(format.type, 1), options.shard_bytes);
  std::uint64_t bytes = 0;
  for (const Shard& shard : shards) bytes += shard.bytes;
  check_space(out.file(""), bytes);
  for (size_t i = 0; i < shards.size(); ++i)
    write_shard(out.file(shard_name(i, shards.size())), shards[i], source, format, options);
  if (shards.size() > 1)
    write_file_atomically(out.file("model.safetensors.index.json"), index_json(shards));
  out.commit();
}

}  // namespace selene::model
