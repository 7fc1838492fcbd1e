#include "arena/audit.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stats/proportion.h"

namespace selene::arena {
namespace {

using report::Align;
using report::Cell;
using report::Style;

struct Sides {
  std::int64_t first = 0;  // For the judge whose name is smaller.
  std::int64_t second = 0;
};
using JudgePair = std::pair<std::string, std::string>;

struct Habit {
  std::size_t votes = 0, ties = 0;
  std::int64_t first = 0, second = 0;
  std::vector<std::int64_t> taken;
  std::map<JudgePair, Sides> pairs;
};

bool counts(const Vote& vote) { return vote.removed.empty() && vote.source != "panel"; }

void take(const Vote& vote, Habit& habit, std::map<JudgePair, Sides>& all) {
  ++habit.votes;
  habit.ties += vote.outcome >= Outcome::Tie;
  if (vote.taken_ms) habit.taken.push_back(*vote.taken_ms);
  if (vote.outcome >= Outcome::Tie) return;
  const bool for_first = vote.outcome == Outcome::A;
  (for_first ? habit.first : habit.second) += 1;
  if (vote.judge_a == vote.judge_b) return;
  const bool in_order = vote.judge_a < vote.judge_b;
  const JudgePair pair =
      in_order ? JudgePair{vote.judge_a, vote.judge_b} : JudgePair{vote.judge_b, vote.judge_a};
  const bool for_smaller = for_first == in_order;
  for (Sides* sides : {&habit.pairs[pair], &all[pair]})
    (for_smaller ? sides->first : sides->second) += 1;
}

std::optional<double> median_seconds(std::vector<std::int64_t> taken) {
  if (taken.empty()) return std::nullopt;
  std::sort(taken.begin(), taken.end());
  const std::size_t half = taken.size() / 2;
  const double middle = taken.size() % 2 == 1
                            ? static_cast<double>(taken[half])
                            : static_cast<double>(taken[half - 1] + taken[half]) / 2;
  return middle / 1000;
}

// With what most of the others chose between the same judges.
void compare_with_others(const Habit& habit, const std::map<JudgePair, Sides>& all,
                         VoterAudit& voter) {
  std::int64_t agreed = 0;
  std::int64_t compared = 0;
  for (const auto& [pair, own] : habit.pairs) {
    const Sides& whole = all.at(pair);
    const std::int64_t first = whole.first - own.first;
    const std::int64_t second = whole.second - own.second;
    if (first == second) continue;
    compared += own.first + own.second;
    agreed += first > second ? own.first : own.second;
  }
  voter.compared = static_cast<std::size_t>(compared);
  if (compared > 0) voter.agreement = static_cast<double>(agreed) / static_cast<double>(compared);
}

void apply(const AuditRules& rules, VoterAudit& voter) {
  if (voter.votes < rules.least_votes) return;
  if (voter.chose > 0) {
    const double share = std::max(voter.first, 1 - voter.first);
    const auto chose = static_cast<std::int64_t>(voter.chose);
    if (stats::proportion_of_share(share, chose).interval.low > rules.most_first)
      voter.reasons.push_back(fmt::format("{:.0f}% for the {} one", 100 * share,
                                          voter.first > 0.5 ? "first" : "second"));
  }
  if (voter.compared > 0) {
    const auto compared = static_cast<std::int64_t>(voter.compared);
    if (stats::proportion_of_share(voter.agreement, compared).interval.high < rules.least_agreement)
      voter.reasons.push_back(fmt::format("{:.0f}% as others chose", 100 * voter.agreement));
  }
  if (voter.median_s && *voter.median_s < rules.least_seconds)
    voter.reasons.push_back(fmt::format("{:.1f} s a vote", *voter.median_s));
}

}  // namespace

Audit audit_votes(Store& store, const AuditRules& rules) {
  Audit audit;
  std::unordered_map<std::string, Habit> habits;
  std::map<JudgePair, Sides> all;
  Habit everybody;
  std::int64_t last_ms = 0;
  store.each_vote([&](const Vote& vote) {
    if (!counts(vote)) return;
    ++audit.votes;
    audit.clock_back += vote.time_ms > 0 && vote.time_ms < last_ms;
    last_ms = std::max(last_ms, vote.time_ms);
    audit.unknown_voter += vote.voter.empty();
    everybody.first += vote.outcome == Outcome::A;
    everybody.second += vote.outcome == Outcome::B;
    Habit nobody;
    take(vote, vote.voter.empty() ? nobody : habits[vote.voter], all);
  });
  const std::int64_t chose = everybody.first + everybody.second;
  if (chose > 0) audit.first = static_cast<double>(everybody.first) / static_cast<double>(chose);
  for (auto& [name, habit] : habits) {
    VoterAudit voter{.voter = name, .votes = habit.votes};
    voter.chose = static_cast<std::size_t>(habit.first + habit.second);
    if (voter.chose > 0)
      voter.first = static_cast<double>(habit.first) / static_cast<double>(voter.chose);
    voter.ties = static_cast<double>(habit.ties) / static_cast<double>(habit.votes);
    voter.median_s = median_seconds(std::move(habit.taken));
    compare_with_others(habit, all, voter);
    apply(rules, voter);
    audit.voters.push_back(std::move(voter));
  }
  std::sort(audit.voters.begin(), audit.voters.end(), [](const auto& x, const auto& y) {
    return x.votes != y.votes ? x.votes > y.votes : x.voter < y.voter;
  });
  return audit;
}

std::vector<Removal> removals(Store& store, const Audit& audit) {
  std::vector<Removal> result;
  std::unordered_map<std::string, std::size_t> place;
  for (const VoterAudit& voter : audit.voters) {
    if (voter.reasons.empty()) continue;
    place[voter.voter] = result.size();
    result.push_back(
        {.reason = fmt::format("audit: {}", fmt::join(voter.reasons, ", ")), .ids = {}});
  }
  store.each_vote([&](const Vote& vote) {
    const auto at = place.find(vote.voter);
    if (counts(vote) && at != place.end()) result[at->second].ids.push_back(vote.id);
  });
  return result;
}

std::string audit_text(const Audit& audit, std::size_t rows, report::Terminal terminal) {
  const report::Table table({{.title = "voter", .width = 10},
                             {.title = "votes", .width = 7, .align = Align::Right},
                             {.title = "first", .width = 6, .align = Align::Right},
                             {.title = "ties", .width = 6, .align = Align::Right},
                             {.title = "median s", .width = 8, .align = Align::Right},
                             {.title = "as others", .width = 9, .align = Align::Right},
                             {.title = "left out for", .width = 12, .flexible = true}},
                            terminal);
  const auto percent = [](double share, bool any) {
    return any ? fmt::format("{:.0f}%", 100 * share) : std::string("-");
  };
  std::string text = fmt::format("{} votes of {} voters; {} for the first of those that chose\n\n",
                                 audit.votes, audit.voters.size(), percent(audit.first, true));
  text += table.header();
  std::size_t shown = 0;
  std::size_t broke = 0;
  for (const VoterAudit& voter : audit.voters) {
    broke += !voter.reasons.empty();
    if (shown >= rows && voter.reasons.empty()) continue;  // Who broke a rule is always shown.
    ++shown;
    const Cell cells[] = {{voter.voter.substr(0, 10)},
                          {fmt::format("{}", voter.votes)},
                          {percent(voter.first, voter.chose > 0)},
                          {percent(voter.ties, true)},
                          {voter.median_s ? fmt::format("{:.1f}", *voter.median_s) : "-"},
                          {percent(voter.agreement, voter.compared > 0)},
                          {fmt::format("{}", fmt::join(voter.reasons, ", ")), Style::Yellow}};
    text += table.row(cells);
  }
  text += "\n";
  if (shown < audit.voters.size())
    text += fmt::format("{} more voters, with fewer votes, broke no rule.\n",
                        audit.voters.size() - shown);
  text += fmt::format("{} of {} voters broke a rule.\n", broke, audit.voters.size());
  if (audit.unknown_voter > 0)
    text += fmt::format("{} votes do not say whose they are.\n", audit.unknown_voter);
  if (audit.clock_back > 0)
    text += fmt::format(
        "{} votes have a time before that of an earlier one: a clock went back. Votes count in the "
        "order they came, so it changes nothing.\n",
        audit.clock_back);
  return text;
}

nlohmann::ordered_json to_json(const Audit& audit) {
  nlohmann::ordered_json json = {{"votes", audit.votes},
                                 {"unknown_voter", audit.unknown_voter},
                                 {"first_share", audit.first},
                                 {"clock_back", audit.clock_back},
                                 {"voters", nlohmann::ordered_json::array()}};
  for (const VoterAudit& voter : audit.voters) {
    nlohmann::ordered_json row = {{"voter", voter.voter}, {"votes", voter.votes}};
    if (voter.chose > 0) row["first_share"] = voter.first;
    row["tie_share"] = voter.ties;
    if (voter.median_s) row["median_s"] = *voter.median_s;
    if (voter.compared > 0) row["agreement"] = voter.agreement;
    row["reasons"] = voter.reasons;
    json["voters"].push_back(std::move(row));
  }
  return json;
}

std::string comparison_text(const BoardReport& before, const BoardReport& after,
                            report::Terminal terminal) {
  const report::Table table({{.title = "judge", .width = 12, .flexible = true},
                             {.title = "before", .width = 7, .align = Align::Right},
                             {.title = "rank", .width = 7, .align = Align::Right},
                             {.title = "after", .width = 7, .align = Align::Right},
                             {.title = "rank", .width = 7, .align = Align::Right},
                             {.title = "change", .width = 7, .align = Align::Right}},
                            terminal);
  std::string text = table.header();
  const auto rating = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.0f}", *value) : std::string("-");
  };
  for (std::size_t i = 0; i < after.judges.size(); ++i) {
    const auto at = std::find(before.judges.begin(), before.judges.end(), after.judges[i]);
    if (at == before.judges.end()) continue;
    const JudgeRating& old =
        before.ratings.judges[static_cast<std::size_t>(at - before.judges.begin())];
    const JudgeRating& now = after.ratings.judges[i];
    const Cell cells[] = {
        {after.judges[i], Style::Bold},
        {rating(old.rating)},
        {rank_text(old)},
        {rating(now.rating)},
        {rank_text(now)},
        {old.rating && now.rating ? fmt::format("{:+.0f}", *now.rating - *old.rating) : "-"}};
    text += table.row(cells);
  }
  return text;
}

}  // namespace selene::arena
