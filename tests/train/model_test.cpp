#include "train/model.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "train/loss.h"
#include "train/plain_model.h"
#include "train/random_model.h"

namespace selene::train {
namespace {

using testing::random_pairs;
using testing::RandomWeights;

std::unique_ptr<Model> model_of(const RandomWeights& weights, ModelSettings settings) {
  return make_model(weights, settings);
}

// Some coefficient for each target.
std::vector<double> coefficients_of(const Row& row, std::uint64_t seed = 3) {
  Random random(seed);
  std::vector<double> coefficients;
  for (std::size_t i = 0; i < row.targets.size(); ++i)
    coefficients.push_back(2 * random.uniform() - 1);
  return coefficients;
}

// |a - b| / |b| over all numbers.
double distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor left = a.to(torch::kDouble);
  const at::Tensor right = b.to(torch::kDouble);
  return (left - right).norm().item<double>() / (right.norm().item<double>() + 1e-30);
}

void expect_like_plain(Precision precision, torch::ScalarType type, bool tied, double log_p_error,
                       double gradient_error) {
  const RandomWeights weights(tied);
  const auto model = model_of(weights, {.precision = precision});
  PlainModel plain(weights, type);
  const std::vector<Row> rows = pack(random_pairs(9), 500);
  ASSERT_GT(rows.size(), 1U);
  torch::Tensor sum = torch::zeros({}, type);
  for (const Row& row : rows) {
    const std::vector<double> log_p = model->log_probabilities(row, true);
    const torch::Tensor expected = plain.log_probabilities(row);
    for (std::size_t i = 0; i < log_p.size(); ++i)
      EXPECT_NEAR(log_p[i], expected[static_cast<std::int64_t>(i)].item<double>(), log_p_error);
    const std::vector<double> coefficients = coefficients_of(row);
    model->backward(row, coefficients);
    sum = sum + (expected * torch::tensor(coefficients, type)).sum();
  }
  sum.backward();
  std::size_t compared = 0;
  for (const Parameter& parameter : model->parameters()) {
    EXPECT_LT(distance(parameter.gradient, plain.weights().at(parameter.name).grad()),
              gradient_error)
        << parameter.name;
    ++compared;
  }
  EXPECT_EQ(compared, weights.tensors().size());
}

TEST(TrainedModel, IsThePlainOneInDoubles) {
  expect_like_plain(Precision::F64, torch::kDouble, false, 1e-10, 1e-10);
}
TEST(TrainedModel, IsThePlainOneWithATiedOutput) {
  expect_like_plain(Precision::F64, torch::kDouble, true, 1e-10, 1e-10);
}
TEST(TrainedModel, IsThePlainOneInFloats) {
  expect_like_plain(Precision::F32, torch::kDouble, false, 2e-5, 1e-5);
}
TEST(TrainedModel, IsNearThePlainOneInBfloat16) {
  expect_like_plain(Precision::BF16, torch::kDouble, false, 0.2, 0.06);
}

TEST(TrainedModel, LogitsAreThoseOfThePlainOne) {
  const RandomWeights weights;
  const Row row = pack(random_pairs(4), 1000).at(0);
  const at::Tensor logits = model_of(weights, {.precision = Precision::F64})->logits(row);
  EXPECT_LT(distance(logits, PlainModel(weights, torch::kDouble).logits(row)), 1e-12);
}

// The gradients of all parameters for the sum of the pairs' losses.
std::vector<at::Tensor> gradients_of(Model& model, const std::vector<TokenPair>& pairs,
                                     std::size_t most_tokens, double& loss) {
  for (const Parameter& parameter : model.parameters()) parameter.gradient.zero_();
  loss = 0;
  for (const Row& row : pack(pairs, most_tokens)) {
    const std::vector<double> log_p = model.log_probabilities(row, true);
    std::vector<double> coefficients(row.targets.size());
    for (const PackedPair& packed : row.pairs) {
      const auto scores = [&](const Branch& branch) {
        std::vector<double> of_branch;
        for (const std::int32_t target : branch.targets)
          of_branch.push_back(log_p[static_cast<std::size_t>(target)]);
        return of_branch;
      };
      const std::vector<double> chosen = scores(packed.chosen);
      const std::vector<double> rejected = scores(packed.rejected);
      const std::vector<double> zeros(std::max(chosen.size(), rejected.size()), -2.0);
      const PairLoss of_pair =
          pair_loss({}, {chosen, std::span(zeros).first(chosen.size()), packed.chosen.verdict},
                    {rejected, std::span(zeros).first(rejected.size()), packed.rejected.verdict},
                    pairs[packed.pair].prompt.size());
      loss += of_pair.loss;
      for (std::size_t i = 0; i < chosen.size(); ++i)
        coefficients[static_cast<std::size_t>(packed.chosen.targets[i])] +=
            of_pair.chosen_gradient[i];
      for (std::size_t i = 0; i < rejected.size(); ++i)
        coefficients[static_cast<std::size_t>(packed.rejected.targets[i])] +=
            of_pair.rejected_gradient[i];
    }
    model.backward(row, coefficients);
  }
  std::vector<at::Tensor> gradients;
  for (const Parameter& parameter : model.parameters())
    gradients.push_back(parameter.gradient.clone());
  return gradients;
}

void expect_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b, double error) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_LT(distance(a[i], b[i]), error) << i;
}

TEST(TrainedModel, PackedAndSharedIsOneByOne) {
  const RandomWeights weights;
  const auto model = model_of(weights, {.precision = Precision::F64});
  const std::vector<TokenPair> pairs = random_pairs(12);
  double packed_loss = 0;
  double single_loss = 0;
  const auto packed = gradients_of(*model, pairs, 100000, packed_loss);
  const auto single = gradients_of(*model, pairs, 1, single_loss);
  EXPECT_NEAR(packed_loss, single_loss, 1e-9);
  expect_same(packed, single, 1e-9);
}

TEST(TrainedModel, TheOrderOfPairsChangesNothing) {
  const RandomWeights weights;
  const auto model = model_of(weights, {.precision = Precision::F64});
  std::vector<TokenPair> pairs = random_pairs(8);
  double loss = 0;
  double turned_loss = 0;
  const auto straight = gradients_of(*model, pairs, 400, loss);
  std::reverse(pairs.begin(), pairs.end());
  const auto turned = gradients_of(*model, pairs, 400, turned_loss);
  EXPECT_NEAR(loss, turned_loss, 1e-9);
  expect_same(straight, turned, 1e-9);
}

TEST(TrainedModel, RecomputedActivationsGiveTheSameBits) {
  const RandomWeights weights;
  const std::vector<TokenPair> pairs = random_pairs(6);
  for (const Precision precision : {Precision::F32, Precision::BF16}) {
    double loss = 0;
    double again_loss = 0;
    const auto kept = gradients_of(*model_of(weights, {.precision = precision}), pairs, 400, loss);
    const auto again = gradients_of(*model_of(weights, {.precision = precision, .recompute = true}),
                                    pairs, 400, again_loss);
    EXPECT_EQ(loss, again_loss);
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(at::equal(kept[i], again[i])) << i;
  }
}

// A number of each parameter moved a little up and down.
void expect_finite_differences(Model& model) {
  const Row row = pack(random_pairs(3), 1000).at(0);
  const std::vector<double> coefficients = coefficients_of(row);
  const auto value_with = [&](double& number, double changed) {
    const double was = std::exchange(number, changed);
    model.refresh();
    const std::vector<double> log_p = model.log_probabilities(row, false);
    number = was;
    model.refresh();
    return std::inner_product(log_p.begin(), log_p.end(), coefficients.begin(), 0.0);
  };
  model.log_probabilities(row, true);
  model.backward(row, coefficients);
  constexpr double kStep = 1e-6;
  for (const Parameter& parameter : model.parameters()) {
    const std::int64_t at = parameter.value.numel() / 3;
    double& number = parameter.value.data_ptr<double>()[at];
    const double gradient = parameter.gradient.data_ptr<double>()[at];
    const double difference =
        value_with(number, number + kStep) - value_with(number, number - kStep);
    EXPECT_NEAR(difference / (2 * kStep), gradient, 1e-5 * (1 + std::abs(gradient)))
        << parameter.name;
  }
}

TEST(TrainedModel, GradientsAreThoseOfFiniteDifferences) {
  const RandomWeights weights;
  expect_finite_differences(*model_of(weights, {.precision = Precision::F64}));
}

// Without OpenMP's flag at::parallel_for runs on one thread and says nothing.
TEST(TrainedModel, ItsKernelsRunOnSeveralThreads) {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  std::array<int, 2> thread{};
  at::parallel_for(0, 2, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      thread[static_cast<std::size_t>(i)] = at::get_thread_num();
  });
  at::set_num_threads(threads);
  EXPECT_NE(thread[0], thread[1]);
}

// --- Adapters ----------------------------------------------------------------------------------

// A model with an adapter that changes something.
std::unique_ptr<Model> adapted(const RandomWeights& weights, Precision precision) {
  auto model =
      model_of(weights, {.precision = precision, .lora = LoraSettings{.rank = 3, .alpha = 6}});
  model::LoraAdapter adapter = *model->adapter();
  Random random(11);
  for (model::LoraMatrix& matrix : adapter.matrices)
    for (float& x : matrix.b) x = static_cast<float>(0.2 * random.uniform() - 0.1);
  model->set_adapter(adapter);
  return model;
}

TEST(Adapters, BeginAsTheBaseModel) {
  const RandomWeights weights;
  const Row row = pack(random_pairs(3), 1000).at(0);
  const auto base = model_of(weights, {.precision = Precision::F64});
  const auto lora = model_of(weights, {.precision = Precision::F64, .lora = LoraSettings{}});
  EXPECT_EQ(base->log_probabilities(row, false), lora->log_probabilities(row, false));
}

TEST(Adapters, SwitchedOffAreTheBaseModel) {
  const RandomWeights weights;
  const Row row = pack(random_pairs(3), 1000).at(0);
  const auto base = model_of(weights, {.precision = Precision::F64});
  const auto lora = adapted(weights, Precision::F64);
  EXPECT_NE(base->log_probabilities(row, false), lora->log_probabilities(row, false));
  lora->use_adapters(false);
  EXPECT_EQ(base->log_probabilities(row, false), lora->log_probabilities(row, false));
}

// Weights with an adapter merged, as a model reads them.
class Merged final : public model::Weights {
 public:
  Merged(const model::Weights& base, const Model& model) : model_(model) {
    config_ = base.config();
    tensors_ = base.tensors();
  }
  void read(const std::string& name, std::span<float> out) const override {
    model_.read(name, true, out);
  }

 private:
  const Model& model_;
};

TEST(Adapters, MergedAreApplied) {
  const RandomWeights weights;
  const Row row = pack(random_pairs(3), 1000).at(0);
  const auto lora = adapted(weights, Precision::F64);
  const auto merged = make_model(Merged(weights, *lora), {.precision = Precision::F64});
  const std::vector<double> a = lora->log_probabilities(row, false);
  const std::vector<double> b = merged->log_probabilities(row, false);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5);  // Floats between.
}

TEST(Adapters, GradientsAreThoseOfFiniteDifferences) {
  const RandomWeights weights;
  const auto model = adapted(weights, Precision::F64);
  EXPECT_EQ(model->parameters().size(), 2U * 2U * 7U);
  expect_finite_differences(*model);
}

}  // namespace
}  // namespace selene::train
