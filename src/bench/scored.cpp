#include "bench/scored.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bench/metrics.h"
#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "data/judgment.h"

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;

class Reader {
 public:
  Reader(const Spec& spec, Scored& scored)
      : spec_(spec), numeric_truth_(find_metric(spec.metric).numeric_truth()), scored_(scored) {}

  ScoredItem item(const Json& row) {
    const Json& about = row.at("extra").at("bench");
    ScoredItem item;
    item.id = id_text(row);
    item.group = index_of(groups_, about.value("group", ""));
    if (item.group == scored_.groups.size()) scored_.groups.push_back(about.value("group", ""));
    const bool clustered = about.contains("cluster");
    scored_.has_clusters = scored_.has_clusters || clustered;
    item.cluster = index_of(
        clusters_, clustered ? "c " + about.at("cluster").get<std::string>() : "i " + item.id);
    scored_.clusters = clusters_.size();
    if (numeric_truth_) {
      item.truth_number = about.at("truth").get<double>();
    } else {
      item.truth = label_index(about.at("truth"));
    }
    if (const auto found = about.find("annotator_agreement"); found != about.end())
      item.annotator_agreement = found->get<double>();
    const Json& lengths = about.at("lengths");
    for (size_t i = 0; i < std::min<size_t>(2, lengths.size()); ++i)
      item.lengths[i] = lengths[i].get<std::uint32_t>();
    read_verdict(row, item);
    if (scored_.judge.empty()) {
      const Json& judge = row.at("judge");
      scored_.judge = judge.at("name").get<std::string>();
      scored_.template_name = judge.at("template").get<std::string>();
      scored_.mode = judge.at("mode").get<std::string>();
      scored_.probe = about.value("probe", "");
    }
    return item;
  }

 private:
  static std::uint32_t index_of(std::unordered_map<std::string, std::uint32_t>& names,
                                const std::string& name) {
    return names.try_emplace(name, static_cast<std::uint32_t>(names.size())).first->second;
  }

  int label_index(const Json& label) const {
    if (label.is_null()) return -1;
    const auto found = std::find(spec_.labels.begin(), spec_.labels.end(), label);
    if (found == spec_.labels.end()) {
      throw Error(fmt::format("{} is none of the labels {}", cut_to_columns(label.dump(), 60),
                              fmt::join(spec_.labels, ", ")));
    }
    return static_cast<int>(found - spec_.labels.begin());
  }

  std::vector<double> distribution(const Json& probabilities) const {
    std::vector<double> values;
    if (probabilities.is_null()) return values;
    for (const std::string& label : spec_.labels)
      values.push_back(probabilities.at(label).get<double>());
    return values;
  }

  void read_verdict(const Json& row, ScoredItem& item) {
    item.label = item.label_ab = item.label_ba = label_index(row.at("label"));
    item.probabilities = distribution(row.at("probabilities"));
    if (row.contains("score")) item.score = row.at("score").get<double>();
    if (item.label < 0) {
      item.state = row.value("skipped", false) ? State::Skipped : State::Unreadable;
      const std::string reason = row.at("unreadable").get<std::string>();
      auto& reasons = scored_.reasons;
      if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end() && reasons.size() < 20)
        reasons.push_back(reason);
    }
    const auto parts = row.find("parts");
    if (parts == row.end() || spec_.task != data::Task::Pairwise) return;
    const int ab = order_label(*parts, "ab");
    const int ba = order_label(*parts, "ba");
    const bool both = std::any_of(parts->begin(), parts->end(),
                                  [](const Json& part) { return part.at("order") == "ba"; });
    if (!both) return;
    scored_.both_orders = true;
    item.label_ab = ab;
    item.label_ba = ba;
  }

  // What the parts of one order come to: the most probable label of the mean of their
  // distributions, else the label that most of them gave (the first of equals).
  int order_label(const Json& parts, std::string_view order) const {
    std::vector<double> weight(spec_.labels.size());
    bool any = false;
    const bool all_distributions = std::all_of(parts.begin(), parts.end(), [&](const Json& part) {
      return part.at("order") != order || part.at("label").is_null() ||
             !part.at("probabilities").is_null();
    });
    for (const Json& part : parts) {
      if (part.at("order") != order || part.at("label").is_null()) continue;
      any = true;
      if (!all_distributions) {
        weight[static_cast<size_t>(label_index(part.at("label")))] += 1;
        continue;
      }
      const std::vector<double> values = distribution(part.at("probabilities"));
      for (size_t i = 0; i < values.size(); ++i) weight[i] += values[i];
    }
    if (!any) return -1;
    return static_cast<int>(std::max_element(weight.begin(), weight.end()) - weight.begin());
  }

  const Spec& spec_;
  bool numeric_truth_;
  Scored& scored_;
  std::unordered_map<std::string, std::uint32_t> groups_;
  std::unordered_map<std::string, std::uint32_t> clusters_;
};

}  // namespace

std::string id_text(const Json& row) {
  const Json& id = row.at("id");
  return id.is_string() ? id.get<std::string>() : id.dump();
}

double label_score(const Spec& spec, const ScoredItem& item) {
  const auto number = data::label_number(spec.labels[static_cast<size_t>(item.label)]);
  ensure(number.has_value(), "labels that are no numbers");
  return *number;
}

double score_of(const Spec& spec, const ScoredItem& item) {
  return item.score ? *item.score : label_score(spec, item);
}

Scored read_scored(const Spec& spec, const std::filesystem::path& path) {
  Scored scored;
  Reader reader(spec, scored);
  data::JsonlReader rows(path);
  for (data::Row row; rows.next(row);) {
    try {
      scored.items.push_back(reader.item(row.value));
    } catch (const Error& failure) {
      throw failure.at(rows.place());
    } catch (const Json::exception& failure) {
      throw Error(fmt::format("this is no row of a benchmark run: {}", data::json_reason(failure)),
                  rows.place());
    }
  }
  if (scored.items.empty()) throw Error("there are no rows", path.string());
  return scored;
}

}  // namespace selene::bench
