#include "train/pair_means.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace selene::train {
namespace {

constexpr std::pair<const char*, double PairMeans::*> kMeans[] = {
    {"loss", &PairMeans::loss},
    {"dpo", &PairMeans::dpo},
    {"nll", &PairMeans::nll},
    {"margin", &PairMeans::margin},
    {"accuracy", &PairMeans::accuracy},
    {"verdict_accuracy", &PairMeans::verdict_accuracy},
    {"chosen_log_p", &PairMeans::chosen_log_p},
    {"rejected_log_p", &PairMeans::rejected_log_p},
};

}  // namespace

nlohmann::ordered_json to_json(const PairMeans& means) {
  nlohmann::ordered_json json{{"pairs", means.pairs}};
  for (const auto& [name, mean] : kMeans) json[name] = means.*mean;
  return json;
}

PairMeans means_from(const nlohmann::ordered_json& json) {
  PairMeans means;
  means.pairs = json.value("pairs", std::size_t{0});
  for (const auto& [name, mean] : kMeans) means.*mean = json.value(name, 0.0);
  return means;
}

void PairSum::add(const Row& row, std::span<const double> log_p,
                  std::span<const std::size_t> index_of, double scale,
                  std::vector<double>* gradients) {
  for (const PackedPair& packed : row.pairs) {
    const std::size_t index = index_of[packed.pair];
    const std::vector<double> chosen = scores_of(packed.chosen, log_p);
    const std::vector<double> rejected = scores_of(packed.rejected, log_p);
    AnswerScores of_chosen{.log_p = chosen, .reference = {}, .verdict = packed.chosen.verdict};
    AnswerScores of_rejected{
        .log_p = rejected, .reference = {}, .verdict = packed.rejected.verdict};
    if (!references_.empty()) {
      of_chosen.reference = references_[index].chosen;
      of_rejected.reference = references_[index].rejected;
    }
    const PairLoss loss =
        pair_loss(loss_, of_chosen, of_rejected, pairs_[index].tokens.prompt.size());
    const auto of_label = [](const std::vector<double>& scores, std::size_t verdict) {
      return std::accumulate(scores.begin() + static_cast<std::ptrdiff_t>(verdict), scores.end(),
                             0.0);
    };
    ++sums_.pairs;
    sums_.loss += loss.loss;
    sums_.dpo += loss.dpo;
    sums_.nll += loss.nll;
    sums_.margin += loss.margin();
    sums_.accuracy += loss.margin() > 0 ? 1 : 0;
    sums_.chosen_log_p += loss.chosen_log_p;
    sums_.rejected_log_p += loss.rejected_log_p;
    sums_.verdict_accuracy +=
        of_label(chosen, packed.chosen.verdict) > of_label(rejected, packed.rejected.verdict) ? 1
                                                                                              : 0;
    if (!gradients) continue;
    const auto add_to = [&](const Branch& branch, const std::vector<double>& of_tokens) {
      for (std::size_t i = 0; i < of_tokens.size(); ++i)
        (*gradients)[static_cast<std::size_t>(branch.targets[i])] += scale * of_tokens[i];
    };
    add_to(packed.chosen, loss.chosen_gradient);
    add_to(packed.rejected, loss.rejected_gradient);
  }
}

PairMeans PairSum::means() const {
  PairMeans means = sums_;
  const double count = std::max<double>(1, static_cast<double>(sums_.pairs));
  for (const auto& [name, mean] : kMeans) means.*mean /= count;
  return means;
}

}  // namespace selene::train
