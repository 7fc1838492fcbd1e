#include "train/loss.h"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::train {
namespace {

constexpr std::array kLosses{
    NamedLoss{"dpo+nll", {}, "arXiv 2501.17195, section 2: DPO with the NLL of the chosen answer"},
    NamedLoss{"dpo", {.nll_weight = 0}, "arXiv 2305.18290, equation 7"},
    NamedLoss{"sft", {.dpo_weight = 0}, "the NLL of the chosen answer alone"},
    NamedLoss{"dpo-norm",
              {.nll_weight = 0, .length_normalised = true},
              "arXiv 2411.15124: length-normalised DPO"},
    NamedLoss{
        "dpo-norm+nll", {.length_normalised = true}, "the same with the NLL of the chosen answer"},
};

// log sigma(x) without overflow.
double log_sigmoid(double x) {
  return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}
double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

double weight_of(const LossSettings& settings, const AnswerScores& answer, std::size_t token) {
  return token >= answer.verdict ? settings.verdict_weight : 1;
}

double weighted(const LossSettings& settings, const AnswerScores& answer,
                std::span<const double> log_p) {
  double sum = 0;
  for (std::size_t t = 0; t < log_p.size(); ++t) sum += weight_of(settings, answer, t) * log_p[t];
  return sum;
}

double plain_sum(std::span<const double> log_p) {
  double sum = 0;
  for (const double one : log_p) sum += one;
  return sum;
}

double normaliser_of(Normaliser normaliser, std::size_t prompt, std::size_t answer) {
  switch (normaliser) {
    case Normaliser::Completion:
      return static_cast<double>(answer);
    case Normaliser::Sum:
      return 1;
    case Normaliser::PromptAndCompletion:
      return static_cast<double>(prompt + answer);
  }
  return 1;
}

constexpr std::array<std::pair<std::string_view, Normaliser>, 3> kNormalisers{
    {{"completion", Normaliser::Completion},
     {"sum", Normaliser::Sum},
     {"prompt+completion", Normaliser::PromptAndCompletion}}};

}  // namespace

std::span<const NamedLoss> named_losses() { return kLosses; }

const NamedLoss& find_loss(std::string_view name) {
  std::vector<std::string_view> names;
  for (const NamedLoss& loss : kLosses) {
    if (loss.name == name) return loss;
    names.push_back(loss.name);
  }
  throw Error(fmt::format("there is no loss '{}'", cut_to_columns(name, 40)), "",
              fmt::format("it is one of {}", fmt::join(names, ", ")));
}

Normaliser normaliser_from_name(std::string_view name) {
  for (const auto& [known, normaliser] : kNormalisers) {
    if (known == name) return normaliser;
  }
  throw Error(fmt::format("there is no normaliser '{}'", cut_to_columns(name, 40)), "",
              "it is completion, sum or prompt+completion");
}

std::string_view name_of(Normaliser normaliser) {
  for (const auto& [name, known] : kNormalisers) {
    if (known == normaliser) return name;
  }
  return "";
}

PairLoss pair_loss(const LossSettings& settings, const AnswerScores& chosen,
                   const AnswerScores& rejected, std::size_t prompt_tokens) {
  PairLoss pair;
  pair.chosen_log_p = plain_sum(chosen.log_p);
  pair.rejected_log_p = plain_sum(rejected.log_p);
  pair.chosen_gradient.resize(chosen.log_p.size());
  pair.rejected_gradient.resize(rejected.log_p.size());
  const auto length = [&](const AnswerScores& answer) {
    return settings.length_normalised ? static_cast<double>(answer.log_p.size()) : 1;
  };
  if (!chosen.reference.empty()) {
    const auto reward = [&](const AnswerScores& answer) {
      return settings.beta *
             (weighted(settings, answer, answer.log_p) -
              weighted(settings, answer, answer.reference)) /
             length(answer);
    };
    pair.chosen_reward = reward(chosen);
    pair.rejected_reward = reward(rejected);
    pair.dpo = -log_sigmoid(pair.margin());
    const double slope = settings.dpo_weight * settings.beta * sigmoid(-pair.margin());
    for (std::size_t t = 0; t < chosen.log_p.size(); ++t)
      pair.chosen_gradient[t] -= slope * weight_of(settings, chosen, t) / length(chosen);
    for (std::size_t t = 0; t < rejected.log_p.size(); ++t)
      pair.rejected_gradient[t] += slope * weight_of(settings, rejected, t) / length(rejected);
  }
  const double normaliser = normaliser_of(settings.normaliser, prompt_tokens, chosen.log_p.size());
  pair.nll = -weighted(settings, chosen, chosen.log_p) / normaliser;
  for (std::size_t t = 0; t < chosen.log_p.size(); ++t)
    pair.chosen_gradient[t] -= settings.nll_weight * weight_of(settings, chosen, t) / normaliser;
  pair.loss = settings.nll_weight * pair.nll;
  if (!chosen.reference.empty()) pair.loss += settings.dpo_weight * pair.dpo;
  return pair;
}

}  // namespace selene::train
