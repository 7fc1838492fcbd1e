#include "curate/write.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "curate/contamination.h"
#include "curate/row_file.h"
#include "table/table.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kSplits{"train", "validation", "test"};
constexpr size_t kBatch = 1024;
constexpr size_t kFinalWords = 13;  // Brown et al., arXiv 2005.14165, appendix C.

void append_file(AtomicFile& to, const fs::path& from) {
  std::ifstream file(from, std::ios::binary);
  if (!file) throw Error("cannot read", from.string());
  std::string buffer(size_t{1} << 20, '\0');
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0)
    to.append(std::string_view(buffer).substr(0, static_cast<size_t>(file.gcount())));
}

// dropped.jsonl, and of the step `contamination` contamination.jsonl.
void write_dropped(const RunResult& result, const fs::path& out) {
  AtomicFile dropped(out / "dropped.jsonl"), overlaps(out / "contamination.jsonl");
  for (const StageFile& stage : result.stages) {
    RowReader reader({stage.dropped});
    for (std::vector<std::string> lines; !(lines = reader.lines(kBatch)).empty();) {
      std::string all, contaminated;
      for (const std::string& line : lines) {
        all += line + "\n";
        if (line.find("\"step\":\"contamination\"") == std::string::npos) continue;
        const Json row = Json::parse(line);
        if (row.at("step") != "contamination") continue;
        // "benchmark item: what is shared"
        const auto detail = row.at("detail").get<std::string>();
        const size_t space = detail.find(' '), colon = detail.find(": ", space);
        const bool near = row.at("reason").get<std::string>().starts_with("near");
        contaminated += Json{{"id", row.at("id")},
                             {"benchmark", detail.substr(0, space)},
                             {"item", detail.substr(space + 1, colon - space - 1)},
                             {near ? "similarity" : "words", detail.substr(colon + 2)}}
                            .dump() +
                        "\n";
      }
      dropped.append(all);
      overlaps.append(contaminated);
    }
  }
  dropped.commit();
  overlaps.commit();
}

struct PairCounts {
  std::map<std::string, std::map<std::string, std::uint64_t>> of_source;  // By split.
  std::map<std::string, std::uint64_t> of_split, of_task, of_kind, of_template, of_topic,
      of_rejected;
  std::map<std::string, std::map<std::string, std::uint64_t>> labels;  // By task.

  void add(const Row& row) {
    const std::string task(data::task_name(row.sample.task));
    ++of_source[row.source][row.pair->split];
    ++of_split[row.pair->split];
    ++of_task[task];
    ++of_kind[row.pair->kind];
    ++of_template[row.pair->template_name];
    if (!row.topic.empty()) ++of_topic[row.topic];
    if (!row.pair->rejected_origin.empty()) ++of_rejected[row.pair->rejected_origin];
    ++labels[task][row.pair->label];
  }
};

Json to_json(const std::map<std::string, std::uint64_t>& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

// The largest, and the others together.
std::map<std::string, std::uint64_t> most(const std::map<std::string, std::uint64_t>& counts) {
  constexpr size_t kMost = 30;
  std::vector<std::pair<std::uint64_t, std::string>> by_size;
  for (const auto& [name, count] : counts) by_size.emplace_back(count, name);
  std::sort(by_size.rbegin(), by_size.rend());
  std::map<std::string, std::uint64_t> kept;
  for (size_t i = 0; i < by_size.size(); ++i)
    kept[i < kMost ? by_size[i].second : "(others)"] += by_size[i].first;
  return kept;
}

const std::vector<table::Column>& parquet_columns() {
  using Type = table::ColumnType;
  static const std::vector<table::Column> columns{
      {"id", Type::Text},         {"source", Type::Text},         {"task", Type::Text},
      {"prompt", Type::Messages}, {"chosen", Type::Messages},     {"rejected", Type::Messages},
      {"label", Type::Text},      {"rejected_label", Type::Text}, {"kind", Type::Text},
      {"group", Type::Text},      {"stratum", Type::Text},        {"scores", Type::Json},
      {"provenance", Type::Json}};
  return columns;
}

struct PairWriter {
  explicit PairWriter(const fs::path& out) {
    for (size_t i = 0; i < kSplits.size(); ++i) {
      lines.push_back(std::make_unique<AtomicFile>(out / fmt::format("{}.jsonl", kSplits[i])));
      tables.emplace_back(out / fmt::format("{}.parquet", kSplits[i]), parquet_columns());
    }
  }
  void commit() {
    for (auto& file : lines) file->commit();
    for (table::ParquetWriter& file : tables) file.finish();
  }

  std::vector<std::unique_ptr<AtomicFile>> lines;
  std::vector<table::ParquetWriter> tables;
};

size_t split_index(const std::string& split) {
  return static_cast<size_t>(std::find(kSplits.begin(), kSplits.end(), split) - kSplits.begin());
}

// What is looked for in the pairs: null where the recipe or the user does not want it.
std::shared_ptr<const BenchmarkTexts> benchmark_texts(const Recipe& recipe,
                                                      const Resources& resources) {
  const bool wanted = std::any_of(recipe.steps.begin(), recipe.steps.end(),
                                  [](const auto& step) { return step.name == "contamination"; });
  const bool has_some = std::any_of(resources.benchmarks.begin(), resources.benchmarks.end(),
                                    [](const Benchmark& one) { return one.missing.empty(); });
  if (!wanted || !has_some) return nullptr;
  if (resources.benchmark_texts && resources.benchmark_texts->words() == kFinalWords)
    return resources.benchmark_texts;
  return std::make_shared<BenchmarkTexts>(resources.benchmarks, kFinalWords, resources.threads);
}

// A pair as it is written.
Json pair_json(const Recipe& recipe, const Row& row, const Json& models) {
  const Pair& pair = *row.pair;
  Json json = {{"id", row.id}, {"source", row.source}, {"task", data::task_name(row.sample.task)}};
  json["prompt"] = messages_json(pair.prompt);
  json["chosen"] = messages_json({{"assistant", pair.chosen}});
  json["rejected"] = messages_json({{"assistant", pair.rejected}});
  json["label"] = pair.label;
  json["rejected_label"] = pair.rejected_label;
  json["kind"] = pair.kind;
  json["group"] = row.sample.group.value_or("");
  if (!row.topic.empty()) json["stratum"] = row.topic;
  if (pair.chosen_score && pair.rejected_score)
    json["scores"] = {{"chosen", *pair.chosen_score}, {"rejected", *pair.rejected_score}};
  Json steps = Json::array();
  for (const Change& one : row.history) steps.push_back({one.step, one.what});
  json["provenance"] = {{"recipe", recipe.name},
                        {"seed", recipe.seed},
                        {"source", row.source},
                        {"id", row.sample.id},
                        {"row", row.id.substr(0, row.id.rfind('#'))},
                        {"steps", std::move(steps)},
                        {"template", pair.template_name}};
  if (!models.empty()) json["provenance"]["models"] = models;
  if (!pair.chosen_origin.empty()) {
    json["provenance"]["chosen_origin"] = pair.chosen_origin;
    json["provenance"]["rejected_origin"] = pair.rejected_origin;
  }
  return json;
}

struct Written {
  PairCounts counts;
  Json overlaps = nullptr;
};

Written write_pairs(const Recipe& recipe, Resources& resources, const RunResult& result,
                    const fs::path& out, const BenchmarkTexts* benchmarks) {
  Written written;
  PairWriter writer(out);
  std::uint64_t checked = 0, found = 0;
  Json first = nullptr;
  RowReader reader({result.stages.back().rows});
  for (std::vector<std::string> lines; !(lines = reader.lines(kBatch)).empty();) {
    std::vector<Row> batch(lines.size());
    std::vector<Json> json(lines.size());
    std::vector<std::string> text(lines.size());
    std::vector<std::optional<std::string>> overlap(lines.size());
    parallel_for(lines.size(), resources.threads, [&](size_t i) {
      batch[i] = row_from_json(Json::parse(lines[i]));
      Pair& pair = *batch[i].pair;
      if (pair.split.empty()) pair.split = "train";
      json[i] = pair_json(recipe, batch[i], result.models);
      text[i] = json[i].dump() + "\n";
      if (benchmarks == nullptr) return;
      const std::string_view texts[] = {pair.prompt.back().content, pair.chosen, pair.rejected};
      overlap[i] = benchmarks->shared_run(texts);
    });
    std::array<std::string, kSplits.size()> parts;
    for (size_t i = 0; i < lines.size(); ++i) {
      const size_t split = split_index(batch[i].pair->split);
      parts[split] += text[i];
      writer.tables[split].append(json[i]);
      written.counts.add(batch[i]);
      ++checked;
      if (!overlap[i]) continue;
      if (found++ == 0) first = {{"id", batch[i].id}, {"in", *overlap[i]}};
    }
    for (size_t split = 0; split < kSplits.size(); ++split)
      writer.lines[split]->append(parts[split]);
  }
  writer.commit();
  if (benchmarks != nullptr) {
    written.overlaps = {{"words", kFinalWords}, {"checked", checked}, {"found", found}};
    if (found > 0) written.overlaps["first"] = first;
  }
  return written;
}

Json source_json(const Source& source, const RunResult& result, const PairCounts& counts) {
  Json json = {{"name", source.name},       {"title", source.title},
               {"licence", source.licence}, {"attribution", source.attribution},
               {"paper", source.paper},     {"labels_by", source.labels_by},
               {"note", source.note}};
  json["revision_files"] = Json::array();
  for (const data::SourceFile& file : source.source.files) {
    json["revision_files"].push_back(
        {{"file", file.file}, {"address", file.address}, {"sha256", file.sha256}});
  }
  json["rows"] = 0;
  for (const auto& [name, loaded] : result.accounts.front().sources) {
    if (name == source.name) json["rows"] = loaded.in;
  }
  json["pairs"] = Json::object();
  for (const char* split : kSplits) {
    const auto found = counts.of_source.find(source.name);
    const bool has = found != counts.of_source.end() && found->second.contains(split);
    json["pairs"][split] = has ? found->second.at(split) : 0;
  }
  for (const auto& [name, reason] : result.not_present) {
    if (name == source.name) json["not_present"] = reason;
  }
  return json;
}

}  // namespace

void write_rejected(const fs::path& work, const fs::path& out) {
  std::vector<fs::path> files;
  if (fs::exists(work / "load")) {
    for (const auto& entry : fs::directory_iterator(work / "load")) {
      if (entry.path().string().ends_with(".rejected.jsonl")) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  AtomicFile rejected(out / "rejected.jsonl");
  for (const fs::path& file : files) append_file(rejected, file);
  rejected.commit();
}

Json write_outputs(const Recipe& recipe, Resources& resources, const RunResult& result,
                   const fs::path& out) {
  fs::create_directories(out);
  AtomicFile rejected(out / "rejected.jsonl");
  for (const fs::path& file : result.rejected) append_file(rejected, file);
  rejected.commit();
  write_dropped(result, out);
  const std::shared_ptr<const BenchmarkTexts> benchmarks = benchmark_texts(recipe, resources);
  const Written written = write_pairs(recipe, resources, result, out, benchmarks.get());
  const PairCounts& counts = written.counts;
  Json funnel = {{"recipe", recipe.name}, {"title", recipe.title}, {"seed", recipe.seed}};
  funnel["sources"] = Json::array();
  for (const Source& source : recipe.sources)
    funnel["sources"].push_back(source_json(source, result, counts));
  funnel["steps"] = Json::array();
  for (const StepAccount& account : result.accounts) funnel["steps"].push_back(to_json(account));
  if (!result.skipped.empty()) funnel["skipped"] = result.skipped;
  funnel["benchmarks"] = Json::array();
  if (benchmarks != nullptr) {
    for (const BenchmarkTexts::About& one : benchmarks->about()) {
      funnel["benchmarks"].push_back(
          {{"name", one.name},
           {"items", one.missing.empty() ? Json(one.items) : Json(nullptr)},
           {"missing", one.missing}});
    }
  }
  funnel["overlaps"] = written.overlaps;
  funnel["pairs"] = Json::object();
  for (const char* split : kSplits)
    funnel["pairs"][split] = counts.of_split.contains(split) ? counts.of_split.at(split) : 0;
  funnel["by"] = {{"task", to_json(counts.of_task)},
                  {"kind", to_json(counts.of_kind)},
                  {"template", to_json(counts.of_template)},
                  {"topic", to_json(most(counts.of_topic))},
                  {"rejected critique", to_json(counts.of_rejected)},
                  {"label", Json::object()}};
  for (const auto& [task, labels] : counts.labels) funnel["by"]["label"][task] = to_json(labels);
  write_file_atomically(out / "funnel.json", funnel.dump(1) + "\n");
  return funnel;
}

}  // namespace selene::curate
