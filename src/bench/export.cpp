#include "bench/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bench/metrics.h"
#include "bench/scored.h"
#include "bench/spec.h"
#include "bench/tally.h"
#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Spec spec_of(const fs::path& folder, const std::string& benchmark) {
  const fs::path file = folder / (benchmark + ".yaml");
  if (!fs::exists(file) || !fs::exists(folder / (benchmark + ".jsonl"))) {
    throw Error(fmt::format("the run holds no finished '{}'", cut_to_columns(benchmark, 60)),
                folder.string());
  }
  return load_spec(file.string());
}

// One JSON object of columns, as reward-bench's scripts/run_generative.py leaves in
// results/eval-set-scores/MODEL.json: `results` is 1, 0.5 or 0 an item of `subset`.
std::string write_rewardbench(const fs::path& folder, const std::string& benchmark) {
  const Spec spec = spec_of(folder, benchmark);
  if (spec.overall != Overall::Sections)
    throw Error("this format is of benchmarks with sections, such as rewardbench", benchmark);
  const Scored scored = read_scored(spec, folder / (benchmark + ".jsonl"));
  const Tally tally(spec, scored);
  const std::vector<double> credits =
      tally.credits(scored.both_orders ? spec.convention : Convention::First);
  Json ids = Json::array();
  Json subsets = Json::array();
  Json results = Json::array();
  for (size_t i = 0; i < tally.size(); ++i) {
    ids.push_back(tally.item(i).id);
    subsets.push_back(scored.groups[tally.item(i).group]);
    results.push_back(credits[i]);
  }
  return Json{{"model", scored.judge},
              {"model_type", "Generative"},
              {"id", ids},
              {"subset", subsets},
              {"results", results}}
             .dump(1) +
         "\n";
}

// Rows as FastChat's gen_judgment.py leaves in model_judgment/JUDGE_single.jsonl, one turn each.
std::string write_mt_bench(const fs::path& folder, const std::string& benchmark) {
  const Spec spec = spec_of(folder, benchmark);
  if (!find_metric(spec.metric).numeric_truth())
    throw Error("this format is of benchmarks with scores, such as mt-bench", benchmark);
  std::string text;
  data::JsonlReader rows(folder / (benchmark + ".jsonl"));
  for (data::Row row; rows.next(row);) {
    try {
      const Json& judgment = row.value;
      const Json& extra = judgment.at("extra");
      const Json& label = judgment.at("label");
      Json written = {
          {"question_id", extra.at("bench").value("cluster", id_text(judgment))},
          {"model", extra.value("response_source", extra.value("model_name", benchmark))},
          {"judge", {judgment.at("judge").at("name"), judgment.at("judge").at("template")}},
          {"judgment", judgment.at("critique")},
          {"score", -1},  // What show_result.py takes for "none".
          {"turn", 1}};
      if (!label.is_null())
        written["score"] = judgment.contains("score") ? judgment.at("score")
                                                      : Json(std::stod(label.get<std::string>()));
      text += written.dump() + "\n";
    } catch (const Json::exception& failure) {
      throw Error(fmt::format("this is no row of a benchmark run: {}", data::json_reason(failure)),
                  rows.place());
    }
  }
  return text;
}

constexpr ExportFormat kFormats[] = {
    {"rewardbench", "results by subset, as reward-bench's run_generative.py leaves them",
     write_rewardbench},
    {"mt-bench", "one row a score, as FastChat's show_result.py reads them", write_mt_bench},
};

}  // namespace

std::span<const ExportFormat> export_formats() { return kFormats; }

const ExportFormat& find_export_format(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ExportFormat& format : kFormats) {
    if (format.name == name) return format;
    names.push_back(format.name);
  }
  throw Error(fmt::format("unknown format '{}'; known: {}", cut_to_columns(name, 60),
                          fmt::join(names, ", ")));
}

}  // namespace selene::bench
