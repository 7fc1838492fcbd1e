// The page is page.html, compiled into the program, with the runs as JSON in it, d3 and Observable
// Plot where they were at hand when the program was built, and the digests of all its scripts and
// of its style in its Content-Security-Policy: no other script runs, nothing is loaded.
#include <algorithm>

#include <fmt/format.h>

#include "bench/figures.h"
#include "bench/reports.h"
#include "core/embedded.h"
#include "report/offline_page.h"

namespace selene {

// From src/bench/CMakeLists.txt: page.html alone; and what draws its figures, by name without a
// folder: each part's licence, then its script.
std::span<const EmbeddedFile> report_page_files();
std::span<const EmbeddedFile> chart_files();

namespace bench {
namespace {

using Json = nlohmann::ordered_json;

Json page_data(std::span<const Report> reports, Studies studies) {
  const std::vector<std::string> names = run_names(reports);
  Json runs = Json::array();
  for (size_t run = 0; run < reports.size(); ++run) {
    Json row = to_json(reports[run]);
    row["name"] = names[run];
    runs.push_back(std::move(row));
  }
  Json order = Json::array();
  for (const std::vector<RunScore>& scores : by_benchmark(reports)) {
    const std::string& name = scores.front().score->benchmark;
    order.push_back({{"name", name}, {"industry", is_industry(name)}});
  }
  Json robustness = Json::array();
  for (const Robustness& study : studies) robustness.push_back(to_json(study));
  return {{"runs", std::move(runs)},
          {"benchmarks", std::move(order)},
          {"robustness", std::move(robustness)},
          {"published", to_json(published_beside(reports))},
          {"published_apart", to_json(published_apart(reports))},
          {"published_note", published_note(reports)},
          {"common_averages", to_json(common_averages(reports))}};
}

// The script of a part, below its licence.
std::vector<std::string> chart_scripts() {
  std::vector<std::string> scripts;
  std::string licence;
  for (const EmbeddedFile& file : chart_files()) {
    if (file.name.ends_with(".licence")) {
      licence = fmt::format("\n/*!\n{}*/\n", file.text);
    } else {
      scripts.push_back(licence + std::string(file.text));
    }
  }
  return scripts;
}

}  // namespace

bool has_charts() { return !chart_files().empty(); }

std::string report_page(std::span<const Report> reports, Studies studies) {
  const std::string_view page = report_page_files().front().text;
  const std::string_view own = report::between(page, "<script>", "</script>");
  const std::string_view style = report::between(page, "<style>", "</style>");
  std::string digests = fmt::format("'sha256-{}'", report::policy_digest(own));
  std::string scripts;
  for (const std::string& script : chart_scripts()) {
    digests += fmt::format(" 'sha256-{}'", report::policy_digest(script));
    scripts += fmt::format("<script>{}</script>\n", script);
  }
  const report::Hole holes[] = {
      {"@SCRIPTS_SHA256@", digests},
      {"@STYLE_SHA256@", report::policy_digest(style)},
      {"@DATA@", report::script_json(page_data(reports, studies))},
      {"@CHARTS@", scripts},
  };
  return report::fill_holes(page, holes);
}

}  // namespace bench
}  // namespace selene
