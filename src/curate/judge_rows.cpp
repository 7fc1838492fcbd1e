// The step `judge`: asks a judge for its verdict on each row, without a critique, for later steps
// to choose by; keeps, where it is told to, the rows that the judge finds hard.
#include <fmt/format.h>

#include "curate/histogram.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "curate/verdicts.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;
using data::Entry;

struct Options {
  std::string judge;                       // A --judge value; empty: the run's judge.
  judge::Order order = judge::Order::One;  // Both: the mean of the two orders of a pair.
  std::optional<double> most_probability;  // Of the true label; nothing: all rows stay.
};

constexpr data::Key<Options> kKeys[] = {
    {"judge", [](Options& o, const Entry& entry) { o.judge = entry.text(); }},
    {"order",
     [](Options& o, const Entry& entry) {
       o.order = data::choice<judge::Order>(
           entry, {{"one", judge::Order::One}, {"both", judge::Order::Both}});
     }},
    {"most_probability",
     [](Options& o, const Entry& entry) { o.most_probability = number_between(entry, 0.0, 1.0); }}};

class JudgeRows : public Step {
 public:
  explicit JudgeRows(Options options) : options_(std::move(options)) {}

  void begin(Resources& resources) override {
    stop_ = resources.stop;
    opened(resources);
  }
  std::string depends_on(const Resources& resources) const override {
    return judge::describe(opened(resources)).dump();
  }
  std::size_t batch() const override { return 512; }

  std::vector<std::optional<Drop>> run(std::span<Row> rows) override {
    std::vector<VerdictQuestion> questions;
    for (const Row& row : rows)
      questions.push_back(verdict_question(*judge_, row.sample, {}, options_.order));
    const std::vector<Verdict> found = verdicts(*judge_, questions, stop_);
    std::vector<std::optional<Drop>> drops(rows.size());
    if (stop_ && stop_()) return drops;
    for (size_t r = 0; r < rows.size(); ++r) drops[r] = take(rows[r], found[r]);
    rows_ += rows.size();
    return drops;
  }

  Json facts() const override {
    Json facts = Json::object();
    if (judge_) facts["judge"] = judge_->name();
    facts["asked"] = rows_;
    facts["agrees"] = agrees_;
    facts["too_long"] = too_long_;
    facts["no_verdict"] = no_verdict_;
    const std::vector<double> edges = histogram_edges(0, 1);
    facts["bins"] = edges;
    facts["probability"] = probabilities_.in_bins(edges);
    return facts;
  }

 private:
  judge::Judge& opened(const Resources& resources) const {
    if (!judge_) judge_.emplace(resources.open_judge(options_.judge));
    return *judge_;
  }

  std::optional<Drop> take(Row& row, const Verdict& verdict) {
    if (verdict.too_long) {
      ++too_long_;
      return Drop{"too long for the judge", ""};
    }
    row.judged = verdict.probabilities;
    if (!verdict.label) ++no_verdict_;
    if (verdict.label == row.label()) ++agrees_;
    const std::optional<double> probability = verdict.probability_of(row.label());
    if (probability) probabilities_.add(*probability);
    if (!options_.most_probability) return std::nullopt;
    if (!probability) return Drop{"the judge gives no probabilities", ""};
    if (*probability <= *options_.most_probability) return std::nullopt;
    return Drop{"the judge finds it easy",
                fmt::format("{:.3f} for the label {}", *probability, row.label())};
  }

  Options options_;
  mutable std::optional<judge::Judge> judge_;  // Opened by the first of begin() and depends_on().
  std::function<bool()> stop_;
  std::uint64_t rows_ = 0;
  std::uint64_t agrees_ = 0;  // Rows whose label is the judge's verdict.
  std::uint64_t too_long_ = 0;
  std::uint64_t no_verdict_ = 0;
  ScoreCounts probabilities_;  // Of the true label.
};

}  // namespace

StepPointer make_judge(const Entry& options, std::uint64_t) {
  return std::make_unique<JudgeRows>(read_options<Options>(options, kKeys));
}

}  // namespace selene::curate
