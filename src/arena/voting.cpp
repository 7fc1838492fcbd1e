#include "arena/voting.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "arena/pairing.h"
#include "core/error.h"
#include "core/random.h"

namespace selene::arena {
namespace {

constexpr std::int64_t kTokenLifeMs = 24LL * 3'600 * 1'000;
constexpr std::size_t kTokenBytes = 16;
// With many judges the pairing is made anew only after so many votes a judge.
constexpr std::size_t kSmallArena = 40;

using JudgePair = std::pair<std::uint32_t, std::uint32_t>;

std::uint64_t system_seed() { return std::stoull(random_hex(8), nullptr, 16); }

}  // namespace

struct Voting::State {
  Store& store;
  Random random{system_seed()};
  std::vector<RowId> samples;
  std::vector<RowId> judges;  // Those with judgments.
  std::vector<std::string> names;
  std::vector<std::vector<RowId>> judgments;         // [judge][sample]; 0: none that can be read.
  std::unordered_map<RowId, std::size_t> judge_of;   // By the judgment.
  std::unordered_map<RowId, std::size_t> sample_of;  // By the judgment.
  std::vector<std::size_t> shown;                    // Offers of each sample, through this.
  std::vector<JudgePair> pairs;                      // With a sample that both judged.
  std::vector<std::size_t> common;                   // Samples of each of them.
  std::vector<double> counts;                        // (judges, judges, A beats B or half a tie)
  std::unique_ptr<Pairing> pairing;
  std::size_t votes = 0;
  std::size_t paired_at = 0;  // Votes when the pairing was made.

  explicit State(Store& opened) : store(opened) {}
  void read_pool();
  void read_votes();
  void count(std::size_t a, std::size_t b, Outcome outcome);
  const Pairing& current_pairing();
  std::optional<std::pair<JudgePair, std::size_t>> choose(std::string_view voter);
  Shown show(const Offer& offer) const;
  std::string name_of(RowId judgment) const;
};

void Voting::State::read_pool() {
  std::unordered_map<RowId, std::size_t> sample_place;
  for (const StoredSample& sample : store.samples()) {
    sample_place[sample.id] = samples.size();
    samples.push_back(sample.id);
  }
  std::unordered_map<RowId, std::string> all_names;
  for (auto& [id, name] : store.judges()) all_names[id] = std::move(name);
  std::unordered_map<RowId, std::size_t> judge_place;
  for (const StoredJudgment& judgment : store.judgments()) {
    if (judgment.label.empty()) continue;
    const auto [at, is_new] = judge_place.try_emplace(judgment.judge, judges.size());
    if (is_new) {
      judges.push_back(judgment.judge);
      names.push_back(all_names.at(judgment.judge));
      judgments.emplace_back(samples.size(), 0);
    }
    const std::size_t sample = sample_place.at(judgment.sample);
    judgments[at->second][sample] = judgment.id;
    judge_of[judgment.id] = at->second;
    sample_of[judgment.id] = sample;
  }
  shown.assign(samples.size(), 0);
  for (std::uint32_t i = 0; i < judges.size(); ++i) {
    for (std::uint32_t j = i + 1; j < judges.size(); ++j) {
      std::size_t both = 0;
      for (std::size_t s = 0; s < samples.size(); ++s)
        both += judgments[i][s] != 0 && judgments[j][s] != 0;
      if (both == 0) continue;
      pairs.emplace_back(i, j);
      common.push_back(both);
    }
  }
  if (pairs.empty())
    throw Error("no sample of this arena has judgments of two judges", store.path().string(),
                "add samples and judges: selene arena add");
}

void Voting::State::count(std::size_t a, std::size_t b, Outcome outcome) {
  const std::size_t n = judges.size();
  const double half = outcome >= Outcome::Tie ? 0.5 : 0;
  counts[a * n + b] += outcome == Outcome::A ? 1 : half;
  counts[b * n + a] += outcome == Outcome::B ? 1 : half;
}

// The votes so far, of judges that are in the pool.
void Voting::State::read_votes() {
  counts.assign(judges.size() * judges.size(), 0);
  const BoardVotes board = store.board(Board::People);
  std::unordered_map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < names.size(); ++i) place[names[i]] = i;
  for (std::size_t v = 0; v < board.ballots.size(); ++v) {
    const auto a = place.find(board.judges[board.ballots.a[v]]);
    const auto b = place.find(board.judges[board.ballots.b[v]]);
    if (a == place.end() || b == place.end() || a == b) continue;
    count(a->second, b->second, board.ballots.outcome[v]);
  }
}

const Pairing& Voting::State::current_pairing() {
  const std::size_t n = judges.size();
  const std::size_t patience = n <= kSmallArena ? 0 : n / 4;
  if (pairing != nullptr && votes <= paired_at + patience) return *pairing;
  PairCounts now{.judges = n, .pairs = {}};
  for (const auto& [i, j] : pairs) {
    const double wins = counts[i * n + j];
    const double losses = counts[j * n + i];
    if (wins + losses > 0)
      now.pairs.push_back(
          {.first = i, .second = j, .first_wins = wins, .ties = 0, .second_wins = losses});
  }
  pairing = std::make_unique<Pairing>(now);
  paired_at = votes;
  return *pairing;
}

// A pair of judges and a sample that the voter has not had.
std::optional<std::pair<JudgePair, std::size_t>> Voting::State::choose(std::string_view voter) {
  std::set<std::pair<RowId, RowId>> had;
  std::unordered_map<std::size_t, std::size_t> had_of_pair;
  const std::size_t n = judges.size();
  for (const auto& [one, other] : store.offered(voter)) {
    had.insert({one, other});
    const auto a = judge_of.find(one);
    const auto b = judge_of.find(other);
    if (a == judge_of.end() || b == judge_of.end()) continue;
    ++had_of_pair[std::min(a->second, b->second) * n + std::max(a->second, b->second)];
  }
  std::vector<JudgePair> left;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto seen = had_of_pair.find(pairs[p].first * n + pairs[p].second);
    if (seen == had_of_pair.end() || seen->second < common[p]) left.push_back(pairs[p]);
  }
  if (left.empty()) return std::nullopt;
  const JudgePair pair = current_pairing().choose(left, random);
  std::optional<std::size_t> best;
  double equals = 0;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const RowId one = judgments[pair.first][s];
    const RowId other = judgments[pair.second][s];
    if (one == 0 || other == 0 || had.contains({std::min(one, other), std::max(one, other)}))
      continue;
    if (best && shown[s] > shown[*best]) continue;
    equals = best && shown[s] == shown[*best] ? equals + 1 : 1;
    if (random.uniform() * equals < 1) best = s;
  }
  ensure(best.has_value(), "a pair without a sample that is left");
  return std::pair{pair, *best};
}

Shown Voting::State::show(const Offer& offer) const {
  Shown result{.token = offer.token,
               .sample = {},
               .a = store.judgment(offer.judgment_a),
               .b = store.judgment(offer.judgment_b)};
  result.sample = store.sample(result.a.sample);
  return result;
}

// Another program may have added the judge since.
std::string Voting::State::name_of(RowId judgment) const {
  const auto known = judge_of.find(judgment);
  if (known != judge_of.end()) return names[known->second];
  const RowId judge = store.judgment(judgment).judge;
  for (const auto& [id, name] : store.judges())
    if (id == judge) return name;
  return {};
}

Voting::Voting(Store& store) : state_(std::make_unique<State>(store)) {
  state_->read_pool();
  state_->read_votes();
}
Voting::~Voting() = default;
Voting::Voting(Voting&&) noexcept = default;

std::optional<Shown> Voting::next(std::string_view voter, std::string_view session) {
  State& state = *state_;
  const auto open = state.store.open_offer(voter);
  if (open && now_ms() - open->offer.time_ms < kTokenLifeMs) return state.show(open->offer);
  const auto chosen = state.choose(voter);
  if (!chosen) return std::nullopt;
  const auto& [pair, sample] = *chosen;
  RowId first = state.judgments[pair.first][sample];
  RowId second = state.judgments[pair.second][sample];
  if (state.random.uniform() < 0.5) std::swap(first, second);
  const Offer offer{.token = random_hex(kTokenBytes),
                    .judgment_a = first,
                    .judgment_b = second,
                    .voter = std::string(voter),
                    .session = std::string(session),
                    .time_ms = now_ms()};
  state.store.add_offer(offer);
  ++state.shown[sample];
  return state.show(offer);
}

Told Voting::vote(std::string_view token, std::string_view voter, Outcome outcome,
                  std::string_view source) {
  State& state = *state_;
  const auto open = state.store.find_offer(token);
  if (!open || open->offer.voter != voter)
    throw Error("this pair was not offered to you", "", "ask for the next one");
  if (open->voted) throw Error("this pair has a vote already", "", "vote for the next one");
  // A clock that went back makes no negative time, and an offer of the future no eternal one.
  const std::int64_t now = now_ms();
  const std::int64_t taken = std::max<std::int64_t>(0, now - open->offer.time_ms);
  if (taken > kTokenLifeMs)
    throw Error("this pair was offered more than a day ago", "", "ask for the next one");
  state.store.vote(*open, outcome, source, now, taken);
  const auto a = state.judge_of.find(open->offer.judgment_a);
  const auto b = state.judge_of.find(open->offer.judgment_b);
  if (a != state.judge_of.end() && b != state.judge_of.end())
    state.count(a->second, b->second, outcome);
  ++state.votes;
  return {.judge_a = state.name_of(open->offer.judgment_a),
          .judge_b = state.name_of(open->offer.judgment_b)};
}

std::size_t Voting::votes_here() const { return state_->votes; }

}  // namespace selene::arena
