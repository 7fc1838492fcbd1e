#include "engine/reward_head.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ggml.h>

#include "core/error.h"
#include "core/text.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"

namespace selene::engine {
namespace {

using model::GgufLayout;
using model::GgufTensor;

// The architectures for which llama.cpp 0.5.0 loads `cls.output` or `cls`. (It does for qwen3vl as
// well, which reads pictures.)
struct Architecture {
  std::string_view name;
  bool encoder;
  std::string_view head;  // The tensor that gives the score.
};
constexpr Architecture kArchitectures[] = {
    {"bert", true, "cls.output.weight"},        {"jina-bert-v2", true, "cls.weight"},
    {"modern-bert", true, "cls.output.weight"}, {"neo-bert", true, "cls.output.weight"},
    {"qwen3", false, "cls.output.weight"},
};

const Architecture& find_architecture(std::string_view name) {
  const auto found = std::find_if(std::begin(kArchitectures), std::end(kArchitectures),
                                  [&](const Architecture& one) { return one.name == name; });
  if (found != std::end(kArchitectures)) return *found;
  std::vector<std::string_view> known;
  for (const Architecture& one : kArchitectures) known.push_back(one.name);
  throw Error(fmt::format("llama.cpp has no classification head for architecture '{}'",
                          cut_to_columns(name, 60)),
              "", fmt::format("give a reward model or reranker of {}", fmt::join(known, ", ")));
}

// The elements of an array of texts; empty where there is none.
std::vector<std::string_view> texts(const GgufLayout& layout, const std::string& key) {
  const model::GgufEntry* entry = layout.find(key);
  std::vector<std::string_view> result;
  if (entry == nullptr || !entry->array || entry->type != model::GgufType::Text) return result;
  std::string_view rest = entry->value;
  for (std::uint64_t i = 0; i < entry->count; ++i) {
    std::uint64_t size = 0;
    ensure(rest.size() >= sizeof size, "the layout has checked the array");
    std::memcpy(&size, rest.data(), sizeof size);
    rest.remove_prefix(sizeof size);
    result.push_back(rest.substr(0, static_cast<size_t>(size)));
    rest.remove_prefix(result.back().size());
  }
  return result;
}

std::vector<float> row(const GgufTensor& tensor, std::uint64_t index) {
  const auto type = static_cast<ggml_type>(tensor.type);
  const auto length = static_cast<std::int64_t>(tensor.row_length());
  const size_t bytes = ggml_row_size(type, length);
  const std::string_view source =
      tensor.bytes.substr(static_cast<size_t>(index) * bytes, bytes);  // The layout has the sizes.
  std::vector<float> numbers(static_cast<size_t>(length));
  if (type == GGML_TYPE_F32) {
    std::memcpy(numbers.data(), source.data(), bytes);
    return numbers;
  }
  const ggml_to_float_t to_float = ggml_get_type_traits(type)->to_float;
  if (to_float == nullptr) {
    throw Error(fmt::format("the classification head is in {}, which is no format of numbers",
                            ggml_type_name(type)));
  }
  to_float(source.data(), numbers.data(), length);
  return numbers;
}

// The weights of the score of a model that is no encoder.
std::vector<float> score_weights(const GgufTensor& head, std::span<const std::string_view> labels) {
  if (head.rows() == 1) return row(head, 0);
  const auto at = [&](std::string_view label) {
    return static_cast<std::uint64_t>(std::find(labels.begin(), labels.end(), label) -
                                      labels.begin());
  };
  if (head.rows() != 2 || labels.size() != 2 || at("yes") == 2 || at("no") == 2) return {};
  std::vector<float> weights = row(head, at("yes"));
  const std::vector<float> no = row(head, at("no"));
  for (size_t i = 0; i < weights.size(); ++i) weights[i] -= no[i];
  return weights;
}

// llama.cpp ends the program on biases, norms and token types of another format than F32.
void check_added_tensors(const GgufLayout& layout) {
  for (const GgufTensor& tensor : layout.tensors) {
    // A head's weights may have one row, which counts as one dimension.
    if (tensor.name == "cls.output.weight" || tensor.name == "cls.weight") continue;
    const bool added = tensor.used_dimensions() < 2 || tensor.name == "token_types.weight";
    if (!added || tensor.type == GGML_TYPE_F32) continue;
    throw Error(fmt::format("tensor '{}' is in {}, llama.cpp computes with it in F32 alone",
                            cut_to_columns(tensor.name, 60),
                            ggml_type_name(static_cast<ggml_type>(tensor.type))),
                "", "convert the model again with llama.cpp's convert_hf_to_gguf.py");
  }
}

RewardHead read_head(std::string_view bytes) {
  const GgufLayout layout = model::read_gguf_layout(bytes);
  const std::string name(layout.text("general.architecture").value_or(""));
  const Architecture& architecture = find_architecture(name);
  const auto tensor = std::find_if(layout.tensors.begin(), layout.tensors.end(),
                                   [&](const auto& one) { return one.name == architecture.head; });
  if (tensor == layout.tensors.end()) {
    throw Error(
        fmt::format("the model has no classification head (tensor '{}')", architecture.head), "",
        "give a reward model or a reranker");
  }
  check_added_tensors(layout);
  RewardHead head{.encoder = architecture.encoder,
                  .takes_pairs = architecture.encoder,
                  .weights = {},
                  .pair_template = {}};
  const std::vector<std::string_view> labels = texts(layout, name + ".classifier.output_labels");
  if (!head.encoder) {
    head.weights = score_weights(*tensor, labels);
    head.pair_template = layout.text("tokenizer.chat_template.rerank").value_or("");
    head.takes_pairs = !head.pair_template.empty();
  }
  const bool one_score = head.encoder ? tensor->rows() == 1 : !head.weights.empty();
  if (!one_score) {
    std::vector<std::string> shown;
    for (const std::string_view label : labels) shown.push_back(cut_to_columns(label, 20));
    throw Error(fmt::format("the classification head has {} outputs{}{}, a score is one",
                            tensor->rows(), shown.empty() ? "" : ": ", fmt::join(shown, ", ")),
                "", "give a model that was trained to give one score");
  }
  return head;
}

}  // namespace

RewardHead read_reward_head(const std::filesystem::path& gguf) {
  const model::MappedFile file(gguf);
  try {
    return read_head(file.bytes());
  } catch (const Error& failure) {
    throw failure.at(gguf.string());
  }
}

}  // namespace selene::engine
