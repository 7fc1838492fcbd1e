#include "train/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/mapped_file.h"
#include "model/safetensors.h"

namespace selene::train {
namespace {

using Json = nlohmann::ordered_json;

struct Array {
  std::string name;
  at::Tensor numbers;
};

std::vector<Array> weights_of(const Model& model) {
  std::vector<Array> arrays;
  for (const Parameter& parameter : model.parameters())
    arrays.push_back({parameter.name, parameter.value});
  return arrays;
}

std::vector<Array> arrays_of(const Model& model, const Optimizer& optimizer) {
  std::vector<Array> arrays = weights_of(model);
  for (std::size_t p = 0; p < optimizer.moments().size(); ++p) {
    const std::string name = arrays[p].name;
    arrays.push_back({name + ".mean", optimizer.moments()[p].mean});
    arrays.push_back({name + ".square", optimizer.moments()[p].square});
  }
  return arrays;
}

std::size_t bytes_of(const at::Tensor& numbers) {
  return static_cast<std::size_t>(numbers.numel()) * numbers.element_size();
}

// Doubles travel as pairs of F32-sized words: the format's writer knows no F64, and nobody but
// this reader opens them.
model::SafetensorsTensor described(const Array& array) {
  model::SafetensorsTensor tensor;
  tensor.name = array.name;
  tensor.type = "F32";
  tensor.elements = bytes_of(array.numbers) / 4;
  tensor.shape = {tensor.elements};
  return tensor;
}

// Fills each array from the one of its name.
void read_arrays(const std::filesystem::path& file, const std::vector<Array>& arrays) {
  const model::MappedFile mapped(file);
  try {
    const model::SafetensorsLayout layout = model::read_safetensors(mapped.bytes());
    std::unordered_map<std::string_view, std::string_view> by_name;
    for (const model::SafetensorsTensor& tensor : layout.tensors)
      by_name.emplace(tensor.name, tensor.bytes);
    for (const Array& array : arrays) {
      const auto found = by_name.find(array.name);
      if (found == by_name.end() || found->second.size() != bytes_of(array.numbers))
        throw Error(
            fmt::format("the checkpoint has no fitting '{}'", cut_to_columns(array.name, 80)));
      std::memcpy(array.numbers.data_ptr(), found->second.data(), found->second.size());
    }
  } catch (const Error& failure) {
    throw Error(failure.message(), file.string(), "remove it to go on from the one before");
  }
}

}  // namespace

Checkpoints::Checkpoints(std::filesystem::path folder, std::string identity, std::size_t keep)
    : folder_(std::move(folder)),
      identity_(std::move(identity)),
      keep_(std::max<std::size_t>(1, keep)) {}

std::filesystem::path Checkpoints::file(std::int64_t step, const char* ending) const {
  return folder_ / fmt::format("step-{}{}", step, ending);
}

std::vector<std::int64_t> Checkpoints::steps() const {
  std::vector<std::int64_t> steps;
  if (!path_exists(folder_)) return steps;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("step-") || !name.ends_with(".json")) continue;
    const std::string number = name.substr(5, name.size() - 10);
    if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto step = static_cast<std::int64_t>(std::stoll(number));
    if (path_exists(file(step, ".safetensors"))) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::optional<Json> Checkpoints::find_last() const {
  const std::vector<std::int64_t> all = steps();
  if (all.empty()) return {};
  const std::filesystem::path at = file(all.back(), ".json");
  const Json state = Json::parse(read_file(at), nullptr, /*allow_exceptions=*/false);
  if (!state.is_object() || !state.contains("identity") || !state.contains("step"))
    throw Error("this is no checkpoint", at.string(), "remove it to go on from the one before");
  if (state["identity"] != identity_)
    throw Error("the checkpoint is of another run (its base, pairs or settings differ)",
                at.string(), "give the same ones, another --out, or --overwrite to start anew");
  return state;
}

void Checkpoints::load(std::int64_t step, Model& model, Optimizer& optimizer) const {
  read_arrays(file(step, ".safetensors"), arrays_of(model, optimizer));
  model.refresh();
}

void Checkpoints::load_weights(std::int64_t step, Model& model) const {
  read_arrays(file(step, ".safetensors"), weights_of(model));
  model.refresh();
}

void Checkpoints::save(std::int64_t step, Json state, const Model& model,
                       const Optimizer& optimizer, std::optional<std::int64_t> best) const {
  std::filesystem::create_directories(folder_);
  const std::vector<Array> arrays = arrays_of(model, optimizer);
  std::vector<model::SafetensorsTensor> tensors;
  std::uint64_t bytes = 0;
  for (const Array& array : arrays) {
    tensors.push_back(described(array));
    bytes += bytes_of(array.numbers);
  }
  check_space(folder_, bytes + (1 << 20));
  {
    AtomicFile out(file(step, ".safetensors"));
    out.append(model::safetensors_header(tensors));
    for (const Array& array : arrays)
      out.append({static_cast<const char*>(array.numbers.data_ptr()), bytes_of(array.numbers)});
    out.commit();
  }
  state["identity"] = identity_;
  state["step"] = step;
  write_file_atomically(file(step, ".json"), state.dump(1) + "\n");
  const std::vector<std::int64_t> all = steps();
  for (std::size_t i = 0; i + keep_ < all.size(); ++i) {
    if (best && all[i] == *best) continue;
    std::filesystem::remove(file(all[i], ".json"));
    std::filesystem::remove(file(all[i], ".safetensors"));
  }
}

}  // namespace selene::train
