#include "train/packing.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.h"

namespace selene::train {
namespace {

// A forest of token sequences that grows by one sequence at a time.
class Forest {
 public:
  struct Node {
    std::vector<Token> tokens;
    std::vector<std::int32_t> children;  // In the order they came.
  };

  // The nodes a sequence passes through; a node is split where another sequence left it.
  void insert(std::span<const Token> sequence) {
    std::vector<std::int32_t>* level = &roots_;
    while (!sequence.empty()) {
      const auto next = std::find_if(level->begin(), level->end(), [&](std::int32_t node) {
        return nodes_[index(node)].tokens.front() == sequence.front();
      });
      if (next == level->end()) {
        level->push_back(static_cast<std::int32_t>(nodes_.size()));
        nodes_.push_back({{sequence.begin(), sequence.end()}, {}});
        return;
      }
      const std::int32_t at = *next;
      const std::vector<Token>& tokens = nodes_[index(at)].tokens;
      const auto shared = static_cast<std::size_t>(
          std::mismatch(tokens.begin(), tokens.end(), sequence.begin(), sequence.end()).first -
          tokens.begin());
      if (shared < tokens.size() && shared < sequence.size()) split(at, shared);
      sequence = sequence.subspan(std::min(shared, sequence.size()));
      level = &nodes_[index(at)].children;
    }
  }

  // Parents before children, each node's children in the order they came.
  void lay_out(Row& row) const {
    for (const std::int32_t root : roots_) lay_out(root, -1, 0, row);
  }

 private:
  static std::size_t index(std::int32_t node) { return static_cast<std::size_t>(node); }

  void split(std::int32_t node, std::size_t at) {
    const auto rest = static_cast<std::int32_t>(nodes_.size());
    nodes_.emplace_back();
    Node& upper = nodes_[index(node)];
    Node& lower = nodes_.back();
    const auto middle = upper.tokens.begin() + static_cast<std::ptrdiff_t>(at);
    lower.tokens.assign(middle, upper.tokens.end());
    lower.children = std::move(upper.children);
    upper.tokens.erase(middle, upper.tokens.end());
    upper.children = {rest};
  }

  void lay_out(std::int32_t node, std::int32_t parent, std::int32_t position, Row& row) const {
    const Node& at = nodes_[index(node)];
    const auto segment = static_cast<std::int32_t>(row.segments.size());
    const auto begin = static_cast<std::int32_t>(row.tokens.size());
    const auto length = static_cast<std::int32_t>(at.tokens.size());
    row.tokens.insert(row.tokens.end(), at.tokens.begin(), at.tokens.end());
    row.segments.push_back({begin, begin + length, parent, position});
    for (const std::int32_t child : at.children) lay_out(child, segment, position + length, row);
  }

  std::vector<Node> nodes_;
  std::vector<std::int32_t> roots_;
};

std::vector<Token> inputs_of(std::span<const Token> prompt, std::span<const Token> answer) {
  std::vector<Token> tokens(prompt.begin(), prompt.end());
  tokens.insert(tokens.end(), answer.begin(), answer.end() - 1);
  return tokens;
}

// Where a sequence stands in a laid out row: the row's index of each of its tokens.
std::vector<std::int32_t> places_of(std::span<const Token> sequence, const Row& row) {
  std::vector<std::int32_t> places;
  places.reserve(sequence.size());
  std::int32_t parent = -1;
  while (places.size() < sequence.size()) {
    const std::size_t done = places.size();
    bool found = false;
    for (std::size_t s = static_cast<std::size_t>(parent + 1); s < row.segments.size(); ++s) {
      const Segment& segment = row.segments[s];
      if (segment.parent != parent ||
          row.tokens[static_cast<std::size_t>(segment.begin)] != sequence[done])
        continue;
      const auto length =
          std::min(static_cast<std::size_t>(segment.end - segment.begin), sequence.size() - done);
      for (std::size_t i = 0; i < length; ++i)
        places.push_back(segment.begin + static_cast<std::int32_t>(i));
      parent = static_cast<std::int32_t>(s);
      found = true;
      break;
    }
    ensure(found, "a packed sequence is not in its row");
  }
  return places;
}

// The row's targets while they are collected.
class Targets {
 public:
  std::int32_t add(std::int32_t from, Token token) {
    const auto [entry, added] =
        known_.try_emplace({from, token}, static_cast<std::int32_t>(targets_.size()));
    if (added) targets_.push_back({from, token});
    return entry->second;
  }

  // Into the row, by `from`; the branches' numbers follow.
  void finish(Row& row) const {
    std::vector<std::int32_t> order(targets_.size());
    std::iota(order.begin(), order.end(), 0);
    const auto at = [&](std::int32_t i) { return targets_[static_cast<std::size_t>(i)]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return at(a).from < at(b).from; });
    std::vector<std::int32_t> rank(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      rank[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
      row.targets.push_back(at(order[i]));
    }
    for (PackedPair& pair : row.pairs) {
      for (std::int32_t& target : pair.chosen.targets)
        target = rank[static_cast<std::size_t>(target)];
      for (std::int32_t& target : pair.rejected.targets)
        target = rank[static_cast<std::size_t>(target)];
    }
  }

 private:
  std::map<std::pair<std::int32_t, Token>, std::int32_t> known_;
  std::vector<Target> targets_;
};

Branch branch_of(std::span<const Token> prompt, std::span<const Token> answer, std::size_t verdict,
                 const Row& row, Targets& targets) {
  const std::vector<std::int32_t> places = places_of(inputs_of(prompt, answer), row);
  Branch branch;
  branch.verdict = verdict;
  for (std::size_t i = 0; i < answer.size(); ++i)
    branch.targets.push_back(targets.add(places[prompt.size() - 1 + i], answer[i]));
  return branch;
}

Row row_of(std::span<const TokenPair> pairs, std::span<const std::size_t> members) {
  Forest forest;
  for (const std::size_t member : members) {
    const TokenPair& pair = pairs[member];
    ensure(!pair.prompt.empty() && !pair.chosen.empty() && !pair.rejected.empty(),
           "a pair to be packed has an empty side");
    forest.insert(inputs_of(pair.prompt, pair.chosen));
    forest.insert(inputs_of(pair.prompt, pair.rejected));
  }
  Row row;
  forest.lay_out(row);
  Targets targets;
  for (const std::size_t member : members) {
    const TokenPair& pair = pairs[member];
    row.pairs.push_back(
        {member, branch_of(pair.prompt, pair.chosen, pair.chosen_verdict, row, targets),
         branch_of(pair.prompt, pair.rejected, pair.rejected_verdict, row, targets)});
  }
  targets.finish(row);
  return row;
}

std::size_t tokens_of(const TokenPair& pair) {
  return pair.prompt.size() + pair.chosen.size() + pair.rejected.size() - 2;
}

}  // namespace

std::vector<Row> pack(std::span<const TokenPair> pairs, std::size_t most_tokens) {
  // Pairs of one prompt side by side, at the place of the first of them.
  std::map<std::span<const Token>, std::size_t, decltype([](const auto& a, const auto& b) {
             return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
           })>
      prompts;
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [entry, added] = prompts.try_emplace(pairs[i].prompt, groups.size());
    if (added) groups.emplace_back();
    groups[entry->second].push_back(i);
  }
  // A row takes whole groups as long as they fit; a group that fits no row is cut between pairs.
  std::vector<std::vector<std::size_t>> rows;
  std::vector<std::size_t> filled;
  for (const std::vector<std::size_t>& group : groups) {
    const std::size_t prompt = pairs[group.front()].prompt.size();
    const auto answers = [&](std::size_t member) { return tokens_of(pairs[member]) - prompt; };
    std::size_t whole = prompt;
    for (const std::size_t member : group) whole += answers(member);
    const auto open = std::find_if(filled.begin(), filled.end(), [&](std::size_t tokens) {
      return tokens + whole <= most_tokens;
    });
    if (open != filled.end()) {
      *open += whole;
      auto& row = rows[static_cast<std::size_t>(open - filled.begin())];
      row.insert(row.end(), group.begin(), group.end());
      continue;
    }
    bool begun = false;
    for (const std::size_t member : group) {
      if (!begun || filled.back() + answers(member) > most_tokens) {
        rows.emplace_back();
        filled.push_back(prompt);
        begun = true;
      }
      rows.back().push_back(member);
      filled.back() += answers(member);
    }
  }
  std::vector<Row> packed;
  packed.reserve(rows.size());
  for (const std::vector<std::size_t>& members : rows) packed.push_back(row_of(pairs, members));
  return packed;
}

std::size_t plain_tokens(std::span<const TokenPair> pairs) {
  std::size_t tokens = 0;
  for (const TokenPair& pair : pairs)
    tokens += 2 * pair.prompt.size() + pair.chosen.size() + pair.rejected.size();
  return tokens;
}

std::vector<std::vector<Range>> seen_before(std::span<const Segment> segments) {
  std::vector<std::vector<Range>> seen(segments.size());
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const std::int32_t parent = segments[s].parent;
    if (parent < 0) continue;
    const auto up = static_cast<std::size_t>(parent);
    seen[s] = seen[up];
    if (!seen[s].empty() && seen[s].back().end == segments[up].begin)
      seen[s].back().end = segments[up].end;
    else
      seen[s].push_back({segments[up].begin, segments[up].end});
  }
  return seen;
}

}  // namespace selene::train
