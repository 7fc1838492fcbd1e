// The steps `mix` and `split`: how much of what, and which pairs are for training, for validation
// and for the test.
#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/random.h"
#include "curate/chance_file.h"
#include "curate/recipe.h"
#include "curate/steps.h"
#include "curate/warnings.h"
#include "data/yaml_map.h"
#include "text/words.h"

namespace selene::curate {
namespace {

// Shares of groups, or numbers, by name.
using Named = std::map<std::string, double>;

Named read_named(const data::Entry& entry, double least, double most) {
  Named named;
  for (const data::Entry& one :
       data::entries_of(entry.value, fmt::format("'{}'", entry.key), entry.file)) {
    const double value = one.as<double>();
    if (!(value >= least && value <= most)) {
      throw Error(
          fmt::format("'{}' of '{}' must be from {:g} to {:g}", one.key, entry.key, least, most),
          one.place);
    }
    named[one.key] = value;
  }
  return named;
}

Named read_shares(const data::Entry& entry, std::initializer_list<std::string_view> known) {
  Named shares = read_named(entry, 0, 1);
  double sum = 0;
  for (const auto& [name, share] : shares) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw data::unknown_yaml_key(name, known, entry.place);
    sum += share;
  }
  if (std::abs(sum - 1) > 1e-6)
    throw Error(fmt::format("the shares of '{}' add up to {:g}, not 1", entry.key, sum),
                entry.place);
  return shares;
}

struct MixOptions {
  Named caps;       // Pairs of a source at most.
  Named weights;    // Shares of sources in `size`, by proportion; sources without one have 1.
  double size = 0;  // Pairs at most; 0: as many as there are.
  Named task;       // Shares of the tasks.
  Named kind;       // Shares of pairs with critiques and of verdicts alone.
  Named topic;      // Shares of topics at most, by name; "*" is for every other.
};

constexpr data::Key<MixOptions> kMixKeys[] = {
    {"caps", [](MixOptions& o, const data::Entry& entry) { o.caps = read_named(entry, 0, 1e12); }},
    {"weights",
     [](MixOptions& o, const data::Entry& entry) { o.weights = read_named(entry, 0, 1e9); }},
    {"size",
     [](MixOptions& o, const data::Entry& entry) {
       o.size = static_cast<double>(entry.as<std::uint64_t>());
     }},
    {"task",
     [](MixOptions& o, const data::Entry& entry) {
       o.task = read_shares(entry, {"absolute", "classification", "pairwise"});
     }},
    {"kind",
     [](MixOptions& o, const data::Entry& entry) {
       o.kind = read_shares(entry, {"critique", "verdict"});
     }},
    {"topic", [](MixOptions& o, const data::Entry& entry) { o.topic = read_named(entry, 0, 1); }},
};

// Pairs are in cells of one source, task, kind and topic. Each rule lowers how many of a cell stay;
// which ones is drawn by chance.
class Mix : public Step {
 public:
  Mix(MixOptions options, std::uint64_t seed, std::string place)
      : options_(std::move(options)), seed_(seed), place_(std::move(place)) {}

  bool waits() const override { return true; }

  void begin(Resources& resources) override {
    for (const Named* named : {&options_.caps, &options_.weights}) {
      for (const auto& [name, value] : *named) check_source(*resources.recipe, name);
    }
    folder_ = resources.scratch / "mix";
    std::filesystem::remove_all(folder_);
    cells_.clear();
    warnings_.begin(resources, "mix");
  }

  std::optional<Drop> in_order(const Row& row, const Notes&) override {
    const auto found = cells_.try_emplace(
        key_of(row), Cell{.file = ChanceFile(folder_ / std::to_string(cells_.size()))});
    found.first->second.file.add(chance(seed_, "mix", row.id));
    return std::nullopt;
  }

  // In this order: caps, topics, tasks, kinds, size by weights. A later rule only takes away, so
  // that an earlier one holds as far as the later leaves it; the report shows what came of it.
  void decide() override {
    for (auto& [key, cell] : cells_) cell.kept = static_cast<double>(cell.file.count());
    cap_sources();
    round_to_whole();
    cap_topics();
    round_to_whole();
    to_shares(
        options_.task, [](const Key& key) { return key.task; }, "task");
    round_to_whole();
    to_shares(
        options_.kind, [](const Key& key) { return key.kind; }, "kind");
    round_to_whole();
    to_size();
    round_to_whole();
    for (auto& [key, cell] : cells_) {
      for (Limit& limit : cell.limits) limit.keep = cell.file.threshold(limit.whole);
    }
  }

  nlohmann::ordered_json facts() const override {
    nlohmann::ordered_json facts = nlohmann::ordered_json::object();
    warnings_.tell(facts);
    return facts;
  }

  std::optional<Drop> settle(size_t, Row& row) const override {
    const std::uint64_t order = chance(seed_, "mix", row.id);
    for (const Limit& limit : cells_.at(key_of(row)).limits) {
      if (order > limit.keep) return Drop{fmt::format("more than {}", limit.rule), ""};
    }
    return std::nullopt;
  }

 private:
  struct Key {
    std::string source, task, kind, topic;
    auto operator<=>(const Key&) const = default;
  };
  // What a rule left of a cell.
  struct Limit {
    std::string rule;
    double kept = 0;
    std::uint64_t whole = 0;  // `kept` as a number of rows,
    std::uint64_t keep = 0;   // and the number up to which they stay.
  };
  struct Cell {
    ChanceFile file;
    double kept = 0;
    std::vector<Limit> limits = {};  // In the order of the rules, each at most the one before.
  };

  static Key key_of(const Row& row) {
    return {row.source, std::string(data::task_name(row.sample.task)), row.pair->kind, row.topic};
  }

  void check_source(const Recipe& recipe, const std::string& name) const {
    std::vector<std::string_view> names;
    for (const Source& source : recipe.sources) {
      if (source.name == name) return;
      names.push_back(source.name);
    }
    throw Error(
        fmt::format("'mix' names the source '{}', which the recipe does not have; it has {}", name,
                    fmt::join(names, ", ")),
        place_);
  }

  template <typename Name>
  std::map<std::string, double> sums(const Name& name_of) const {
    std::map<std::string, double> sums;
    for (const auto& [key, cell] : cells_) sums[name_of(key)] += cell.kept;
    return sums;
  }

  static void shrink(Cell& cell, double by, const std::string& rule) {
    if (by >= 1) return;
    cell.kept *= by;
    if (!cell.limits.empty() && cell.limits.back().rule == rule) cell.limits.pop_back();
    cell.limits.push_back({.rule = rule, .kept = cell.kept});
  }

  // Numbers of rows are whole: what a source keeps is rounded, and shared out among its cells by
  // their largest remainders.
  void round_to_whole() {
    std::map<std::string, std::vector<Cell*>> of_source;
    for (auto& [key, cell] : cells_) of_source[key.source].push_back(&cell);
    std::map<std::string, double> totals;
    for (const auto& [source, cells] : of_source) {
      for (const Cell* cell : cells) totals[source] += cell->kept;
    }
    std::vector<std::pair<std::string, double*>> sources;
    for (auto& [source, total] : totals) sources.emplace_back(source, &total);
    largest_remainders(sources, [](const auto& one) -> double& { return *one.second; });
    for (auto& [source, cells] : of_source) {
      largest_remainders(
          cells, [](Cell* cell) -> double& { return cell->kept; }, totals[source]);
    }
    for (auto& [key, cell] : cells_) {
      if (cell.limits.empty()) continue;
      cell.limits.back().kept = cell.kept;
      cell.limits.back().whole = static_cast<std::uint64_t>(std::llround(cell.kept));
    }
  }

  // Makes the numbers whole so that they add up to `total`, or to their own sum, rounded.
  template <typename List, typename Number>
  static void largest_remainders(List& list, const Number& number,
                                 std::optional<double> total = {}) {
    double sum = 0, floors = 0;
    std::vector<std::pair<double, size_t>> remainders;
    for (size_t i = 0; i < list.size(); ++i) {
      double& value = number(list[i]);
      sum += value;
      const double whole = std::floor(value + 1e-9);
      remainders.emplace_back(whole - value, i);  // The largest remainder first.
      value = whole;
      floors += whole;
    }
    auto missing = std::llround(total.value_or(sum)) - std::llround(floors);
    std::sort(remainders.begin(), remainders.end());
    for (const auto& [remainder, i] : remainders) {
      if (missing-- <= 0) return;
      number(list[i]) += 1;
    }
  }

  void cap_sources() {
    const auto source_of = [](const Key& key) { return key.source; };
    const auto of_source = sums(source_of);
    for (auto& [key, cell] : cells_) {
      const auto cap = options_.caps.find(key.source);
      if (cap != options_.caps.end())
        shrink(cell, cap->second / std::max(1.0, of_source.at(key.source)), "its source's cap");
    }
  }

  double topic_limit(const std::string& topic) const {
    auto found = options_.topic.find(topic);
    if (found == options_.topic.end() && !topic.empty()) found = options_.topic.find("*");
    return found == options_.topic.end() ? 1.0 : found->second;
  }

  // Topics at most: what is over goes until each is within its share of what stays. Where the
  // topics that there are may together not be all of it, their shares grow in proportion until they
  // are: else nothing would stay.
  void cap_topics() {
    if (options_.topic.empty()) return;
    const auto before = sums([](const Key& key) { return key.topic; });
    double together = 0;
    for (const auto& [topic, number] : before) {
      if (number > 0) together += topic_limit(topic);
    }
    const double grow = together > 0 && together < 1 - 1e-9 ? 1 / together : 1;
    const auto limit_of = [&](const std::string& topic) { return grow * topic_limit(topic); };
    for (int round = 0; round < 1000; ++round) {
      const auto of_topic = sums([](const Key& key) { return key.topic; });
      double all = 0;
      for (const auto& [topic, sum] : of_topic) all += sum;
      bool changed = false;
      for (auto& [key, cell] : cells_) {
        const double by = limit_of(key.topic) * all / std::max(1e-9, of_topic.at(key.topic));
        if (by > 1 - 1e-9) continue;
        shrink(cell, by, "its topic's share");
        changed = true;
      }
      if (!changed) break;
    }
    warn_of_topics(before, grow);
  }

  // Where the topics' shares cannot be had, or cost three quarters of the pairs.
  void warn_of_topics(const std::map<std::string, double>& before, double grow) {
    const auto after = sums([](const Key& key) { return key.topic; });
    double all = 0, left = 0;
    for (const auto& [topic, number] : before) all += number;
    for (const auto& [topic, number] : after) left += number;
    std::vector<std::string> limited;
    for (const auto& [topic, number] : before) {
      if (number == 0 || (grow == 1 && after.at(topic) > number - 0.5)) continue;
      limited.push_back(fmt::format("'{}' {:.3g}% (at most {:g}%)", cut_to_columns(topic, 40),
                                    left == 0 ? 0 : 100 * after.at(topic) / left,
                                    100 * topic_limit(topic)));
    }
    if (limited.size() > kMostNamed) {
      limited.resize(kMostNamed);
      limited.emplace_back("...");
    }
    if (grow > 1) {
      warnings_.add(fmt::format(
          "the shares of 'topic' cannot be had: the topics that there are may be {:.3g}% "
          "of the mix, all together; {:.0f} of {:.0f} pairs stay, with {}",
          100 / grow, left, all, fmt::join(limited, ", ")));
    } else if (4 * left < all) {
      warnings_.add(fmt::format("the shares of 'topic' leave {:.0f} of {:.0f} pairs, with {}", left,
                                all, fmt::join(limited, ", ")));
    }
  }

  // The largest mix that has these shares.
  template <typename Name>
  void to_shares(const Named& shares, const Name& name_of, const std::string& what) {
    if (shares.empty()) return;
    const auto have = sums(name_of);
    double total = INFINITY, all = 0;
    std::string scarce;
    for (const auto& [name, number] : have) all += number;
    for (const auto& [name, share] : shares) {
      if (share == 0) continue;
      const auto found = have.find(name);
      const double number = found == have.end() ? 0 : found->second;
      if (number == 0) {
        throw Error(fmt::format("the mix should be {:g}% '{}', and there are no pairs of it",
                                100 * share, name),
                    place_, "leave it out of the shares");
      }
      if (number / share < total) scarce = name;
      total = std::min(total, number / share);
    }
    for (auto& [key, cell] : cells_) {
      const auto share = shares.find(name_of(key));
      const double wanted = share == shares.end() ? 0 : share->second * total;
      shrink(cell, wanted / have.at(name_of(key)), fmt::format("its {}'s share", what));
    }
    if (scarce.empty() || 4 * total >= all) return;
    warnings_.add(
        fmt::format("the shares of '{}' leave {:.0f} of {:.0f} pairs: of '{}', which should be "
                    "{:g}%, there are "
                    "{:.0f}, {:.3g}% of all",
                    what, total, all, scarce, 100 * shares.at(scarce), have.at(scarce),
                    100 * have.at(scarce) / all));
  }

  static constexpr size_t kMostNamed = 5;

  // By weights, where a source that has too few leaves the rest to the others.
  void to_size() {
    if (options_.size == 0) return;
    const auto have = sums([](const Key& key) { return key.source; });
    double all = 0;
    for (const auto& [source, number] : have) all += number;
    if (all < options_.size) {
      warnings_.add(
          fmt::format("'size' asks for {:.0f} pairs, and there are {:.0f}", options_.size, all));
    }
    std::map<std::string, double> give;
    double left = options_.size;
    std::map<std::string, double> open;
    for (const auto& [source, number] : have) {
      const auto weight = options_.weights.find(source);
      open[source] = weight == options_.weights.end() ? 1 : weight->second;
    }
    while (!open.empty()) {
      double weights = 0;
      for (const auto& [source, weight] : open) weights += weight;
      if (weights == 0) break;
      std::vector<std::string> full;
      for (const auto& [source, weight] : open) {
        if (left * weight / weights >= have.at(source)) full.push_back(source);
      }
      if (full.empty()) {
        for (const auto& [source, weight] : open) give[source] = left * weight / weights;
        break;
      }
      for (const std::string& source : full) {
        if (options_.weights.contains(source) &&
            left * open.at(source) / weights > have.at(source) + 1) {
          warnings_.add(
              fmt::format("the source '{}' has {:.0f} pairs, and its weight asks for {:.0f}",
                          source, have.at(source), left * open.at(source) / weights));
        }
      }
      for (const std::string& source : full) {
        give[source] = have.at(source);
        left -= have.at(source);
        open.erase(source);
      }
    }
    for (auto& [key, cell] : cells_)
      shrink(cell, give[key.source] / std::max(1.0, have.at(key.source)), "the size of the mix");
  }

  MixOptions options_;
  Warnings warnings_;
  std::uint64_t seed_;
  std::string place_;
  std::filesystem::path folder_;
  std::map<Key, Cell> cells_;
};

struct SplitOptions {
  double validation = 0;
  double test = 0;
};

void read_part(double& part, const data::Entry& entry) {
  part = entry.as<double>();
  if (!(part >= 0 && part < 1))
    throw Error(fmt::format("'{}' must be a share from 0 to 1", entry.key), entry.place);
}

constexpr data::Key<SplitOptions> kSplitKeys[] = {
    {"validation",
     [](SplitOptions& o, const data::Entry& entry) { read_part(o.validation, entry); }},
    {"test", [](SplitOptions& o, const data::Entry& entry) { read_part(o.test, entry); }},
};

// By group, so that a group is never in two. Groups that have a text in common are one: the same
// question may be in two sources. A text of few words, or of very many groups, or of more than half
// of a small mix's, is no such tie: it is what a source asks of each row.
class Split : public Step {
 public:
  Split(SplitOptions options, std::uint64_t seed) : options_(options), seed_(seed) {}

  bool waits() const override { return true; }

  void begin(Resources& resources) override {
    folder_ = resources.scratch / "split";
    std::filesystem::remove_all(folder_);
    parts_.clear();
    for (size_t i = 0; i < kParts; ++i)
      parts_.push_back(std::make_unique<PairFile>(folder_ / std::to_string(i)));
    parent_.clear();
    groups_.clear();
  }

  void note(const Row& row, Notes& notes) const override {
    thread_local text::Words words;
    notes = {group_of(row)};
    for (const std::string_view text : judged_texts(row.sample)) {
      words.read(text);
      if (words.size() >= kLeastWords) notes.push_back(derive_seed(seed_, words.text()));
    }
  }

  std::optional<Drop> in_order(const Row&, const Notes& notes) override {
    for (size_t i = 1; i < notes.size(); ++i) parts_[notes[i] % kParts]->add({notes[i], notes[0]});
    if (groups_.size() < 2 * kMostGroups) groups_.insert(notes[0]);
    return std::nullopt;
  }

  void decide() override {
    const size_t most = std::max<size_t>(2, std::min(kMostGroups, groups_.size() / 2));
    for (const auto& part : parts_) {
      std::vector<PairFile::Entry> entries = part->read();
      std::sort(entries.begin(), entries.end());
      entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
      for (size_t begin = 0; begin < entries.size();) {
        size_t end = begin;
        while (end < entries.size() && entries[end].first == entries[begin].first) ++end;
        if (end - begin <= most) {
          for (size_t i = begin + 1; i < end; ++i) unite(entries[begin].second, entries[i].second);
        }
        begin = end;
      }
    }
    parts_.clear();
  }

  std::optional<Drop> settle(size_t, Row& row) const override {
    const double at = static_cast<double>(Random(seed_ ^ root_of(group_of(row))).uniform());
    row.pair->split = at < options_.test                         ? "test"
                      : at < options_.test + options_.validation ? "validation"
                                                                 : "train";
    return std::nullopt;
  }

  nlohmann::ordered_json facts() const override {
    return {{"groups that share a text with another", parent_.size()}};
  }

 private:
  static constexpr size_t kParts = 64;
  static constexpr size_t kLeastWords = 6;
  static constexpr size_t kMostGroups = 100;

  std::uint64_t group_of(const Row& row) const {
    return derive_seed(seed_, row.sample.group.value_or(row.id));
  }

  // The least group of those that are one.
  std::uint64_t root_of(std::uint64_t group) const {
    for (auto found = parent_.find(group); found != parent_.end() && found->second != group;
         found = parent_.find(group))
      group = found->second;
    return group;
  }
  void unite(std::uint64_t a, std::uint64_t b) {
    a = root_of(a);
    b = root_of(b);
    if (a == b) return;
    if (b < a) std::swap(a, b);
    parent_[b] = a;
    parent_.try_emplace(a, a);
  }

  SplitOptions options_;
  std::uint64_t seed_;
  std::filesystem::path folder_;
  std::vector<std::unique_ptr<PairFile>> parts_;  // Texts and their groups, by text.
  std::unordered_set<std::uint64_t> groups_;      // The first, enough to tell a small mix.
  std::unordered_map<std::uint64_t, std::uint64_t> parent_;
};

}  // namespace

StepPointer make_mix(const data::Entry& entry, std::uint64_t seed) {
  MixOptions options;
  data::read_keys(options, data::entries_of(entry.value, "'mix'", entry.file), kMixKeys);
  if (!options.weights.empty() && options.size == 0)
    throw Error("'weights' share out 'size', which is missing", entry.place);
  return std::make_unique<Mix>(std::move(options), seed, entry.place);
}

StepPointer make_split(const data::Entry& entry, std::uint64_t seed) {
  SplitOptions options;
  data::read_keys(options, data::entries_of(entry.value, "'split'", entry.file), kSplitKeys);
  if (options.validation + options.test >= 1)
    throw Error("'validation' and 'test' leave nothing for training", entry.place);
  return std::make_unique<Split>(options, seed);
}

}  // namespace selene::curate
