// Two model files held against one another, whatever they keep their numbers as.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace selene::model {

struct TensorDifference {
  std::string name;  // Hugging Face's.
  std::string type_a;
  std::string type_b;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::string shape_b{};        // "3 x 4", where it differs: then nothing was compared.
  std::uint64_t differing = 0;  // Numbers that are not equal.
  double largest = 0;           // Of |a - b|.
  double mean = 0;

  bool is_same() const { return differing == 0 && shape_b.empty(); }
};

struct ModelDifference {
  std::vector<TensorDifference> tensors;  // All that both have, in the order of llama_tensors().
  std::vector<std::string> only_a;
  std::vector<std::string> only_b;
  // One line each: of the shape, the tokenizer and, between two GGUFs, all metadata but how the
  // numbers are kept.
  std::vector<std::string> metadata;

  bool same_numbers() const;
  bool is_same() const { return same_numbers() && metadata.empty(); }
};

// `compared` is called after each tensor with its size in numbers. Needs memory for one tensor of
// each. Throws Error for what open_weights() refuses.
ModelDifference compare_models(const std::filesystem::path& a, const std::filesystem::path& b,
                               const std::function<void(std::uint64_t)>& compared = {});

}  // namespace selene::model
