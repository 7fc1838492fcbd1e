#include "model/huggingface_weights.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/huggingface_config.h"
#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "model/number_format.h"
#include "model/safetensors.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

std::string shown(std::string_view text) { return cut_to_columns(text, 60); }

// The files that model.safetensors.index.json names; each must be a plain name in the folder.
std::set<std::string> shards_of(const fs::path& index) {
  const Json json = parse_object(read_file(index), "it");
  const Json* map = find_field(json, "weight_map");
  if (map == nullptr || !map->is_object() || map->empty())
    throw Error("it has no 'weight_map'", "", "fetch or copy the file again");
  std::set<std::string> names;
  for (const auto& [tensor, file] : map->items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with("."))
      throw Error(fmt::format("'{}' is in no file with a plain name", shown(tensor)));
    names.insert(name);
  }
  return names;
}

std::vector<fs::path> files_of(const fs::path& folder) {
  const fs::path index = folder / "model.safetensors.index.json";
  std::vector<fs::path> files;
  if (path_exists(index)) {
    try {
      for (const std::string& name : shards_of(index)) files.push_back(folder / name);
    } catch (const Error& failure) {
      throw failure.where().empty() ? failure.at(index.string()) : failure;
    }
  } else if (path_exists(folder / "model.safetensors")) {
    files.push_back(folder / "model.safetensors");
  }
  for (const fs::path& file : files) {
    if (!path_exists(file))
      throw Error("it is named by model.safetensors.index.json and not there", file.string(),
                  "fetch it too");
  }
  if (files.empty()) {
    const bool pickled = path_exists(folder / "pytorch_model.bin") ||
                         path_exists(folder / "pytorch_model.bin.index.json");
    throw Error(pickled ? "it has pytorch_model.bin and no *.safetensors"
                        : "it has no model.safetensors and no model.safetensors.index.json",
                folder.string(),
                pickled ? "save it as safetensors: a pickled file can run any code" : "");
  }
  return files;
}

bool is_passed_over(const std::string& name, const LlamaConfig& config) {
  // Old folders keep the frequencies of RoPE, and some the output beside an embedding that is it.
  return name.ends_with(".rotary_emb.inv_freq") ||
         (config.tied_embeddings && name == "lm_head.weight");
}

class HuggingFaceWeights : public Weights {
 public:
  explicit HuggingFaceWeights(const fs::path& folder) : folder_(folder) {
    const fs::path config = folder / "config.json";
    if (!path_exists(config)) {
      throw Error("it has no config.json", folder.string(),
                  "give a GGUF file or the folder of a model for transformers");
    }
    try {
      config_ = read_huggingface_config(read_file(config));
    } catch (const Error& failure) {
      throw failure.where().empty() ? failure.at(config.string()) : failure;
    }
    for (const fs::path& file : files_of(folder)) open(file);
    place();
  }

  void read(const std::string& name, std::span<float> out) const override {
    const auto found = places_.find(name);
    if (found == places_.end() || wanted_.count(name) == 0)
      throw Error(fmt::format("there is no tensor '{}'", shown(name)), folder_.string());
    const SafetensorsTensor& tensor = *found->second.tensor;
    ensure(out.size() == tensor.elements, "room for the numbers of the tensor");
    try {
      decode_numbers(safetensors_number_type(tensor.type), tensor.bytes, out);
      check_finite(name, out);
    } catch (const Error& failure) {
      throw failure.at(found->second.file->path.string());
    }
  }

 private:
  struct File {
    explicit File(const fs::path& file) : path(file), bytes(file) {}
    fs::path path;
    MappedFile bytes;
    SafetensorsLayout layout{};
  };
  struct Place {
    const File* file = nullptr;
    const SafetensorsTensor* tensor = nullptr;
  };

  void open(const fs::path& path) {
    files_.push_back(std::make_unique<File>(path));
    File& file = *files_.back();
    try {
      file.layout = read_safetensors(file.bytes.bytes());
      for (const SafetensorsTensor& tensor : file.layout.tensors) {
        if (!places_.emplace(tensor.name, Place{&file, &tensor}).second) {
          throw Error(fmt::format("the tensor '{}' is in another file too", shown(tensor.name)));
        }
      }
    } catch (const Error& failure) {
      throw failure.at(path.string());
    }
  }

  void place() {
    for (const LlamaTensor& wanted : llama_tensors(config_)) {
      const auto found = places_.find(wanted.name);
      if (found == places_.end()) {
        throw Error(fmt::format("it has no tensor '{}'", wanted.name), folder_.string(),
                    "fetch or copy the folder again");
      }
      check_tensor(wanted, found->second);
      tensors_.push_back({wanted.name, wanted.rows, wanted.columns,
                          ggml_type_name(static_cast<ggml_type>(
                              safetensors_number_type(found->second.tensor->type)))});
      wanted_.insert(wanted.name);
    }
    for (const auto& [name, place] : places_) {
      if (wanted_.count(name) != 0 || is_passed_over(name, config_)) continue;
      throw Error(fmt::format("the tensor '{}' is not read: {}", shown(name),
                              name.ends_with(".bias") ? "a model without biases has none"
                                                      : "a Llama model has none"),
                  place.file->path.string(), "only the Llama family can be read");
    }
  }

  static void check_tensor(const LlamaTensor& wanted, const Place& place) {
    const SafetensorsTensor& tensor = *place.tensor;
    const std::vector<std::uint64_t> shape =
        wanted.rows == 1 ? std::vector{wanted.columns} : std::vector{wanted.rows, wanted.columns};
    if (tensor.shape != shape) {
      throw Error(fmt::format("the tensor '{}' has {} numbers in another shape than {} rows of {}",
                              wanted.name, tensor.elements, wanted.rows, wanted.columns),
                  place.file->path.string());
    }
    if (safetensors_number_type(tensor.type) < 0) {
      throw Error(fmt::format("the tensor '{}' is of the type {}; F32, F16 and BF16 are read",
                              wanted.name, tensor.type),
                  place.file->path.string());
    }
  }

  fs::path folder_;
  std::vector<std::unique_ptr<File>> files_;
  std::map<std::string, Place> places_;
  std::set<std::string> wanted_;
};

}  // namespace

std::unique_ptr<Weights> open_huggingface_weights(const fs::path& folder) {
  return std::make_unique<HuggingFaceWeights>(folder);
}

}  // namespace selene::model
