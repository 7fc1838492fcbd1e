// A Llama-family model that learns: weights, the way forward over packed rows, the way back.
//
// The way back is written out, not recorded: what each layer keeps is known (about 23 KB a token of
// a 135M model in fp32), and weight gradients are added where they belong. PlainModel
// (plain_model.h) is the same model in LibTorch's own operations, to check this one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/adapter.h"
#include "model/llama_config.h"
#include "model/weights.h"
#include "train/packing.h"

namespace selene::train {

// What matrix products are done in. Weights are kept, and updated, in float (F64: double).
enum class Precision { F32, BF16, F64 };
Precision precision_from_name(const std::string& name);  // fp32, bf16, fp64. Throws Error.
const char* name_of(Precision precision);

// Which weights have an adapter, and of which rank.
struct LoraSettings {
  std::int64_t rank = 16;
  double alpha = 32;
  // Parts of names: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj.
  std::vector<std::string> targets{"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                   "gate_proj", "up_proj", "down_proj"};
};

// One array of numbers that is trained: float, or double with Precision::F64.
struct Parameter {
  std::string name;  // Hugging Face's, and PEFT's for adapters.
  at::Tensor value;
  at::Tensor gradient;  // Added to by backward().
  bool decays = false;  // Matrices do; norms do not.
};

struct ModelSettings {
  Precision precision = Precision::F32;
  std::optional<LoraSettings> lora{};  // Else all weights are trained.
  bool recompute = false;  // Keep each layer's input alone, and compute it again on the way back.
  // So with rows of more tokens than this, to bound memory; 0: with none.
  std::int64_t most_kept = 0;
  std::uint64_t seed = 1;  // Of the adapters' first values.
};

class Model {
 public:
  virtual ~Model() = default;

  virtual const model::LlamaConfig& config() const = 0;
  // What is trained, always in this order. Tensors are handles: their numbers can be written to.
  virtual const std::vector<Parameter>& parameters() const = 0;

  // log p of each of the row's targets, natural. `keep` what backward() needs.
  virtual std::vector<double> log_probabilities(const Row& row, bool keep) = 0;
  // After log_probabilities(row, true): adds the gradient of sum(coefficient * log p) over the
  // targets to the parameters' gradients.
  virtual void backward(const Row& row, std::span<const double> coefficients) = 0;
  // All logits of the row, tokens x vocabulary. For tests and small rows.
  virtual at::Tensor logits(const Row& row) = 0;
  // The model without its adapters (they count as nothing while false): the reference of LoRA.
  virtual void use_adapters(bool on) = 0;
  // After the parameters have changed.
  virtual void refresh() = 0;

  // The weight `name` as it now is, float, adapters left out (`merged` false) or merged.
  virtual void read(const std::string& name, bool merged, std::span<float> out) const = 0;
  virtual std::optional<model::LoraAdapter> adapter() const = 0;
  // Starts from an adapter that is already trained. Throws Error when it does not fit.
  virtual void set_adapter(const model::LoraAdapter& adapter) = 0;
};

// Throws Error when a head's size is none that the kernels take (a multiple of 16).
std::unique_ptr<Model> make_model(const model::Weights& weights, const ModelSettings& settings);

}  // namespace selene::train
