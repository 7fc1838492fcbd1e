#include "curate/labels.h"

#include <algorithm>

#include "core/error.h"
#include "curate/step.h"
#include "data/yaml_map.h"

namespace selene::curate {
namespace {

// The next numbers below and above the row's label; nothing where a label is no number.
std::vector<std::string> neighbours(const Row& row) {
  const auto known = data::label_number(row.label());
  std::vector<std::pair<double, std::string>> below, above;
  for (const std::string& label : row.sample.labels) {
    const auto number = data::label_number(label);
    if (!number || !known) return {};
    if (*number < *known) below.emplace_back(*number, label);
    if (*number > *known) above.emplace_back(*number, label);
  }
  std::vector<std::string> next;
  if (!below.empty()) next.push_back(std::max_element(below.begin(), below.end())->second);
  if (!above.empty()) next.push_back(std::min_element(above.begin(), above.end())->second);
  return next;
}

std::vector<std::string> others(const Row& row) {
  std::vector<std::string> labels;
  for (const std::string& label : row.sample.labels) {
    if (label != row.label()) labels.push_back(label);
  }
  return labels;
}

// The first of equals.
std::string most_probable_other(const Row& row) {
  data::Distribution rest;
  for (const auto& one : row.judged) {
    if (one.first != row.label()) rest.push_back(one);
  }
  return data::most_probable(rest).value_or("");
}

}  // namespace

RejectedChoice read_rejected_choice(const data::Entry& entry) {
  return data::choice<RejectedChoice>(entry, {{"nearest", RejectedChoice::Nearest},
                                              {"random", RejectedChoice::Random},
                                              {"probable", RejectedChoice::Probable}});
}

std::string rejected_label(const Row& row, RejectedChoice choice, std::uint64_t seed) {
  if (choice == RejectedChoice::Probable) {
    if (std::string label = most_probable_other(row); !label.empty()) return label;
  }
  std::vector<std::string> labels;
  if (choice != RejectedChoice::Random) labels = neighbours(row);
  if (labels.empty()) labels = others(row);
  ensure(!labels.empty(), "a row with one label");
  return labels[chance(seed, "rejected", row.id) % labels.size()];
}

}  // namespace selene::curate
