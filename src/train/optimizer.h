// AdamW over a model's parameters, and the learning rate of each step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "train/model.h"

namespace selene::train {

enum class Schedule { Cosine, Linear, Constant };
Schedule schedule_from_name(std::string_view name);  // Throws Error.
std::string_view name_of(Schedule schedule);

struct OptimizerSettings {
  double learning_rate = 1e-5;
  Schedule schedule = Schedule::Cosine;
  double warmup = 0.1;  // Share of the steps in which the rate rises from 0.
  double weight_decay = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double clip = 1;  // Largest norm of the gradient; 0: none.
};

// Of step 1, 2, ... of `steps`. After the warm-up it falls to 0 at the last step (not constant).
double learning_rate_at(const OptimizerSettings& settings, std::int64_t step, std::int64_t steps);

// The moments of one parameter.
struct Moments {
  at::Tensor mean;
  at::Tensor square;
};

class Optimizer {
 public:
  Optimizer(Model& model, const OptimizerSettings& settings);

  // The norm of all gradients together.
  double gradient_norm() const;
  // One step with the gradients there are, clipped; then they are 0. `norm` is gradient_norm().
  void step(std::int64_t step, double learning_rate, double norm);
  void clear_gradients();

  std::vector<Moments>& moments() { return moments_; }  // One a parameter.
  const std::vector<Moments>& moments() const { return moments_; }

 private:
  Model& model_;
  OptimizerSettings settings_;
  std::vector<Moments> moments_;
};

}  // namespace selene::train
