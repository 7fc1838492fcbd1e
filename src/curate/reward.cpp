// The step `reward`: scores the two answers of each pair (reward_scorer.h) and drops pairs whose
// scores say that they teach little.
#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "curate/head_scorer.h"
#include "curate/histogram.h"
#include "curate/reward_scorer.h"
#include "curate/step_options.h"
#include "curate/steps.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;
using data::Entry;

// Scores of reward models have a scale of their own.
constexpr double kFarthest = 1e6;

struct Options {
  std::string scorer = "judge";  // "judge": the run's; else a --judge value or a reward model.
  bool head = false;             // The scorer is a reward model with a classification head.
  std::optional<double> least_chosen;
  std::optional<double> most_rejected;
  std::optional<double> least_margin;  // Chosen minus rejected.

  bool has_thresholds() const { return least_chosen || most_rejected || least_margin; }
};

template <std::optional<double> Options::*Threshold>
void read_threshold(Options& options, const Entry& entry) {
  options.*Threshold = number_between(entry, -kFarthest, kFarthest);
}

constexpr data::Key<Options> kKeys[] = {
    {"scorer", [](Options& o, const Entry& entry) { o.scorer = entry.text(); }},
    {"head", [](Options& o, const Entry& entry) { o.head = entry.as<bool>(); }},
    {"least_chosen", read_threshold<&Options::least_chosen>},
    {"most_rejected", read_threshold<&Options::most_rejected>},
    {"least_margin", read_threshold<&Options::least_margin>}};

Options read(const Entry& entry) {
  Options options = read_options<Options>(entry, kKeys);
  if (options.head && (options.scorer == "judge" || options.scorer.empty()))
    throw Error("'head: true' needs a reward model", entry.place, "give 'scorer: FILE.gguf'");
  return options;
}

// The scores of the two answers, over many pairs.
struct Scores {
  ScoreCounts chosen, rejected;

  void add(const Pair& pair) {
    if (pair.chosen_score) chosen.add(*pair.chosen_score);
    if (pair.rejected_score) rejected.add(*pair.rejected_score);
  }
  Json in_bins(std::span<const double> edges) const {
    return {{"chosen", chosen.in_bins(edges)}, {"rejected", rejected.in_bins(edges)}};
  }
};

class Reward : public Step {
 public:
  explicit Reward(Options options) : options_(std::move(options)) {}

  void begin(Resources& resources) override {
    stop_ = resources.stop;
    scorer(resources);
  }
  std::string depends_on(const Resources& resources) const override {
    return scorer(resources).depends_on();
  }
  std::size_t batch() const override { return 256; }

  std::vector<std::optional<Drop>> run(std::span<Row> rows) override {
    for (const Row& row : rows) ensure(row.pair.has_value(), "a row without a pair is scored");
    const std::vector<PairScores> scores = scorer_->score(rows, stop_);
    std::vector<std::optional<Drop>> drops(rows.size());
    if (stop_ && stop_()) return drops;
    for (size_t r = 0; r < rows.size(); ++r) drops[r] = take(*rows[r].pair, scores[r]);
    rows_ += rows.size();
    return drops;
  }

  Json facts() const override {
    Json facts = Json::object();
    if (scorer_) facts["scorer"] = scorer_->name();
    facts["scored"] = rows_ - too_long_ - no_score_;
    facts["too_long"] = too_long_;
    facts["no_score"] = no_score_;
    const bool shares = scorer_ && scorer_->gives_probabilities();
    const auto& [chosen, rejected] = before_;
    const std::vector<double> edges =
        shares ? histogram_edges(0, 1)
               : histogram_edges(std::min(chosen.least(), rejected.least()),
                                 std::max(chosen.most(), rejected.most()));
    facts["bins"] = edges;
    facts["before"] = before_.in_bins(edges);
    facts["after"] = after_.in_bins(edges);
    return facts;
  }

 private:
  RewardScorer& scorer(const Resources& resources) const {
    if (scorer_) return *scorer_;
    if (options_.head) {
      scorer_ = model_scorer(head_scorer(options_.scorer, resources.threads));
    } else {
      scorer_ =
          judge_scorer(resources.open_judge(options_.scorer == "judge" ? "" : options_.scorer));
    }
    return *scorer_;
  }

  std::optional<Drop> take(Pair& pair, const PairScores& scores) {
    pair.chosen_score = scores.chosen;
    pair.rejected_score = scores.rejected;
    before_.add(pair);
    std::optional<Drop> drop = judged(scores);
    if (!drop) after_.add(pair);
    return drop;
  }

  // Without thresholds nothing is dropped, scored or not.
  std::optional<Drop> judged(const PairScores& scores) {
    const bool scored = scores.chosen && scores.rejected;
    if (!scored) ++(scores.too_long ? too_long_ : no_score_);
    if (!options_.has_thresholds()) return std::nullopt;
    if (!scored)
      return Drop{scores.too_long ? "too long for the scorer" : "the scorer gives no score", ""};
    const double margin = *scores.chosen - *scores.rejected;
    if (options_.least_chosen && *scores.chosen < *options_.least_chosen)
      return Drop{"chosen scored too low", fmt::format("{:.3f}", *scores.chosen)};
    if (options_.most_rejected && *scores.rejected > *options_.most_rejected)
      return Drop{"rejected scored too high", fmt::format("{:.3f}", *scores.rejected)};
    if (options_.least_margin && margin < *options_.least_margin)
      return Drop{"margin too small", fmt::format("{:.3f}", margin)};
    return std::nullopt;
  }

  Options options_;
  // Opened by the first of begin() and depends_on().
  mutable std::unique_ptr<RewardScorer> scorer_;
  std::function<bool()> stop_;
  Scores before_, after_;
  std::uint64_t rows_ = 0;
  std::uint64_t too_long_ = 0;
  std::uint64_t no_score_ = 0;
};

}  // namespace

StepPointer make_reward(const Entry& options, std::uint64_t) {
  return std::make_unique<Reward>(read(options));
}

}  // namespace selene::curate
