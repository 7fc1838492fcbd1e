#include "train/optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "train/kernels.h"

namespace selene::train {
namespace {

constexpr std::array<std::pair<std::string_view, Schedule>, 3> kSchedules{
    {{"cosine", Schedule::Cosine}, {"linear", Schedule::Linear}, {"constant", Schedule::Constant}}};

template <typename A>
void step_one(const AdamStep& step, const Parameter& parameter, const Moments& moments) {
  adamw<A>(step, parameter.value.numel(), parameter.gradient.data_ptr<A>(),
           parameter.value.data_ptr<A>(), moments.mean.data_ptr<A>(), moments.square.data_ptr<A>());
}

}  // namespace

Schedule schedule_from_name(std::string_view name) {
  for (const auto& [known, schedule] : kSchedules) {
    if (known == name) return schedule;
  }
  throw Error(fmt::format("there is no schedule '{}'", cut_to_columns(name, 40)), "",
              "it is cosine, linear or constant");
}

std::string_view name_of(Schedule schedule) {
  for (const auto& [name, known] : kSchedules) {
    if (known == schedule) return name;
  }
  return "";
}

double learning_rate_at(const OptimizerSettings& settings, std::int64_t step, std::int64_t steps) {
  const double warm = std::floor(settings.warmup * static_cast<double>(steps));
  const auto at = static_cast<double>(step);
  if (at <= warm) return settings.learning_rate * at / (warm + 1);
  const double rest = std::max(1.0, static_cast<double>(steps) - warm);
  const double done = (at - warm - 1) / rest;
  switch (settings.schedule) {
    case Schedule::Cosine:
      return settings.learning_rate * (1 + std::cos(std::numbers::pi * done)) / 2;
    case Schedule::Linear:
      return settings.learning_rate * (1 - done);
    case Schedule::Constant:
      break;
  }
  return settings.learning_rate;
}

Optimizer::Optimizer(Model& model, const OptimizerSettings& settings)
    : model_(model), settings_(settings) {
  for (const Parameter& parameter : model.parameters())
    moments_.push_back({at::zeros_like(parameter.value), at::zeros_like(parameter.value)});
}

double Optimizer::gradient_norm() const {
  double sum = 0;
  for (const Parameter& parameter : model_.parameters()) {
    const at::Tensor& gradient = parameter.gradient;
    sum += gradient.scalar_type() == at::kDouble
               ? sum_of_squares<double>(gradient.numel(), gradient.data_ptr<double>())
               : sum_of_squares<float>(gradient.numel(), gradient.data_ptr<float>());
  }
  return std::sqrt(sum);
}

void Optimizer::step(std::int64_t step, double learning_rate, double norm) {
  RECORD_FUNCTION("selene::optimizer", std::vector<c10::IValue>());
  AdamStep adam{.learning_rate = learning_rate,
                .beta1 = settings_.beta1,
                .beta2 = settings_.beta2,
                .epsilon = settings_.epsilon,
                .step = step};
  if (settings_.clip > 0 && norm > settings_.clip) adam.scale = settings_.clip / norm;
  const std::vector<Parameter>& parameters = model_.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    adam.weight_decay = parameters[p].decays ? settings_.weight_decay : 0;
    if (parameters[p].value.scalar_type() == at::kDouble)
      step_one<double>(adam, parameters[p], moments_[p]);
    else
      step_one<float>(adam, parameters[p], moments_[p]);
  }
  clear_gradients();
  model_.refresh();
}

void Optimizer::clear_gradients() {
  for (const Parameter& parameter : model_.parameters()) parameter.gradient.zero_();
}

}  // namespace selene::train
