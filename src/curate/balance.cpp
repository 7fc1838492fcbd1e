// Steps that wait for all rows to see how many there are of a kind: balance of labels, quotas of
// topics, a sample. Which rows stay is drawn by the seed and the row's id.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "curate/chance_file.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "curate/warnings.h"

namespace selene::curate {
namespace {

// A folder for the numbers of one step.
std::filesystem::path fresh_folder(const Resources& resources, const char* step) {
  const std::filesystem::path folder = resources.scratch / step;
  std::filesystem::remove_all(folder);
  return folder;
}

struct BalanceOptions {
  double per_label = 1;     // Rows of a label at most, as a multiple of the rarest's.
  bool swap_sides = false;  // Pairwise: A and B change places until there are as many of each.
  double refuse = 0;        // A label more than this multiple of the rarest ends the run; 0: none.
  double least = 0;         // Rows of a label that stay in any case.
};

void read_multiple(double& value, const data::Entry& entry, double least) {
  value = entry.as<double>();
  if (!(value >= least && value <= 1e9))
    throw Error(fmt::format("'{}' must be at least {:g}", entry.key, least), entry.place);
}

constexpr data::Key<BalanceOptions> kBalanceKeys[] = {
    {"per_label",
     [](BalanceOptions& o, const data::Entry& entry) { read_multiple(o.per_label, entry, 1); }},
    {"swap_sides",
     [](BalanceOptions& o, const data::Entry& entry) { o.swap_sides = entry.as<bool>(); }},
    {"refuse",
     [](BalanceOptions& o, const data::Entry& entry) { read_multiple(o.refuse, entry, 1); }},
    {"least",
     [](BalanceOptions& o, const data::Entry& entry) { read_multiple(o.least, entry, 0); }},
};

class Balance : public Step {
 public:
  Balance(BalanceOptions options, std::uint64_t seed, std::string place)
      : options_(options), seed_(seed), place_(std::move(place)) {}

  bool waits() const override { return true; }

  void begin(Resources& resources) override {
    folder_ = fresh_folder(resources, "balance");
    groups_.clear();
  }

  std::optional<Drop> in_order(const Row& row, const Notes&) override {
    std::map<std::string, Label>& group = groups_[group_of(row)];
    const auto found = group.try_emplace(
        row.label(), Label{.file = ChanceFile(folder_ / std::to_string(files_++))});
    found.first->second.file.add(chance(seed_, "balance", row.id));
    return std::nullopt;
  }

  void decide() override {
    for (auto& [name, labels] : groups_) decide(name, labels);
  }

  std::optional<Drop> settle(size_t, Row& row) const override {
    const Label& label = groups_.at(group_of(row)).at(row.label());
    const std::uint64_t order = chance(seed_, "balance", row.id);
    if (order > label.keep)
      return Drop{
          "more of its label than the others",
          fmt::format("label {}: {} of {} stay", row.label(), label.kept, label.file.count())};
    if (order <= label.swap) {
      swap_sides(row);
      row.history.push_back({"balance", "sides changed places"});
    }
    return std::nullopt;
  }

  nlohmann::ordered_json facts() const override {
    nlohmann::ordered_json facts = nlohmann::ordered_json::object();
    for (const auto& [name, labels] : groups_) {
      if (labels.size() == 1) facts["of one label alone"].push_back(name);
    }
    return facts;
  }

 private:
  struct Label {
    ChanceFile file;
    std::uint64_t keep = 0;  // Up to this number rows stay,
    std::uint64_t swap = 0;  // and up to this their sides change places.
    std::uint64_t kept = 0;
  };

  static std::string group_of(const Row& row) {
    return fmt::format("{} ({})", row.source, data::task_name(row.sample.task));
  }

  void decide(const std::string& name, std::map<std::string, Label>& labels) {
    std::uint64_t rarest = UINT64_MAX, most = 0;
    for (const auto& [label, one] : labels) {
      rarest = std::min(rarest, one.file.count());
      most = std::max(most, one.file.count());
    }
    if (options_.refuse > 0 &&
        static_cast<double>(most) > options_.refuse * static_cast<double>(rarest)) {
      throw Error(
          fmt::format("the labels of {} are too far from balance: {} rows of one, {} of another",
                      name, most, rarest),
          place_, "loosen 'refuse', or let 'per_label' balance them");
    }
    if (options_.swap_sides && labels.contains("A") && labels.contains("B") &&
        name.ends_with("(pairwise)")) {
      balance_sides(labels);
      return;
    }
    if (labels.size() == 1) rarest = most;  // There is nothing to balance it with.
    const auto limit = static_cast<std::uint64_t>(
        std::max(options_.per_label * static_cast<double>(rarest), options_.least));
    for (auto& [label, one] : labels) keep(one, limit);
  }

  void balance_sides(std::map<std::string, Label>& labels) {
    Label& a = labels.at("A");
    Label& b = labels.at("B");
    const std::uint64_t both = a.file.count() + b.file.count();
    for (auto& [label, one] : labels) {
      const bool is_side = &one == &a || &one == &b;
      keep(one, is_side ? both
                        : static_cast<std::uint64_t>(std::max(
                              options_.per_label * static_cast<double>(both) / 2, options_.least)));
    }
    Label& larger = a.file.count() > b.file.count() ? a : b;
    const Label& smaller = &larger == &a ? b : a;
    larger.swap = larger.file.threshold((larger.file.count() - smaller.file.count()) / 2);
  }

  static void keep(Label& label, std::uint64_t limit) {
    label.kept = std::min(limit, label.file.count());
    label.keep = label.file.threshold(label.kept);
  }

  BalanceOptions options_;
  std::uint64_t seed_;
  std::string place_;
  std::filesystem::path folder_;
  std::map<std::string, std::map<std::string, Label>> groups_;
  size_t files_ = 0;
};

struct QuotaOptions {
  std::string column = "topic";
  double most = 0;
};

constexpr data::Key<QuotaOptions> kQuotaKeys[] = {
    {"column", [](QuotaOptions& o, const data::Entry& entry) { o.column = entry.text(); }},
    {"most", [](QuotaOptions& o, const data::Entry& entry) { o.most = entry.as<double>(); }},
};

// Of a source's rows at most a share has one topic. A row without a topic has none in common with
// others.
class Quota : public Step {
 public:
  Quota(QuotaOptions options, std::uint64_t seed) : options_(std::move(options)), seed_(seed) {}

  bool waits() const override { return true; }

  void begin(Resources& resources) override {
    folder_ = fresh_folder(resources, "quota");
    warnings_.begin(resources, "quota");
    sources_.clear();
  }

  std::optional<Drop> in_order(const Row& row, const Notes&) override {
    Source& source = sources_[row.source];
    const std::string topic = topic_of(row);
    if (topic.empty()) {
      ++source.without;
      return std::nullopt;
    }
    const auto found = source.topics.try_emplace(
        topic, Topic{.file = ChanceFile(folder_ / std::to_string(files_++))});
    found.first->second.file.add(chance(seed_, "quota", row.id));
    return std::nullopt;
  }

  void decide() override {
    for (auto& [name, source] : sources_) {
      const std::uint64_t limit = most_of(source);
      for (auto& [topic, one] : source.topics) {
        one.kept = std::min(limit, one.file.count());
        one.keep = one.file.threshold(one.kept);
      }
      warn(name, source);
    }
  }

  nlohmann::ordered_json facts() const override {
    nlohmann::ordered_json facts = nlohmann::ordered_json::object();
    warnings_.tell(facts);
    return facts;
  }

  std::optional<Drop> settle(size_t, Row& row) const override {
    const std::string topic = topic_of(row);
    if (topic.empty()) return std::nullopt;
    const Topic& one = sources_.at(row.source).topics.at(topic);
    if (chance(seed_, "quota", row.id) <= one.keep) return std::nullopt;
    return Drop{"more of its topic than the quota",
                fmt::format("{}: {} of {} stay", topic, one.kept, one.file.count())};
  }

 private:
  struct Topic {
    ChanceFile file;
    std::uint64_t keep = 0;
    std::uint64_t kept = 0;
  };
  struct Source {
    std::map<std::string, Topic> topics;
    std::uint64_t without = 0;
  };

  std::string topic_of(const Row& row) const {
    if (options_.column == "topic") return row.topic;
    const auto found = row.sample.extra.find(options_.column);
    if (found == row.sample.extra.end() || found->is_null()) return "";
    return found->is_string() ? found->get<std::string>() : found->dump();
  }

  // Where the quota cannot be met, or costs a source three quarters of its rows.
  void warn(const std::string& name, const Source& source) {
    std::uint64_t all = source.without, kept = source.without, largest = 0;
    std::string_view topic;
    for (const auto& [of, one] : source.topics) {
      all += one.file.count();
      kept += one.kept;
      if (one.file.count() > largest) topic = of;
      largest = std::max(largest, one.file.count());
    }
    // Rows without a topic count as those of many.
    const double least = source.without > 0 ? 0 : 1 / static_cast<double>(source.topics.size());
    if (4 * kept >= all && least <= options_.most) return;
    warnings_.add(fmt::format(
        "the source '{}' keeps {} of {} rows, for {:g}% of what stays may be of one topic and {} "
        "of "
        "them are of '{}'{}",
        name, kept, all, 100 * options_.most, largest, cut_to_columns(topic, 60),
        least > options_.most
            ? fmt::format("; it has {} topic{}, so that less than {:.3g}% cannot be had",
                          source.topics.size(), source.topics.size() == 1 ? "" : "s", 100 * least)
            : ""));
  }

  // The greatest cap by which no topic has more than its share of what stays.
  std::uint64_t most_of(const Source& source) const {
    std::uint64_t cap = UINT64_MAX;
    for (;;) {
      std::uint64_t stay = source.without, largest = 0;
      for (const auto& [topic, one] : source.topics) {
        const std::uint64_t kept = std::min(cap, one.file.count());
        stay += kept;
        largest = std::max(largest, kept);
      }
      const auto allowed = std::max<std::uint64_t>(
          1, static_cast<std::uint64_t>(options_.most * static_cast<double>(stay)));
      if (largest <= allowed) return cap;
      cap = std::min(largest - 1, allowed);
    }
  }

  QuotaOptions options_;
  Warnings warnings_;
  std::uint64_t seed_;
  std::filesystem::path folder_;
  std::map<std::string, Source> sources_;
  size_t files_ = 0;
};

struct SampleOptions {
  std::uint64_t rows = 0;
};

constexpr data::Key<SampleOptions> kSampleKeys[] = {
    {"rows",
     [](SampleOptions& o, const data::Entry& entry) { o.rows = entry.as<std::uint64_t>(); }},
};

// So many rows of each source, by chance: for steps that cost much.
class Sample : public Step {
 public:
  Sample(SampleOptions options, std::uint64_t seed) : options_(options), seed_(seed) {}

  bool waits() const override { return true; }

  void begin(Resources& resources) override {
    folder_ = fresh_folder(resources, "sample");
    sources_.clear();
  }

  std::optional<Drop> in_order(const Row& row, const Notes&) override {
    const auto found = sources_.try_emplace(
        row.source, Source{.file = ChanceFile(folder_ / std::to_string(sources_.size()))});
    found.first->second.file.add(chance(seed_, "sample", row.id));
    return std::nullopt;
  }

  void decide() override {
    for (auto& [name, source] : sources_) source.keep = source.file.threshold(options_.rows);
  }

  std::optional<Drop> settle(size_t, Row& row) const override {
    if (chance(seed_, "sample", row.id) <= sources_.at(row.source).keep) return std::nullopt;
    return Drop{"not in the sample", ""};
  }

 private:
  struct Source {
    ChanceFile file;
    std::uint64_t keep = 0;
  };

  SampleOptions options_;
  std::uint64_t seed_;
  std::filesystem::path folder_;
  std::map<std::string, Source> sources_;
};

}  // namespace

StepPointer make_balance(const data::Entry& entry, std::uint64_t seed) {
  BalanceOptions options = read_options<BalanceOptions>(entry, kBalanceKeys);
  return std::make_unique<Balance>(options, seed, entry.place);
}

StepPointer make_quota(const data::Entry& entry, std::uint64_t seed) {
  QuotaOptions options = read_options<QuotaOptions>(entry, kQuotaKeys);
  if (!(options.most > 0 && options.most <= 1))
    throw Error("'quota' needs 'most', a share above 0 and at most 1", entry.place);
  return std::make_unique<Quota>(std::move(options), seed);
}

StepPointer make_sample(const data::Entry& entry, std::uint64_t seed) {
  SampleOptions options = read_options<SampleOptions>(entry, kSampleKeys);
  if (options.rows == 0) throw Error("'sample' needs 'rows', of each source, above 0", entry.place);
  return std::make_unique<Sample>(options, seed);
}

}  // namespace selene::curate
