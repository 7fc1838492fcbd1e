// A tiny model of the Llama 3.1 kind against Hugging Face's transformers and TRL, by golden files.
#include "train/golden.h"

#include <ATen/ATen.h>
#include <cstring>
#include <iostream>
#include <map>

#include "model/mapped_file.h"
#include "model/safetensors.h"
#include "train/loss.h"

namespace selene::train {
namespace {

using testing::golden;
using testing::golden_path;
using testing::golden_prompts;
using testing::worst_difference;

std::unique_ptr<model::Weights> tiny_weights() { return model::open_weights(golden_path("tiny")); }

TEST(Golden, TheTinyModelHasAllThatLlama31Has) {
  const model::LlamaConfig config = tiny_weights()->config();
  EXPECT_FALSE(config.tied_embeddings);
  EXPECT_LT(config.kv_heads, config.heads);
  // Long, middle and short wave lengths.
  const std::vector<float>& factors = config.rope_factors;
  ASSERT_EQ(factors.size(), config.head_size / 2);
  EXPECT_EQ(factors.front(), 1);
  EXPECT_EQ(factors.back(), 8);
  EXPECT_TRUE(std::any_of(factors.begin(), factors.end(), [](float x) { return x > 1 && x < 8; }));
}

TEST(Golden, LogitsOfTheTinyModelAreThoseOfTransformers) {
  const auto weights = tiny_weights();
  const auto prompts = golden_prompts("tiny_logits.json");
  for (const Precision precision : {Precision::F32, Precision::F64}) {
    const double worst = worst_difference(*make_model(*weights, {.precision = precision}), prompts);
    std::cout << name_of(precision) << ": largest difference " << worst << '\n';
    EXPECT_LT(worst, 1e-4) << name_of(precision);
  }
}

TEST(Golden, AnotherPlaceOrTokenHasOtherLogits) {
  auto prompts = golden_prompts("tiny_logits.json");
  const auto model = make_model(*tiny_weights(), {});
  for (auto& prompt : prompts) prompt.tokens.front() = (prompt.tokens.front() + 1) % 80;
  EXPECT_GT(worst_difference(*model, prompts), 1e-2);
}

// --- Loss and gradient ---------------------------------------------------------------------------

struct GoldenPair {
  TokenPair tokens;
  double chosen_reference = 0;  // Of the whole answer.
  double rejected_reference = 0;
  double loss = 0;
};

std::vector<GoldenPair> golden_pairs() {
  std::vector<GoldenPair> pairs;
  for (const nlohmann::json& row : golden("tiny_loss.json")) {
    GoldenPair pair;
    pair.tokens = {"", row.at("prompt"), row.at("chosen"), row.at("rejected"), 0, 0};
    pair.chosen_reference = row.at("chosen_reference");
    pair.rejected_reference = row.at("rejected_reference");
    pair.loss = row.at("loss");
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::map<std::string, std::vector<float>> golden_gradient() {
  const model::MappedFile file(golden_path("tiny_gradient.safetensors"));
  std::map<std::string, std::vector<float>> gradient;
  for (const auto& tensor : model::read_safetensors(file.bytes()).tensors) {
    EXPECT_EQ(tensor.type, "F32");
    std::vector<float>& numbers = gradient[tensor.name];
    numbers.resize(tensor.elements);
    std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  }
  return gradient;
}

// An answer's log-probabilities; only the sum of the reference's is known, and only it counts.
struct Scores {
  std::vector<double> log_p;
  std::vector<double> reference;

  Scores(const Branch& branch, const std::vector<double>& of_row, double reference_sum)
      : reference(branch.targets.size()) {
    for (const std::int32_t target : branch.targets)
      log_p.push_back(of_row[static_cast<std::size_t>(target)]);
    reference.front() = reference_sum;
  }
  AnswerScores scores() const { return {log_p, reference, 0}; }
};

// Losses by pair; the gradient of their sum stays in the model.
std::vector<double> losses_of(Model& model, const std::vector<GoldenPair>& pairs,
                              std::size_t most_tokens) {
  std::vector<TokenPair> tokens;
  for (const GoldenPair& pair : pairs) tokens.push_back(pair.tokens);
  std::vector<double> losses(pairs.size());
  for (const Row& row : pack(tokens, most_tokens)) {
    const std::vector<double> log_p = model.log_probabilities(row, true);
    std::vector<double> coefficients(row.targets.size());
    for (const PackedPair& packed : row.pairs) {
      const GoldenPair& pair = pairs[packed.pair];
      const Scores chosen(packed.chosen, log_p, pair.chosen_reference);
      const Scores rejected(packed.rejected, log_p, pair.rejected_reference);
      const PairLoss loss = pair_loss({}, chosen.scores(), rejected.scores(), 1);
      losses[packed.pair] = loss.loss;
      const auto add = [&](const Branch& branch, const std::vector<double>& gradient) {
        for (std::size_t i = 0; i < gradient.size(); ++i)
          coefficients[static_cast<std::size_t>(branch.targets[i])] += gradient[i];
      };
      add(packed.chosen, loss.chosen_gradient);
      add(packed.rejected, loss.rejected_gradient);
    }
    model.backward(row, coefficients);
  }
  return losses;
}

struct Products {
  double ours = 0;
  double theirs = 0;
  double both = 0;

  void add(const Products& other) {
    ours += other.ours;
    theirs += other.theirs;
    both += other.both;
  }
  double cosine() const { return both / std::sqrt(ours * theirs); }
  double ratio() const { return std::sqrt(ours / theirs); }  // Of the lengths.
};

Products products_of(const at::Tensor& ours, const std::vector<float>& theirs) {
  const at::Tensor numbers = ours.to(at::kDouble).contiguous();
  EXPECT_EQ(static_cast<std::size_t>(numbers.numel()), theirs.size());
  const double* x = numbers.data_ptr<double>();
  Products products;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    products.ours += x[i] * x[i];
    products.theirs += static_cast<double>(theirs[i]) * theirs[i];
    products.both += x[i] * theirs[i];
  }
  return products;
}

TEST(Golden, LossAndGradientOfTheTinyModelAreThoseOfTrl) {
  const auto weights = tiny_weights();
  const auto gradient = golden_gradient();
  const std::vector<GoldenPair> pairs = golden_pairs();
  ASSERT_EQ(pairs.size(), 4U);
  for (const std::size_t most_tokens : {1, 4096}) {  // One by one, and packed.
    const auto model = make_model(*weights, {.precision = Precision::F32});
    const std::vector<double> losses = losses_of(*model, pairs, most_tokens);
    double worst_loss = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      worst_loss = std::max(worst_loss, std::abs(losses[i] / pairs[i].loss - 1));
    EXPECT_LT(worst_loss, 1e-5);
    double least_cosine = 1;
    Products all;
    for (const Parameter& parameter : model->parameters()) {
      const auto theirs = gradient.find(parameter.name);
      ASSERT_NE(theirs, gradient.end()) << parameter.name;
      const Products products = products_of(parameter.gradient, theirs->second);
      least_cosine = std::min(least_cosine, products.cosine());
      EXPECT_GT(products.cosine(), 0.99999) << parameter.name;
      EXPECT_NEAR(products.ratio(), 1, 1e-4) << parameter.name;
      all.add(products);
    }
    EXPECT_EQ(model->parameters().size(), gradient.size());
    EXPECT_GT(all.cosine(), 0.99999);
    EXPECT_NEAR(all.ratio(), 1, 1e-5);
    std::cout << "rows of " << most_tokens << ": loss within " << worst_loss
              << ", gradient 1 - cosine " << 1 - all.cosine() << ", at most " << 1 - least_cosine
              << " of a weight\n";
  }
}

}  // namespace
}  // namespace selene::train
