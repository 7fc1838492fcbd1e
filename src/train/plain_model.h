// The same model in LibTorch's own operations with its own gradients: what model.h is checked
// against, and the way that runs on a GPU. Attention makes the whole mask of a row.
#pragma once

#include <map>
#include <string>

#include <torch/types.h>

#include "model/weights.h"
#include "train/packing.h"

namespace selene::train {

class PlainModel {
 public:
  // `type` is kFloat or kDouble.
  PlainModel(const model::Weights& weights, torch::ScalarType type,
             torch::Device device = torch::kCPU);

  // log p of each target of the row, differentiable.
  torch::Tensor log_probabilities(const Row& row) const;
  torch::Tensor logits(const Row& row) const;  // tokens x vocabulary
  // By Hugging Face's names; leaves that require gradients.
  std::map<std::string, torch::Tensor>& weights() { return weights_; }
  const model::LlamaConfig& config() const { return config_; }

 private:
  torch::Tensor weight(const std::string& name) const { return weights_.at(name); }
  torch::Tensor hidden(const Row& row) const;

  model::LlamaConfig config_;
  std::map<std::string, torch::Tensor> weights_;
  torch::TensorOptions options_;
};

}  // namespace selene::train
