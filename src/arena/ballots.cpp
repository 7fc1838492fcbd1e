#include "arena/ballots.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::arena {
namespace {

using Graph = std::vector<std::vector<std::uint32_t>>;

// Strongly connected components (R. Tarjan, "Depth-first search and linear graph algorithms", SIAM
// Journal on Computing 1, 1972), without recursion. Gives each node's component.
class Components {
 public:
  explicit Components(const Graph& graph)
      : graph_(graph),
        order_(graph.size(), 0),
        low_(graph.size(), 0),
        next_(graph.size(), 0),
        component_(graph.size(), kNone) {
    for (std::uint32_t node = 0; node < graph.size(); ++node)
      if (order_[node] == 0) visit(node);
  }
  std::size_t count() const { return count_; }
  const std::vector<std::uint32_t>& of() const { return component_; }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void begin(std::uint32_t node) {
    order_[node] = low_[node] = ++time_;
    open_.push_back(node);
    path_.push_back(node);
  }
  void end(std::uint32_t node) {
    path_.pop_back();
    if (!path_.empty()) low_[path_.back()] = std::min(low_[path_.back()], low_[node]);
    if (low_[node] != order_[node]) return;
    std::uint32_t member = kNone;
    do {
      member = open_.back();
      open_.pop_back();
      component_[member] = count_;
    } while (member != node);
    ++count_;
  }
  void visit(std::uint32_t root) {
    begin(root);
    while (!path_.empty()) {
      const std::uint32_t node = path_.back();
      if (next_[node] == graph_[node].size()) {
        end(node);
        continue;
      }
      const std::uint32_t to = graph_[node][next_[node]++];
      if (order_[to] == 0) {
        begin(to);
      } else if (component_[to] == kNone) {
        low_[node] = std::min(low_[node], order_[to]);
      }
    }
  }

  const Graph& graph_;
  std::vector<std::uint32_t> order_, low_, next_, component_, open_, path_;
  std::uint32_t time_ = 0;
  std::uint32_t count_ = 0;
};

// Whom each judge beat or tied with; reversed: whom it lost to or tied with.
Graph graph_of(const PairCounts& counts, bool reversed) {
  Graph graph(counts.judges);
  for (const PairCount& pair : counts.pairs) {
    const bool up = pair.first_wins + pair.ties > 0;
    const bool down = pair.second_wins + pair.ties > 0;
    if (reversed ? down : up) graph[pair.first].push_back(pair.second);
    if (reversed ? up : down) graph[pair.second].push_back(pair.first);
  }
  return graph;
}

std::vector<bool> reached(const Graph& graph, std::uint32_t from) {
  std::vector<bool> seen(graph.size(), false);
  std::vector<std::uint32_t> open{from};
  seen[from] = true;
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    for (const std::uint32_t to : graph[node]) {
      if (!seen[to]) open.push_back(to);
      seen[to] = true;
    }
  }
  return seen;
}

// Those who are in no group: above or below the first one, or where there is none, by their own
// votes.
void place_others(const PairCounts& counts, const Graph& wins, Groups& found) {
  const Graph losses = graph_of(counts, true);
  std::vector<bool> below;
  std::vector<bool> above;
  if (!found.members.empty()) {
    below = reached(wins, found.members.front().front());
    above = reached(losses, found.members.front().front());
  }
  for (std::size_t judge = 0; judge < counts.judges; ++judge) {
    if (found.group[judge] < found.members.size()) continue;
    const bool won = !wins[judge].empty();
    const bool lost = !losses[judge].empty();
    const bool is_above = below.empty() ? won && !lost : above[judge] && !below[judge];
    const bool is_below = below.empty() ? lost && !won : below[judge] && !above[judge];
    found.standing[judge] = !won && !lost ? Standing::NoVotes
                            : is_above    ? Standing::Above
                            : is_below    ? Standing::Below
                                          : Standing::Apart;
  }
}

}  // namespace

PairCounts count_pairs(const Ballots& ballots) {
  const std::size_t n = ballots.judges;
  if (n > Ballots::kMostJudges)
    throw Error(fmt::format("{} judges are more than the {} that can be rated at once", n,
                            Ballots::kMostJudges));
  ensure(ballots.a.size() == ballots.size() && ballots.b.size() == ballots.size(),
         "votes of unequal arrays");
  struct Cell {
    std::uint32_t wins = 0, ties = 0, losses = 0;  // Of the row's judge.
  };
  std::vector<Cell> cells(n * n);  // (judge A, judge B)
  PairCounts counts{.judges = n, .pairs = {}};
  for (std::size_t v = 0; v < ballots.size(); ++v) {
    const std::uint32_t a = ballots.a[v];
    const std::uint32_t b = ballots.b[v];
    if (a >= n || b >= n)
      throw Error(fmt::format("vote {} names judge {} of {}", v + 1, std::max(a, b), n));
    Cell& cell = cells[a * n + b];
    cell.wins += ballots.outcome[v] == Outcome::A;
    cell.losses += ballots.outcome[v] == Outcome::B;
    cell.ties += ballots.outcome[v] >= Outcome::Tie;
  }
  const auto number = [](std::uint32_t votes) { return static_cast<double>(votes); };
  for (std::uint32_t i = 0; i < n; ++i) {
    const Cell& own = cells[i * n + i];
    counts.self += own.wins + own.ties + own.losses;
    for (std::uint32_t j = i + 1; j < n; ++j) {
      const Cell& there = cells[i * n + j];
      const Cell& back = cells[j * n + i];
      const PairCount pair{.first = i,
                           .second = j,
                           .first_wins = number(there.wins + back.losses),
                           .ties = number(there.ties + back.ties),
                           .second_wins = number(there.losses + back.wins)};
      if (pair.total() > 0) counts.pairs.push_back(pair);
    }
  }
  return counts;
}

Groups groups(const PairCounts& counts) {
  const Graph wins = graph_of(counts, false);
  const Components components(wins);
  std::vector<std::vector<std::uint32_t>> members(components.count());
  for (std::uint32_t judge = 0; judge < counts.judges; ++judge)
    members[components.of()[judge]].push_back(judge);
  std::vector<double> votes(components.count(), 0);
  for (const PairCount& pair : counts.pairs) {
    if (components.of()[pair.first] == components.of()[pair.second])
      votes[components.of()[pair.first]] += pair.total();
  }
  std::vector<std::size_t> by_votes(components.count());
  for (std::size_t c = 0; c < by_votes.size(); ++c) by_votes[c] = c;
  std::stable_sort(by_votes.begin(), by_votes.end(), [&](std::size_t x, std::size_t y) {
    return votes[x] != votes[y] ? votes[x] > votes[y] : members[x].front() < members[y].front();
  });

  Groups result;
  result.standing.assign(counts.judges, Standing::Apart);
  for (const std::size_t c : by_votes)
    if (members[c].size() > 1) result.members.push_back(members[c]);
  result.group.assign(counts.judges, result.members.size());
  for (std::size_t g = 0; g < result.members.size(); ++g)
    for (const std::uint32_t judge : result.members[g]) {
      result.group[judge] = g;
      result.standing[judge] = Standing::Rated;
    }
  place_others(counts, wins, result);
  return result;
}

}  // namespace selene::arena
