// What a pair costs, and what each of its tokens adds to the gradient.
//
// With s(y) = sum of log pi(y_t) over an answer's tokens and the same of the reference pi_ref:
//   DPO   -log sigma(beta * [(s(chosen) - s_ref(chosen)) - (s(rejected) - s_ref(rejected))])
//         (Rafailov et al. 2023, arXiv 2305.18290, equation 7)
//   NLL   -s(chosen) / normaliser (Pang et al. 2024, arXiv 2404.19733, section 2)
//   loss = dpo_weight * DPO + nll_weight * NLL
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::train {

// What the negative log-likelihood of the chosen answer is divided by.
enum class Normaliser {
  Completion,           // The chosen answer's tokens (as TRL's loss type `sft` of one pair).
  Sum,                  // Nothing.
  PromptAndCompletion,  // The prompt's and the chosen answer's tokens.
};

// Defaults are ours, to be swept; beta is the usual one.
struct LossSettings {
  double beta = 0.1;
  double dpo_weight = 1;
  double nll_weight = 1;  // alpha
  Normaliser normaliser = Normaliser::Completion;
  // s(y) - s_ref(y) is divided by the answer's tokens in the DPO term (Lambert et al. 2024, Tulu 3,
  // arXiv 2411.15124).
  bool length_normalised = false;
  // Of each token of the verdict in both terms, those of the critique having 1.
  double verdict_weight = 1;
};

// One row of the table of losses: settings by name.
struct NamedLoss {
  std::string_view name;
  LossSettings settings;
  std::string_view source;  // Paper and equation.
};
std::span<const NamedLoss> named_losses();
// Throws Error with the names that there are.
const NamedLoss& find_loss(std::string_view name);
Normaliser normaliser_from_name(std::string_view name);  // Throws Error.
std::string_view name_of(Normaliser normaliser);

// An answer's log-probabilities, one a token, and where its verdict begins.
struct AnswerScores {
  std::span<const double> log_p;
  std::span<const double> reference;  // Empty where the loss has no DPO term.
  std::size_t verdict = 0;
};

struct PairLoss {
  double loss = 0;
  double dpo = 0;            // Unweighted.
  double nll = 0;            // Unweighted.
  double chosen_reward = 0;  // beta * (s - s_ref)
  double rejected_reward = 0;
  double chosen_log_p = 0;  // s
  double rejected_log_p = 0;
  // d loss / d log p of each token.
  std::vector<double> chosen_gradient;
  std::vector<double> rejected_gradient;

  double margin() const { return chosen_reward - rejected_reward; }
};

PairLoss pair_loss(const LossSettings& settings, const AnswerScores& chosen,
                   const AnswerScores& rejected, std::size_t prompt_tokens);

}  // namespace selene::train
