// Elo's ratings, one vote after another: what Judge Arena and FastChat's compute_elo() compute.
#pragma once

#include <vector>

#include "arena/ballots.h"

namespace selene::arena {

// A. E. Elo, "The Rating of Chessplayers, Past and Present" (1978), with the settings of Judge
// Arena (AtlaAI/judge-arena, leaderboard.py): start 1200, K 32.
struct EloSettings {
  double start = 1200;
  double k = 32;
  double scale = 400;  // Points for odds of ten to one.
};

// One rating a judge; of one without votes the start. In the order of the votes, which it depends
// on. A tie is half a win. A vote between a judge and itself changes nothing. `from`: the ratings
// after earlier votes, to go on from.
std::vector<double> elo(const Ballots& ballots, const EloSettings& settings = {},
                        std::vector<double> from = {});

}  // namespace selene::arena
