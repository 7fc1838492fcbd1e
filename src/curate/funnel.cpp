#include "curate/funnel.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "curate/warnings.h"
#include "data/jsonl.h"

namespace selene::curate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kAgain =
    "the file was changed by hand or is damaged: run `selene curate` again";

[[noreturn]] void wrong(const std::string& what) { throw Error(what, {}, kAgain); }

std::uint64_t number_at(const Json& json, const char* name) {
  return json.at(name).get<std::uint64_t>();
}

// Empty where there is none.
std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() || found->is_null() ? std::string() : found->get<std::string>();
}

SplitCounts splits_from(const Json& json) {
  return {number_at(json, "train"), number_at(json, "validation"), number_at(json, "test")};
}

SourceFacts source_from(const Json& json) {
  SourceFacts source;
  source.name = json.at("name").get<std::string>();
  source.title = text_at(json, "title");
  if (source.title.empty()) source.title = source.name;
  source.licence = text_at(json, "licence");
  source.attribution = text_at(json, "attribution");
  source.paper = text_at(json, "paper");
  source.labels_by = text_at(json, "labels_by");
  source.note = text_at(json, "note");
  source.not_present = text_at(json, "not_present");
  if (const auto files = json.find("revision_files"); files != json.end()) {
    for (const Json& one : *files)
      source.files.push_back(
          {text_at(one, "file"), text_at(one, "address"), text_at(one, "sha256")});
  }
  source.rows = json.value("rows", std::uint64_t{0});
  if (const auto pairs = json.find("pairs"); pairs != json.end())
    source.pairs = splits_from(*pairs);
  return source;
}

BenchmarkFacts benchmark_from(const Json& json) {
  BenchmarkFacts benchmark{.name = json.at("name").get<std::string>(),
                           .items = {},
                           .missing = text_at(json, "missing"),
                           .dropped = {}};
  if (const auto items = json.find("items"); items != json.end() && !items->is_null())
    benchmark.items = items->get<std::uint64_t>();
  return benchmark;
}

NamedNumbers numbers_from(const Json& json) {
  NamedNumbers numbers;
  for (const auto& [name, number] : json.items())
    numbers.emplace_back(name, number.get<std::uint64_t>());
  return numbers;
}

CritiqueCounts critique_counts(const Json& json) {
  CritiqueCounts counts;
  counts.asked = json.value("asked", std::uint64_t{0});
  counts.written = json.value("written", counts.asked);
  counts.kept = json.value("kept", std::uint64_t{0});
  if (const auto fell = json.find("fell"); fell != json.end()) counts.fell = numbers_from(*fell);
  return counts;
}

bool has_critiques(const Json& facts) { return facts.contains("asked") && facts.contains("fell"); }

CritiqueFacts critiques_from(const std::string& step, const Json& json) {
  CritiqueFacts facts;
  facts.step = step;
  facts.all = critique_counts(json);
  if (const auto one = json.find("true"); one != json.end()) facts.for_true = critique_counts(*one);
  if (const auto one = json.find("wrong"); one != json.end())
    facts.for_wrong = critique_counts(*one);
  if (const auto list = json.find("examples"); list != json.end()) {
    for (const Json& one : *list) {
      facts.examples.push_back({text_at(one, "id"), text_at(one, "label"), text_at(one, "text"),
                                text_at(one, "fell_to")});
    }
  }
  return facts;
}

bool has_scores(const Json& facts) { return facts.contains("bins") && facts.contains("before"); }

BinCounts score_counts(const Json& json, size_t bins) {
  BinCounts counts{json.at("chosen").get<std::vector<std::uint64_t>>(),
                   json.at("rejected").get<std::vector<std::uint64_t>>()};
  if (counts.chosen.size() != bins || counts.rejected.size() != bins)
    wrong("a distribution of scores has not one number a bin");
  return counts;
}

ScoreFacts scores_from(const std::string& step, const Json& json) {
  ScoreFacts facts;
  facts.step = step;
  facts.scorer = text_at(json, "scorer");
  facts.edges = json.at("bins").get<std::vector<double>>();
  if (facts.edges.size() < 2 ||
      std::adjacent_find(facts.edges.begin(), facts.edges.end(),
                         [](double a, double b) { return !(a < b); }) != facts.edges.end())
    wrong("the bins of a distribution of scores do not rise");
  facts.before = score_counts(json.at("before"), facts.edges.size() - 1);
  facts.after = score_counts(json.at("after"), facts.edges.size() - 1);
  return facts;
}

Funnel parsed(const Json& json) {
  Funnel funnel;
  funnel.recipe = json.at("recipe").get<std::string>();
  funnel.title = text_at(json, "title");
  if (funnel.title.empty()) funnel.title = funnel.recipe;
  funnel.seed = json.value("seed", std::uint64_t{0});
  for (const Json& one : json.at("sources")) funnel.sources.push_back(source_from(one));
  for (const Json& one : json.at("steps")) funnel.steps.push_back(account_from_json(one));
  for (const StepAccount& step : funnel.steps) {
    if (has_critiques(step.facts))
      funnel.critiques.push_back(critiques_from(step.step, step.facts));
    if (has_scores(step.facts)) funnel.scores.push_back(scores_from(step.step, step.facts));
  }
  if (const auto list = json.find("benchmarks"); list != json.end()) {
    for (const Json& one : *list) funnel.benchmarks.push_back(benchmark_from(one));
  }
  if (const auto scan = json.find("overlaps"); scan != json.end() && !scan->is_null())
    funnel.overlaps = {number_at(*scan, "checked"), number_at(*scan, "found")};
  funnel.pairs = splits_from(json.at("pairs"));
  if (const auto by = json.find("by"); by != json.end()) {
    for (const auto& [name, numbers] : by->items()) {
      if (name != "label") {
        if (!numbers.empty()) funnel.by.emplace_back(name, numbers_from(numbers));
        continue;
      }
      for (const auto& [task, labels] : numbers.items())
        funnel.labels.emplace_back(task, numbers_from(labels));
    }
  }
  return funnel;
}

// Those of a source that a step did not see are zeros.
Counts counts_of(const StepAccount& step, const std::string& source) {
  for (const auto& [name, counts] : step.sources) {
    if (name == source) return counts;
  }
  return {};
}

void check_step(const StepAccount& step) {
  for (const auto& [source, counts] : step.sources) {
    std::uint64_t dropped = 0;
    for (const auto& [reason, number] : counts.dropped) dropped += number;
    if (counts.in != counts.out + dropped) {
      wrong(fmt::format("the rows of {} do not add up in the step {}: {} in, {} out, {} dropped",
                        source, step.step, grouped(counts.in), grouped(counts.out),
                        grouped(dropped)));
    }
  }
}

void check_between(const StepAccount& before, const StepAccount& after, const std::string& source) {
  const std::uint64_t out = leaving(counts_of(before, source));
  const std::uint64_t in = counts_of(after, source).in;
  if (out != in) {
    wrong(fmt::format("{} rows of {} leave the step {} and {} enter {}", grouped(out), source,
                      before.step, grouped(in), after.step));
  }
}

void check_ends(const Funnel& funnel) {
  SplitCounts sum;
  for (const SourceFacts& source : funnel.sources) {
    const std::uint64_t in = counts_of(funnel.steps.front(), source.name).in;
    if (in != source.rows) {
      wrong(fmt::format("{} has {} rows and {} enter the first step", source.name,
                        grouped(source.rows), grouped(in)));
    }
    const std::uint64_t out = leaving(counts_of(funnel.steps.back(), source.name));
    if (out != source.pairs.total()) {
      wrong(fmt::format("{} rows of {} leave the last step and it has {} pairs", grouped(out),
                        source.name, grouped(source.pairs.total())));
    }
    sum.train += source.pairs.train;
    sum.validation += source.pairs.validation;
    sum.test += source.pairs.test;
  }
  if (sum.train != funnel.pairs.train || sum.validation != funnel.pairs.validation ||
      sum.test != funnel.pairs.test)
    wrong("the pairs of the sources are not those of the splits");
}

void check_rows(const Funnel& funnel) {
  if (funnel.steps.empty()) wrong("it has no steps");
  for (const StepAccount& step : funnel.steps) {
    check_step(step);
    for (const auto& [name, counts] : step.sources) {
      if (std::none_of(funnel.sources.begin(), funnel.sources.end(),
                       [&](const SourceFacts& source) { return source.name == name; }))
        wrong(fmt::format("the step {} has rows of {}, which is no source", step.step, name));
    }
  }
  for (size_t i = 1; i < funnel.steps.size(); ++i) {
    for (const SourceFacts& source : funnel.sources)
      check_between(funnel.steps[i - 1], funnel.steps[i], source.name);
  }
  check_ends(funnel);
}

// A row's hits stand together.
void count_contaminated(const fs::path& file, std::vector<BenchmarkFacts>& benchmarks) {
  std::map<std::string, std::pair<std::uint64_t, std::string>> rows;  // With the last row's id.
  data::JsonlReader reader(file);
  for (data::Row row; reader.next(row);) {
    try {
      auto& [number, last] = rows[row.value.at("benchmark").get<std::string>()];
      const std::string id = row.value.at("id").get<std::string>();
      if (number == 0 || id != last) ++number;
      last = id;
    } catch (const Json::exception& failure) {
      throw Error("this is no row of a contamination list: " + data::json_reason(failure),
                  reader.place());
    }
  }
  for (BenchmarkFacts& benchmark : benchmarks) {
    if (benchmark.missing.empty()) benchmark.dropped = rows[benchmark.name].first;
  }
}

}  // namespace

Funnel funnel_from_json(const Json& json) {
  Funnel funnel;
  try {
    funnel = parsed(json);
  } catch (const Json::exception& failure) {
    throw Error("this is no funnel of a curation: " + data::json_reason(failure));
  }
  check_rows(funnel);
  return funnel;
}

Funnel read_funnel(const fs::path& folder) {
  const fs::path file = folder / "funnel.json";
  if (!fs::exists(file)) {
    throw Error(
        "this is no folder of a finished curation: it has no funnel.json", folder.string(),
        "give the --out of `selene curate`; an unfinished run goes on with the same command");
  }
  try {
    Funnel funnel = funnel_from_json(data::parse_object(read_file(file)));
    const fs::path hits = folder / "contamination.jsonl";
    if (fs::exists(hits)) count_contaminated(hits, funnel.benchmarks);
    return funnel;
  } catch (const Error& failure) {
    if (!failure.where().empty()) throw;
    throw failure.at(file.string());
  }
}

std::vector<std::string> warnings_of(const Funnel& funnel) {
  std::vector<std::string> warnings;
  for (const StepAccount& step : funnel.steps) {
    const auto found = step.facts.find(Warnings::kFact);
    if (found == step.facts.end() || !found->is_array()) continue;
    for (const Json& one : *found) {
      if (one.is_string())
        warnings.push_back(fmt::format("{}: {}", step.step, one.get<std::string>()));
    }
  }
  return warnings;
}

std::vector<std::pair<std::string, std::string>> other_facts(const StepAccount& step) {
  constexpr std::string_view kCritiques[] = {"asked", "written", "kept",    "fell",
                                             "true",  "wrong",   "examples"};
  constexpr std::string_view kScores[] = {"bins", "before", "after"};
  const auto among = [](const auto& names, const std::string& name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  std::vector<std::pair<std::string, std::string>> others;
  for (const auto& [name, value] : step.facts.items()) {
    if (name == Warnings::kFact) continue;
    if (has_critiques(step.facts) && among(kCritiques, name)) continue;
    if (has_scores(step.facts) && among(kScores, name)) continue;
    others.emplace_back(name, value.is_string() ? value.get<std::string>()
                              : value.is_number_unsigned()
                                  ? grouped(value.get<std::uint64_t>())
                                  : value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return others;
}

std::uint64_t leaving(const Counts& counts) { return counts.made != 0 ? counts.made : counts.out; }

NamedNumbers most_first(const std::map<std::string, std::uint64_t>& numbers) {
  NamedNumbers sorted(numbers.begin(), numbers.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace selene::curate
