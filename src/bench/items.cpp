#include "bench/items.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/metrics.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "data/columns.h"
#include "data/judgment.h"

namespace selene::bench {
namespace {

using data::take_column;
using Json = nlohmann::ordered_json;

const std::vector<std::string>& response_columns(data::Task task) {
  static const std::vector<std::string> one{"response"};
  static const std::vector<std::string> two{"response_a", "response_b"};
  return task == data::Task::Pairwise ? two : one;
}

void check_columns(const Spec& spec, const std::vector<std::string>& columns) {
  std::vector<std::string> needed{"id", "input", "label"};
  const auto& responses = response_columns(spec.task);
  needed.insert(needed.end(), responses.begin(), responses.end());
  for (const std::string& name : needed) {
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) continue;
    throw Error(
        fmt::format("the select gives no column '{}'; it gives {}", name, fmt::join(columns, ", ")),
        spec.place);
  }
}

// As the truth of a correlation.
double truth_number(const Json& truth) {
  if (truth.is_number()) return truth.get<double>();
  if (truth.is_string()) {
    if (const auto number = data::label_number(truth.get<std::string>())) return *number;
  }
  throw Error(fmt::format("the column 'label' must hold numbers, not {}",
                          cut_to_columns(truth.dump(), 60)));
}

// How far an item's annotators agree: the share of the pairs of them that gave the same label
// (P_i of Fleiss, "Measuring nominal scale agreement among many raters", 1971, equation 1).
// Nothing where fewer than two are known.
std::optional<double> annotator_agreement(const Spec& spec, const Json& annotations) {
  if (!annotations.is_array()) throw Error("the column 'annotations' must hold lists of labels");
  std::map<std::string, size_t> counts;
  size_t all = 0;
  for (const Json& label : annotations) {
    if (label.is_null()) continue;
    if (std::find(spec.labels.begin(), spec.labels.end(), label) == spec.labels.end()) {
      throw Error(fmt::format("the column 'annotations' holds {}, which is none of the labels {}",
                              cut_to_columns(label.dump(), 60), fmt::join(spec.labels, ", ")));
    }
    ++counts[label.get<std::string>()];
    ++all;
  }
  if (all < 2) return std::nullopt;
  size_t same = 0;
  for (const auto& [label, count] : counts) same += count * (count - 1);
  return static_cast<double>(same) / static_cast<double>(all * (all - 1));
}

// How many of each group's items: in proportion, at least one a group while there are enough, by
// the largest remainder.
std::vector<size_t> shares(const std::vector<size_t>& sizes, size_t limit) {
  const size_t total = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
  std::vector<size_t> share(sizes.size());
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto exact = [&](size_t group) {
    return static_cast<double>(limit) * static_cast<double>(sizes[group]) /
           static_cast<double>(total);
  };
  size_t given = 0;
  for (size_t group = 0; group < sizes.size(); ++group) {
    share[group] = static_cast<size_t>(exact(group));
    if (share[group] == 0 && limit >= sizes.size()) share[group] = 1;
    given += share[group];
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return exact(a) - static_cast<double>(share[a]) > exact(b) - static_cast<double>(share[b]);
  });
  for (size_t i = 0; given < limit; i = (i + 1) % order.size()) {
    if (share[order[i]] >= sizes[order[i]]) continue;
    ++share[order[i]];
    ++given;
  }
  // The least of one a group may have given too many away.
  for (size_t i = order.size(); given > limit; i = i == 1 ? order.size() : i - 1) {
    if (share[order[i - 1]] <= 1) continue;
    --share[order[i - 1]];
    --given;
  }
  return share;
}

// Where the figure is of sections, each group is in one, and each group of a section has items:
// another spelling would leave items out of the figure.
void check_sections(const Spec& spec, const std::map<std::string, size_t>& groups) {
  if (spec.overall != Overall::Sections) return;
  std::map<std::string, std::string> section_of;
  for (const Section& section : spec.sections) {
    for (const auto& [group, weight] : section.groups) {
      section_of[group] = section.name;
      if (!groups.contains(group)) {
        throw Error(fmt::format("the section '{}' has the group '{}', of which there is no item",
                                section.name, group),
                    spec.place);
      }
    }
  }
  for (const auto& [group, number] : groups) {
    if (!section_of.contains(group)) {
      throw Error(fmt::format("the group '{}' is in no section", cut_to_columns(group, 60)),
                  spec.place, "overall: sections is of groups that are in one");
    }
  }
}

}  // namespace

const Selection* present_selection(const Spec& spec, const std::filesystem::path& folder,
                                   std::string& reason) {
  return data::present_selection(spec.source, spec.local, folder, reason);
}

std::vector<std::string> revision_warnings(const Selection& selection,
                                           const std::filesystem::path& folder) {
  return data::revision_warnings(selection, folder, "benchmark");
}

ItemReader::ItemReader(const Spec& spec, const Selection& selection,
                       const std::filesystem::path& folder, std::uint64_t seed, const Probe* probe)
    : spec_(spec), seed_(seed), probe_(probe) {
  rows_ = std::make_unique<table::Rows>(selection.sql, folder, spec.place);
  check_columns(spec, rows_->columns());
}

ItemReader::~ItemReader() = default;

bool ItemReader::next(data::Sample& sample) {
  Json row;
  if (!rows_->next(row)) return false;
  ++row_;
  try {
    sample = to_sample(std::move(row));
  } catch (const Error& failure) {
    throw failure.at(fmt::format("{}, row {}", spec_.place, row_));
  }
  return true;
}

data::Sample ItemReader::to_sample(Json row) const {
  Json fields = Json::object();
  Json about = Json::object();
  fields["id"] = take_column(row, "id");
  fields["task"] = data::task_name(spec_.task);
  fields["labels"] = spec_.labels;
  const Json truth = take_column(row, "label");
  if (fields["id"].is_null()) throw Error("the column 'id' is empty");
  if (truth.is_null()) throw Error("the column 'label' is empty");
  if (find_metric(spec_.metric).numeric_truth()) {
    about["truth"] = truth_number(truth);
  } else {
    fields["label"] = truth;
  }
  data::take_text_columns(row, fields);
  if (!fields.contains("criteria") && !spec_.criteria.empty()) fields["criteria"] = spec_.criteria;
  for (const auto& [column, key] : {std::pair{"group_name", "group"}, {"cluster", "cluster"}}) {
    const Json value = take_column(row, column);
    if (!value.is_null()) about[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  if (const Json annotations = take_column(row, "annotations"); !annotations.is_null()) {
    if (const auto agreement = annotator_agreement(spec_, annotations))
      about["annotator_agreement"] = *agreement;
  }
  data::Sample sample = data::sample_from_json(fields, row_);
  if (spec_.better_first) {
    const bool swap = derive_seed(seed_, sample.id) % 2 == 1;
    if (swap) sample = data::swapped(sample);
    about["swapped"] = swap;
  }
  if (probe_ != nullptr) {
    sample = probe_->twin(sample);
    about["probe"] = probe_->name;
  }
  if (sample.label) about["truth"] = *sample.label;
  about["lengths"] = Json::array();
  if (spec_.task == data::Task::Pairwise) {
    about["lengths"] = {count_characters(sample.response_a), count_characters(sample.response_b)};
  } else {
    about["lengths"] = {count_characters(sample.response)};
  }
  sample.label.reset();  // The judge does not see it; scoring reads it from "bench".
  sample.extra = std::move(row);
  sample.extra["bench"] = std::move(about);
  return sample;
}

ItemSet choose_items(const Spec& spec, const Selection& selection,
                     const std::filesystem::path& folder, const Choice& choice) {
  ItemReader reader(spec, selection, folder, choice.seed, choice.probe);
  std::map<std::string, size_t> group_of_name;
  // The rows of a group, by a hash of seed and id.
  std::vector<std::vector<std::pair<std::uint64_t, size_t>>> groups;
  std::vector<std::string> digests;
  std::unordered_set<std::string> ids;
  ItemSet items;
  for (data::Sample sample; reader.next(sample); ++items.total) {
    if (!ids.insert(sample.id).second) {
      throw Error(fmt::format("the id '{}' stands twice", cut_to_columns(sample.id, 60)),
                  fmt::format("{}, row {}", spec.place, items.total + 1),
                  "make ids unique in the select");
    }
    const std::string group = sample.extra["bench"].value("group", "");
    const size_t index = group_of_name.try_emplace(group, groups.size()).first->second;
    if (index == groups.size()) groups.emplace_back();
    groups[index].emplace_back(derive_seed(choice.seed, "choose " + sample.id), items.total);
    Sha256 digest;
    for (const std::string& text :
         {sample.id, sample.input, sample.context.value_or(""), sample.response, sample.response_a,
          sample.response_b, sample.reference.value_or(""), sample.criteria.value_or(""),
          Json(sample.rubric).dump(), sample.extra.dump()}) {
      digest.update(fmt::format("{} ", text.size()));
      digest.update(text);
    }
    digests.push_back(digest.hex());
  }
  if (items.total == 0) throw Error("the select gives no items", spec.place);
  if (spec.items && items.total != static_cast<size_t>(*spec.items) &&
      revision_warnings(selection, folder).empty()) {
    throw Error(
        fmt::format("the select gives {} items, the benchmark has {}", items.total, *spec.items),
        spec.place);
  }
  check_sections(spec, group_of_name);
  items.chosen.assign(items.total, true);
  if (choice.limit != 0 && choice.limit < items.total) {
    items.chosen.assign(items.total, false);
    std::vector<size_t> sizes;
    for (const auto& rows : groups) sizes.push_back(rows.size());
    const std::vector<size_t> share = shares(sizes, choice.limit);
    for (size_t group = 0; group < groups.size(); ++group) {
      std::sort(groups[group].begin(), groups[group].end());
      for (size_t i = 0; i < share[group]; ++i) items.chosen[groups[group][i].second] = true;
    }
  }
  Sha256 digest;
  for (size_t row = 0; row < items.total; ++row) {
    if (!items.chosen[row]) continue;
    ++items.count;
    digest.update(digests[row]);
  }
  items.digest = digest.hex();
  return items;
}

}  // namespace selene::bench
