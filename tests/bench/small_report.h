// Reports of two runs: a pairwise benchmark in the paper's averages and an industry set.
#pragma once

#include <string>
#include <string_view>

#include "bench/reports.h"

namespace selene::bench {

inline constexpr char kHostileBytes[] =
    "</script><script>alert(1)</script><!-- \x1b[31m\0 \xFF @DATA@ @CHARTS@ | ` \xE2\x80\xA8 "
    "&amp; \"q\"\nend";
inline constexpr std::string_view kHostile{kHostileBytes, sizeof kHostileBytes - 1};

inline Figure figure_of(std::string name, double value, double low, double high) {
  return {name, name, value, stats::Interval{low, high}, ""};
}

inline Score pair_score(const std::string& judge, double value) {
  Score score;
  score.benchmark = "hhh";
  score.title = "HHH Alignment";
  score.task = score.average = "pairwise";
  score.judge = judge;
  score.template_name = "pairwise";
  score.mode = "critique";
  score.metric = "accuracy";
  score.convention = "mean";
  score.items_of_benchmark = 221;
  score.items = score.judged = 20;
  score.unreadable = 1;
  score.reasons = {"no verdict"};
  score.figure = figure_of("accuracy", value, value - 0.1, value + 0.1);
  score.baselines = {{"constant", "always A", 0.5, stats::Interval{0.375, 0.625}, ""},
                     {"longer", "always the longer response", 0.6, {}, ""},
                     {"shorter", "always the shorter response", 0.4, {}, ""}};
  score.conventions = {score.figure};
  score.others = {{"flip_rate", "verdicts that flip with the order", 0.25, {}, ""}};
  score.groups = {{"helpful", 12, figure_of("accuracy", 0.5, 0.25, 0.75)},
                  {"honest", 8, figure_of("accuracy", 0.75, 0.5, 1)}};
  score.confusion = stats::Confusion{{"A", "B"}, {{6, 4}, {2, 8}}};
  score.disagreements = {{"h1", "honest", "A", "B", 0.01, "B is shorter.", {{"input", "1+1?"}}}};
  return score;
}

inline Score industry_score(const std::string& judge) {
  Score score;
  score.benchmark = "craft-md";
  score.title = "CRAFT-MD";
  score.task = "classification";
  score.judge = judge;
  score.template_name = "classification";
  score.mode = "critique";
  score.metric = "accuracy";
  score.items_of_benchmark = score.items = score.judged = 540;
  score.figure = figure_of("accuracy", 0.9, 0.875, 0.925);
  score.baselines = {{"constant", "always Yes", 0.8, {}, ""}};
  return score;
}

inline Report small_report(const std::string& judge = "ours", double value = 0.7) {
  Report report;
  report.folder = "runs/" + judge;
  report.judge = judge;
  report.scores = {pair_score(judge, value), industry_score(judge)};
  report.not_run = {{"flask", "flask", "data not present: flask.jsonl"}};
  report.averages = {
      {"pairwise", value, stats::Interval{value - 0.1, value + 0.1}, 1, 6},
      {"benchmark average", value, stats::Interval{value - 0.1, value + 0.1}, 1, 11}};
  report.published = {{"GPT-4o", "arXiv 2409.14664", "", {{"hhh", 0.932}}}};
  report.published_apart = {{"Llama",
                             "arXiv 2501.17195",
                             "items unknown",
                             {{"craft-md", 0.64}, {"craft-md/terms", 0.79}}}};
  return report;
}

// Every text that a run or a benchmark file can bring.
inline Report hostile_report() {
  const std::string text(kHostile);
  Report report = small_report(text);
  report.folder = text;
  report.not_run[0].reason = text;
  Score& score = report.scores[0];
  score.title = score.template_name = score.mode = score.metric = text;
  score.reasons = {text};
  score.no_texts = text;
  score.groups[0].name = text;
  score.confusion->labels[0] = text;
  score.baselines[0].title = text;
  score.disagreements[0] = {text, text, text, text, 0.5, text, {{text, text}}};
  return report;
}

}  // namespace selene::bench
