#include "bench/figures.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/figure_text.h"
#include "report/svg.h"

namespace selene::bench {
namespace {

using report::Bar;
using report::BarChart;
using report::Panel;
using report::PanelGroup;
using Scores = std::vector<RunScore>;

const std::vector<std::string> kMarks = {"one answer to everything", "longer or shorter response"};

Bar bar_of(std::string label, const Figure& figure, size_t run) {
  Bar bar{.label = std::move(label), .value = figure.value, .series = run};
  bar.text = figure.value ? value_text(figure) : figure.missing;
  if (!figure.interval) return bar;
  bar.low = figure.interval->low;
  bar.high = figure.interval->high;
  bar.text += " " + interval_text(figure);
  return bar;
}

// What a judge reaches that does not read; a correlation with length is a mark as well.
std::vector<std::optional<double>> marks_of(const Score& score) {
  const Figure* constant = find_figure(score.baselines, "constant");
  return {constant == nullptr ? std::nullopt : constant->value, length_baseline(score)};
}

class Figures {
 public:
  Figures(std::span<const Report> reports, Studies studies)
      : reports_(reports),
        studies_(studies),
        names_(run_names(reports)),
        benchmarks_(by_benchmark(reports)),
        published_(published_beside(reports)) {}

  std::vector<SvgFile> run() const {
    std::vector<SvgFile> files;
    add_studies(files);
    if (benchmarks_.empty()) return files;
    files.push_back({"overview.svg", bar_chart_svg(overview())});
    if (const BarChart chart = industry(); !chart.groups.empty())
      files.push_back({"industry.svg", bar_chart_svg(chart)});
    for (const Scores& scores : benchmarks_) {
      if (const BarChart chart = by_group(scores); !chart.groups.empty()) {
        files.push_back(
            {fmt::format("groups-{}.svg", scores.front().score->benchmark), bar_chart_svg(chart)});
      }
    }
    return files;
  }

 private:
  // The colours' names, where there are several.
  std::vector<std::string> series() const {
    return names_.size() > 1 ? names_ : std::vector<std::string>();
  }

  Panel panel_of(const Scores& scores) const {
    const Score& first = *scores.front().score;
    Panel panel{.title = first.title, .note = metric_text(first), .bars = {}};
    for (const RunScore& one : scores) {
      panel.bars.push_back(bar_of(names_[one.run], one.score->figure, one.run));
      panel.bars.back().marks = marks_of(*one.score);
    }
    for (const Published& row : published_) {
      for (const auto& [benchmark, value] : row.values) {
        if (benchmark != first.benchmark) continue;
        panel.bars.push_back({.label = row.model, .value = value, .text = number(value)});
      }
    }
    return panel;
  }

  BarChart overview() const {
    BarChart chart{
        .title = "Overview",
        .note = published_.empty() ? "" : "Grey: published figures under the same reading.",
        .series = series(),
        .marks = kMarks,
        .columns = 2};
    if (const CommonAverages all = common_averages(reports_); !all.rows.empty()) {
      Panel panel{.title = "Benchmark average", .bars = {}};
      for (size_t i = 0; i < all.rows.size(); ++i) {
        const CommonAverages::Row& row = all.rows[i];
        Bar bar{.label = row.model, .value = row.benchmark_average};
        bar.text = number(row.benchmark_average);
        if (row.source.empty()) bar.series = i;
        panel.bars.push_back(std::move(bar));
      }
      chart.groups.push_back(
          {fmt::format("(a) Average of {} benchmarks", all.benchmarks.size()), {std::move(panel)}});
    }
    const std::pair<const char*, const char*> tasks[] = {
        {"absolute", "(b) Absolute scoring"},
        {"classification", "(b) Classification"},
        {"pairwise", "(b) Pairwise"},
        {"", "Beside the paper's averages"},
    };
    for (const auto& [task, heading] : tasks) {
      PanelGroup group{heading, {}};
      for (const Scores& scores : benchmarks_) {
        const Score& first = *scores.front().score;
        if (first.average == task && !is_industry(first.benchmark))
          group.panels.push_back(panel_of(scores));
      }
      if (!group.panels.empty()) chart.groups.push_back(std::move(group));
    }
    return chart;
  }

  BarChart industry() const {
    BarChart chart{
        .title = "Industry sets", .series = series(), .marks = {kMarks[0]}, .columns = 2};
    for (const Scores& scores : benchmarks_) {
      if (!is_industry(scores.front().score->benchmark)) continue;
      PanelGroup group{"", {panel_of(scores)}};
      for (Bar& bar : group.panels.front().bars) bar.marks.resize(bar.series ? 1 : 0);
      if (Panel groups = groups_of(scores, &Score::groups, "by group"); !groups.bars.empty())
        group.panels.push_back(std::move(groups));
      chart.groups.push_back(std::move(group));
    }
    return chart;
  }

  Bar group_bar(const GroupFigure& group, size_t run) const {
    std::string label = group.name.empty() ? "(no group)" : group.name;
    if (reports_.size() > 1) label += ", " + names_[run];
    Bar bar = bar_of(std::move(label), group.figure, run);
    bar.text += fmt::format(" n={}", group.items);
    return bar;
  }

  // A bar for each group of each run.
  Panel groups_of(const Scores& scores, std::vector<GroupFigure> Score::*member,
                  const char* title) const {
    Panel panel{.title = title, .bars = {}};
    std::vector<std::string> names;
    for (const RunScore& one : scores) {
      for (const GroupFigure& group : one.score->*member) {
        if (std::find(names.begin(), names.end(), group.name) == names.end())
          names.push_back(group.name);
      }
    }
    for (const std::string& wanted : names) {
      for (const RunScore& one : scores) {
        for (const GroupFigure& group : one.score->*member) {
          if (group.name == wanted) panel.bars.push_back(group_bar(group, one.run));
        }
      }
    }
    return panel;
  }

  BarChart by_group(const Scores& scores) const {
    const Score& first = *scores.front().score;
    BarChart chart{.title = first.title, .note = metric_text(first), .series = series()};
    for (const auto& [member, title] :
         {std::pair{&Score::sections, "By section"}, {&Score::groups, "By group"}}) {
      if (Panel panel = groups_of(scores, member, title); !panel.bars.empty())
        chart.groups.push_back({"", {std::move(panel)}});
    }
    if (chart.groups.empty()) return chart;
    chart.groups.insert(chart.groups.begin(), PanelGroup{"", {panel_of(scores)}});
    chart.marks = kMarks;
    chart.groups.front().panels.front().title = "Overall";
    chart.groups.front().panels.front().note.clear();
    return chart;
  }

  // Format by format in the order of the benchmark's first study, a bar a judge.
  void add_studies(std::vector<SvgFile>& files) const {
    std::map<std::string, std::vector<const Robustness*>> by_name;
    for (const Robustness& study : studies_) by_name[study.benchmark].push_back(&study);
    for (const auto& [benchmark, studies] : by_name) {
      BarChart chart{.title = benchmark + " under other formats of the prompt",
                     .note = "Accuracy, with its 95% interval."};
      if (studies.size() > 1) {
        for (const Robustness* study : studies) chart.series.push_back(study->judge);
      }
      for (const auto& [member, title] :
           {std::pair{&Robustness::formats, "Formats"}, {&Robustness::probes, "Probes"}}) {
        Panel panel{.title = title, .bars = {}};
        for (const FormatResult& format : studies.front()->*member) {
          for (size_t i = 0; i < studies.size(); ++i) {
            for (const FormatResult& same : studies[i]->*member) {
              if (same.name == format.name) panel.bars.push_back(bar_of(same.name, same.figure, i));
            }
          }
        }
        if (!panel.bars.empty()) chart.groups.push_back({"", {std::move(panel)}});
      }
      files.push_back({fmt::format("robustness-{}.svg", benchmark), bar_chart_svg(chart)});
    }
  }

  std::span<const Report> reports_;
  Studies studies_;
  std::vector<std::string> names_;
  std::vector<Scores> benchmarks_;
  std::vector<Published> published_;
};

}  // namespace

std::vector<SvgFile> svg_figures(std::span<const Report> reports, Studies studies) {
  return Figures(reports, studies).run();
}

bool is_industry(const std::string& benchmark) {
  return benchmark.starts_with("financebench") || benchmark.starts_with("craft-md");
}

}  // namespace selene::bench
