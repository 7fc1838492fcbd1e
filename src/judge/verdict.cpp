#include "judge/verdict.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/digest.h"
#include "core/error.h"

namespace selene::judge {
namespace {

using data::Distribution;
using data::Part;

// A part that has a verdict, and its share of its member's weight.
struct Counted {
  const Part* part;
  double weight;
};

// A member's weight is divided among its own parts; the unit is the weight of a part of the member
// that has most, so that where all have as many, weights are as they are given.
std::vector<Counted> readable(const std::vector<Part>& parts) {
  std::map<std::string, int> counts;  // Of each member.
  int most = 0;
  for (const Part& part : parts) {
    if (part.label) most = std::max(most, ++counts[part.judge]);
  }
  std::vector<Counted> found;
  for (const Part& part : parts) {
    if (!part.label) continue;
    const double share = static_cast<double>(most) / counts[part.judge];
    found.push_back({&part, part.weight * share});
  }
  return found;
}

// In the first part's order of labels; empty unless every part has a distribution.
Distribution mean_distribution(const std::vector<Counted>& parts) {
  Distribution mean;
  double total = 0;
  for (const auto& [part, weight] : parts) {
    if (part->probabilities.empty()) return {};
    total += weight;
    if (mean.empty()) {
      for (const auto& [label, probability] : part->probabilities) mean.emplace_back(label, 0);
    }
    for (auto& [label, sum] : mean) {
      for (const auto& [other, probability] : part->probabilities) {
        if (other == label) sum += weight * probability;
      }
    }
  }
  for (auto& [label, sum] : mean) sum /= total;
  return mean;
}

// The label with most weight behind it; nothing when there is none or two lead.
std::optional<std::string> majority(const std::vector<Counted>& parts) {
  constexpr double kRounding = 1e-9;  // Thirds of a weight may not add up to the bit.
  std::map<std::string, double> weights;
  double most = 0;
  for (const auto& [part, weight] : parts) {
    most = std::max(most, weights[*part->label] += weight);
  }
  std::optional<std::string> leader;
  for (const auto& [label, weight] : weights) {
    if (weight < most * (1 - kRounding)) continue;
    if (leader) return std::nullopt;
    leader = label;
  }
  return leader;
}

std::optional<std::string> combined_label(const std::vector<Counted>& parts) {
  const Distribution mean = mean_distribution(parts);
  return mean.empty() ? majority(parts) : data::most_probable(mean);
}

bool orders_disagree(const std::vector<Part>& parts) {
  std::map<std::pair<std::string, int>, std::set<std::string>>
      labels;  // Of each member and repeat, over its orders.
  for (const Part& part : parts) {
    if (!part.order.empty() && part.label) labels[{part.judge, part.sample}].insert(*part.label);
  }
  return std::any_of(labels.begin(), labels.end(),
                     [](const auto& entry) { return entry.second.size() > 1; });
}

bool members_disagree(const std::vector<Counted>& parts) {
  std::map<std::string, std::vector<Counted>> members;
  for (const Counted& one : parts) members[one.part->judge].push_back(one);
  std::set<std::optional<std::string>> labels;
  for (const auto& [name, own] : members) labels.insert(combined_label(own));
  return labels.size() > 1;
}

std::string combined_key(const std::vector<Part>& parts) {
  if (parts.size() == 1) return parts.front().key;
  std::string keys;
  for (const Part& part : parts) keys += part.key + "\n";
  return sha256(keys);
}

}  // namespace

Part make_part(std::span<const std::string> labels, const engine::Result& result, bool swapped) {
  Part part;
  const auto as_stored = [&](const std::string& label) {
    return swapped ? data::swapped_label(label) : label;
  };
  if (!result.label_log_probs.empty()) {
    const std::vector<double> probabilities = engine::softmax(result.label_log_probs);
    // In the order of the stored labels, so that the two orders of a pair line up.
    std::map<std::string, double> by_label;
    for (size_t i = 0; i < probabilities.size(); ++i)
      by_label[as_stored(labels[i])] = probabilities[i];
    for (const std::string& label : labels)
      part.probabilities.emplace_back(label, by_label.at(label));
    part.label = data::most_probable(part.probabilities);
  } else if (result.label_read) {
    part.label = as_stored(labels[*result.label_read]);
  } else {
    part.unreadable = result.unreadable.empty() ? "the engine gave no verdict" : result.unreadable;
  }
  part.critique = result.text;
  if (result.truncated) part.flags.emplace_back("truncated");
  if (result.invalid_utf8) part.flags.emplace_back("invalid_utf8");
  return part;
}

void combine(std::vector<Part> parts, data::Judgment& judgment) {
  ensure(!parts.empty(), "a judgment of no parts");
  const std::vector<Counted> counted = readable(parts);
  judgment.probabilities = mean_distribution(counted);
  judgment.label = combined_label(counted);
  if (!judgment.label) {
    judgment.unreadable = counted.empty() ? parts.front().unreadable
                                          : "as much weight is behind one label as another";
  }
  judgment.score = data::expected_score(judgment.probabilities);
  judgment.margin = data::margin(judgment.probabilities);
  judgment.entropy = data::entropy_bits(judgment.probabilities);
  const auto speaker = std::find_if(parts.begin(), parts.end(),
                                    [&](const Part& part) { return part.label == judgment.label; });
  judgment.critique = (speaker == parts.end() ? parts.front() : *speaker).critique;

  std::set<std::string> flags(judgment.flags.begin(), judgment.flags.end());
  for (const Part& part : parts) flags.insert(part.flags.begin(), part.flags.end());
  if (orders_disagree(parts)) flags.insert("flipped");
  if (members_disagree(counted)) flags.insert("members_disagree");
  if (!counted.empty() && counted.size() < parts.size()) flags.insert("part_unreadable");
  judgment.flags.assign(flags.begin(), flags.end());
  judgment.key = combined_key(parts);
  if (parts.size() > 1) judgment.parts = std::move(parts);
}

}  // namespace selene::judge
