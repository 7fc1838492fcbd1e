#include "train/loss.h"

#include <gtest/gtest.h>
#include <cmath>

#include "core/error.h"

namespace selene::train {
namespace {

const std::vector<double> kChosen{-1.0, -0.5, -0.25};
const std::vector<double> kChosenReference{-1.25, -0.75, -0.5};
const std::vector<double> kRejected{-2.0, -1.0};
const std::vector<double> kRejectedReference{-1.5, -0.5};

PairLoss loss_of(const LossSettings& settings) {
  return pair_loss(settings, {kChosen, kChosenReference, 2}, {kRejected, kRejectedReference, 1}, 7);
}

// s(chosen) - s_ref = -1.75 + 2.5 = 0.75; s(rejected) - s_ref = -3 + 2 = -1; times beta 0.1:
// 0.075 + 0.1 = 0.175. log(1 + exp(-0.175)) = 0.609471.
TEST(Loss, DpoByHand) {
  const PairLoss loss = loss_of(find_loss("dpo").settings);
  EXPECT_NEAR(loss.chosen_reward, 0.075, 1e-12);
  EXPECT_NEAR(loss.rejected_reward, -0.1, 1e-12);
  EXPECT_NEAR(loss.dpo, std::log1p(std::exp(-0.175)), 1e-12);
  EXPECT_NEAR(loss.loss, 0.609471, 1e-6);
  // beta * sigma(-0.175) = 0.1 * 0.456361
  EXPECT_NEAR(loss.chosen_gradient[0], -0.0456361, 1e-7);
  EXPECT_NEAR(loss.rejected_gradient[1], 0.0456361, 1e-7);
}

// 1.75 / 3
TEST(Loss, SftByHand) {
  const PairLoss loss = loss_of(find_loss("sft").settings);
  EXPECT_NEAR(loss.loss, 1.75 / 3, 1e-12);
  EXPECT_NEAR(loss.chosen_gradient[2], -1.0 / 3, 1e-12);
  EXPECT_EQ(loss.rejected_gradient[0], 0);
}

TEST(Loss, DpoAndNllAreAdded) {
  const PairLoss loss = loss_of(find_loss("dpo+nll").settings);
  EXPECT_NEAR(loss.loss, 0.609471 + 1.75 / 3, 1e-6);
  LossSettings half = find_loss("dpo+nll").settings;
  half.nll_weight = 0.5;
  half.dpo_weight = 2;
  EXPECT_NEAR(loss_of(half).loss, 2 * 0.609471 + 1.75 / 6, 2e-6);
}

TEST(Loss, NormalisersDivideTheNllAlone) {
  LossSettings settings;
  settings.normaliser = Normaliser::Sum;
  EXPECT_NEAR(loss_of(settings).nll, 1.75, 1e-12);
  settings.normaliser = Normaliser::PromptAndCompletion;
  EXPECT_NEAR(loss_of(settings).nll, 0.175, 1e-12);
  EXPECT_NEAR(loss_of(settings).dpo, 0.609471, 1e-6);
}

// beta 0.1: 0.1 * (0.75 / 3 + 1 / 2) = 0.075; log(1 + exp(-0.075)) = 0.656350.
TEST(Loss, LengthNormalisedDpoByHand) {
  const PairLoss loss = loss_of(find_loss("dpo-norm").settings);
  EXPECT_NEAR(loss.margin(), 0.075, 1e-12);
  EXPECT_NEAR(loss.loss, 0.656350, 1e-6);
}

// The verdict is the chosen's third token and the rejected's second. Weighted by 3: chosen
// 0.25 + 0.25 + 0.75 = 1.25, rejected -0.5 - 1.5 = -2; 0.1 * 3.25 = 0.325. NLL (1 + 0.5 + 0.75)
// / 3.
TEST(Loss, TheVerdictsWeightIsInBothTerms) {
  LossSettings settings;
  settings.verdict_weight = 3;
  const PairLoss loss = loss_of(settings);
  EXPECT_NEAR(loss.margin(), 0.325, 1e-12);
  EXPECT_NEAR(loss.nll, 0.75, 1e-12);
}

TEST(Loss, GradientsAreThoseOfFiniteDifferences) {
  for (const NamedLoss& named : named_losses()) {
    for (const double verdict_weight : {1.0, 2.5}) {
      LossSettings settings = named.settings;
      settings.verdict_weight = verdict_weight;
      const auto loss_with = [&](const std::vector<double>& chosen,
                                 const std::vector<double>& rejected) {
        return pair_loss(settings, {chosen, kChosenReference, 2}, {rejected, kRejectedReference, 1},
                         7);
      };
      const PairLoss at = loss_with(kChosen, kRejected);
      constexpr double kStep = 1e-6;
      for (std::size_t t = 0; t < kChosen.size(); ++t) {
        std::vector<double> moved = kChosen;
        moved[t] += kStep;
        EXPECT_NEAR((loss_with(moved, kRejected).loss - at.loss) / kStep, at.chosen_gradient[t],
                    1e-6)
            << named.name;
      }
      for (std::size_t t = 0; t < kRejected.size(); ++t) {
        std::vector<double> moved = kRejected;
        moved[t] += kStep;
        EXPECT_NEAR((loss_with(kChosen, moved).loss - at.loss) / kStep, at.rejected_gradient[t],
                    1e-6)
            << named.name;
      }
    }
  }
}

TEST(Loss, LargeMarginsDoNotOverflow) {
  const std::vector<double> far{-90000.0};
  const std::vector<double> near{-1.0};
  const PairLoss lost = pair_loss({}, {far, near, 0}, {near, far, 0}, 1);
  EXPECT_NEAR(lost.dpo, 0.1 * 2 * 89999.0, 1e-6);
  const PairLoss won = pair_loss({}, {near, far, 0}, {far, near, 0}, 1);
  EXPECT_EQ(won.dpo, 0);
}

TEST(Loss, NamesThatAreNoneAreRefused) {
  EXPECT_THROW(find_loss("ppo"), Error);
  EXPECT_THROW(normaliser_from_name("tokens"), Error);
  for (const auto normaliser :
       {Normaliser::Completion, Normaliser::Sum, Normaliser::PromptAndCompletion})
    EXPECT_EQ(normaliser_from_name(name_of(normaliser)), normaliser);
}

}  // namespace
}  // namespace selene::train
