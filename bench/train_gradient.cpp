// Loss and gradient of given pairs, to be compared with another trainer's by
// bench/peers/train_gradient: DPO + NLL with the defaults of loss.h, all weights.
//
//   build/bench/train_gradient POLICY REFERENCE PAIRS.json PRECISION ROW_TOKENS OUT.safetensors
//
// POLICY and REFERENCE are GGUF files or Hugging Face folders; PAIRS.json is a list of {prompt,
// chosen, rejected}, each a list of tokens. OUT gets the gradient of the sum of the losses, in
// fp32. Prints a JSON object: losses (by pair), tokens (computed).
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "model/safetensors.h"
#include "model/weights.h"
#include "train/loss.h"
#include "train/model.h"
#include "train/packing.h"
#include "train/reference.h"

namespace {

using namespace selene;
using train::ReferenceScores;
using train::Row;
using train::TokenPair;

std::vector<TokenPair> read_pairs(const std::string& path) {
  std::vector<TokenPair> pairs;
  for (const nlohmann::json& row : nlohmann::json::parse(read_file(path)))
    pairs.push_back({"", row.at("prompt"), row.at("chosen"), row.at("rejected"), 0, 0});
  return pairs;
}

std::vector<ReferenceScores> references(const std::string& path, train::Precision precision,
                                        const std::vector<TokenPair>& pairs,
                                        std::size_t row_tokens) {
  const auto model = train::make_model(*model::open_weights(path), {.precision = precision});
  std::vector<ReferenceScores> scores(pairs.size());
  for (const Row& row : pack(pairs, row_tokens)) {
    const std::vector<double> log_p = model->log_probabilities(row, /*keep=*/false);
    for (const train::PackedPair& pair : row.pairs)
      scores[pair.pair] = {scores_of(pair.chosen, log_p), scores_of(pair.rejected, log_p)};
  }
  return scores;
}

// Losses by pair; the gradient of their sum stays in the model.
std::vector<double> losses_of(train::Model& model, const std::vector<Row>& rows,
                              const std::vector<TokenPair>& pairs,
                              const std::vector<ReferenceScores>& reference) {
  std::vector<double> losses(pairs.size());
  for (const Row& row : rows) {
    const std::vector<double> log_p = model.log_probabilities(row, /*keep=*/true);
    std::vector<double> coefficients(row.targets.size());
    const auto add = [&](const train::Branch& branch, const std::vector<double>& gradient) {
      for (std::size_t i = 0; i < gradient.size(); ++i)
        coefficients[static_cast<std::size_t>(branch.targets[i])] += gradient[i];
    };
    for (const train::PackedPair& pair : row.pairs) {
      const std::vector<double> chosen = scores_of(pair.chosen, log_p);
      const std::vector<double> rejected = scores_of(pair.rejected, log_p);
      const train::PairLoss loss = train::pair_loss({}, {chosen, reference[pair.pair].chosen, 0},
                                                    {rejected, reference[pair.pair].rejected, 0},
                                                    pairs[pair.pair].prompt.size());
      losses[pair.pair] = loss.loss;
      add(pair.chosen, loss.chosen_gradient);
      add(pair.rejected, loss.rejected_gradient);
    }
    model.backward(row, coefficients);
  }
  return losses;
}

void write_gradient(train::Model& model, const std::string& path) {
  std::vector<model::SafetensorsTensor> tensors;
  for (const train::Parameter& parameter : model.parameters()) {
    model::SafetensorsTensor tensor{.name = parameter.name, .type = "F32"};
    for (const std::int64_t size : parameter.gradient.sizes())
      tensor.shape.push_back(static_cast<std::uint64_t>(size));
    tensor.elements = static_cast<std::uint64_t>(parameter.gradient.numel());
    tensors.push_back(std::move(tensor));
  }
  std::ofstream out(path, std::ios::binary);
  out << model::safetensors_header(tensors);
  for (const train::Parameter& parameter : model.parameters()) {
    const at::Tensor numbers = parameter.gradient.to(at::kFloat).contiguous();
    out.write(reinterpret_cast<const char*>(numbers.data_ptr<float>()),
              static_cast<std::streamsize>(numbers.numel() * sizeof(float)));
  }
  if (!out.flush()) throw Error("the gradient cannot be written", path);
}

int run(char** arguments) {
  const auto precision = train::precision_from_name(arguments[4]);
  const auto row_tokens = static_cast<std::size_t>(std::stoul(arguments[5]));
  const std::vector<TokenPair> pairs = read_pairs(arguments[3]);
  const std::vector<ReferenceScores> reference =
      references(arguments[2], precision, pairs, row_tokens);
  const auto model =
      train::make_model(*model::open_weights(arguments[1]), {.precision = precision});
  const std::vector<Row> rows = pack(pairs, row_tokens);
  std::size_t tokens = 0;
  for (const Row& row : rows) tokens += row.tokens.size();
  const std::vector<double> losses = losses_of(*model, rows, pairs, reference);
  write_gradient(*model, arguments[6]);
  fmt::print("{}\n", nlohmann::json{{"losses", losses}, {"tokens", tokens}}.dump());
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    fmt::print(stderr,
               "usage: train_gradient POLICY REFERENCE PAIRS.json PRECISION ROW_TOKENS "
               "OUT.safetensors\n");
    return EXIT_FAILURE;
  }
  try {
    return run(argv);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "error: {}\n", failure.what());
    return EXIT_FAILURE;
  }
}
