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

// In the first part's order of labels.
Distribution mean_distribution(const std::vector<Part>& parts) {
  Distribution mean;
  size_t count = 0;
  for (const Part& part : parts) {
    if (part.probabilities.empty()) continue;
    ++count;
    if (mean.empty()) {
      mean = part.probabilities;
      continue;
    }
    for (auto& [label, sum] : mean) {
      for (const auto& [other, probability] : part.probabilities) {
        if (other == label) sum += probability;
      }
    }
  }
  for (auto& [label, sum] : mean) sum /= static_cast<double>(count);
  return mean;
}

// The label that most parts read; nothing when none did or two lead.
std::optional<std::string> majority(const std::vector<Part>& parts) {
  std::map<std::string, int> counts;
  for (const Part& part : parts) {
    if (part.label) ++counts[*part.label];
  }
  std::optional<std::string> leader;
  int most = 0;
  for (const auto& [label, count] : counts) {
    if (count == most) leader.reset();
    if (count > most) {
      most = count;
      leader = label;
    }
  }
  return leader;
}

bool orders_disagree(const std::vector<Part>& parts) {
  std::map<int, std::set<std::string>> labels;  // Of each repeat, over its orders.
  for (const Part& part : parts) {
    if (!part.order.empty() && part.label) labels[part.sample].insert(*part.label);
  }
  return std::any_of(labels.begin(), labels.end(), [](const auto& entry) { return entry.second.size() > 1; });
}

std::string combined_key(const std::vector<Part>& parts) {
  if (parts.size() == 1) return parts.front().key;
  std::string keys;
  for (const Part& part : parts) keys += part.key + "\n";
  return sha256(keys);
}

}  // namespace

Part make_part(const engine::Request& request, const engine::Result& result, bool swapped) {
  Part part;
  const auto as_stored = [&](const std::string& label) { return swapped ? data::swapped_label(label) : label; };
  if (!result.label_log_probs.empty()) {
    const std::vector<double> probabilities = engine::softmax(result.label_log_probs);
    // In the order of the stored labels, so that the two orders of a pair line up.
    std::map<std::string, double> by_label;
    for (size_t i = 0; i < probabilities.size(); ++i) by_label[as_stored(request.labels[i])] = probabilities[i];
    for (const std::string& label : request.labels) part.probabilities.emplace_back(label, by_label.at(label));
    part.label = data::most_probable(part.probabilities);
  } else if (result.label_read) {
    part.label = as_stored(request.labels[*result.label_read]);
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
  judgment.probabilities = mean_distribution(parts);
  judgment.label = judgment.probabilities.empty() ? majority(parts) : data::most_probable(judgment.probabilities);
  if (!judgment.label) {
    const bool read = std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.label.has_value(); });
    judgment.unreadable = read ? "as many parts say one label as another" : parts.front().unreadable;
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
  judgment.flags.assign(flags.begin(), flags.end());
  judgment.key = combined_key(parts);
  if (parts.size() > 1) judgment.parts = std::move(parts);
}

}  // namespace selene::judge
