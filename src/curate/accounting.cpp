#include "curate/accounting.h"

#include <algorithm>
#include <tuple>

#include "core/error.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;

Json counts_json(const Counts& counts) {
  Json json = {{"in", counts.in}, {"out", counts.out}};
  json["dropped"] = Json::object();
  for (const auto& [reason, number] : counts.dropped) json["dropped"][reason] = number;
  json["changed"] = Json::object();
  for (const auto& [what, number] : counts.changed) json["changed"][what] = number;
  if (counts.made != 0) json["made"] = counts.made;
  return json;
}

Counts counts_from_json(const Json& json) {
  Counts counts;
  counts.in = json.at("in").get<std::uint64_t>();
  counts.out = json.at("out").get<std::uint64_t>();
  for (const auto& [reason, number] : json.at("dropped").items())
    counts.dropped[reason] = number.get<std::uint64_t>();
  for (const auto& [what, number] : json.at("changed").items())
    counts.changed[what] = number.get<std::uint64_t>();
  counts.made = json.value("made", std::uint64_t{0});
  return counts;
}

Json examples_json(const std::vector<Example>& examples) {
  Json list = Json::array();
  for (const Example& one : examples) {
    list.push_back(
        {{"order", one.order}, {"id", one.id}, {"text", one.text}, {"detail", one.detail}});
  }
  return list;
}

std::vector<Example> examples_from_json(const Json& json) {
  std::vector<Example> examples;
  for (const Json& one : json) {
    examples.push_back({one.at("order").get<std::uint64_t>(), one.at("id").get<std::string>(),
                        one.at("text").get<std::string>(), one.at("detail").get<std::string>()});
  }
  return examples;
}

}  // namespace

Counts& StepAccount::of(const std::string& source) {
  for (auto& [name, counts] : sources) {
    if (name == source) return counts;
  }
  sources.emplace_back(source, Counts{});
  return sources.back().second;
}

Counts StepAccount::total() const {
  Counts sum;
  for (const auto& [name, counts] : sources) {
    sum.in += counts.in;
    sum.out += counts.out;
    sum.made += counts.made;
    for (const auto& [reason, number] : counts.dropped) sum.dropped[reason] += number;
    for (const auto& [what, number] : counts.changed) sum.changed[what] += number;
  }
  return sum;
}

void add_example(std::vector<Example>& examples, Example example) {
  const auto before = [](const Example& a, const Example& b) {
    return std::tie(a.order, a.id) < std::tie(b.order, b.id);
  };
  examples.insert(std::upper_bound(examples.begin(), examples.end(), example, before),
                  std::move(example));
  if (examples.size() > StepAccount::kExamples) examples.pop_back();
}

Json to_json(const StepAccount& account) {
  Json json = {{"step", account.step}, {"unit", account.unit}};
  json["total"] = counts_json(account.total());
  json["sources"] = Json::object();
  for (const auto& [name, counts] : account.sources) json["sources"][name] = counts_json(counts);
  json["examples"]["kept"] = examples_json(account.kept);
  json["examples"]["dropped"] = Json::object();
  for (const auto& [reason, examples] : account.dropped)
    json["examples"]["dropped"][reason] = examples_json(examples);
  if (!account.facts.empty()) json["facts"] = account.facts;
  return json;
}

StepAccount account_from_json(const Json& json) {
  StepAccount account;
  account.step = json.at("step").get<std::string>();
  account.unit = json.at("unit").get<std::string>();
  for (const auto& [name, counts] : json.at("sources").items())
    account.sources.emplace_back(name, counts_from_json(counts));
  account.kept = examples_from_json(json.at("examples").at("kept"));
  for (const auto& [reason, examples] : json.at("examples").at("dropped").items())
    account.dropped[reason] = examples_from_json(examples);
  if (const auto facts = json.find("facts"); facts != json.end()) account.facts = *facts;
  return account;
}

void check(const StepAccount& account) {
  for (const auto& [name, counts] : account.sources) {
    std::uint64_t dropped = 0;
    for (const auto& [reason, number] : counts.dropped) dropped += number;
    ensure(counts.in == counts.out + dropped, "rows of a step that do not add up");
  }
}

}  // namespace selene::curate
