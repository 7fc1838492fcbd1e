// `selene train plot`: the curves of a run as SVG.
#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "data/jsonl.h"
#include "report/curves.h"
#include "report/picture.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

// A curve of metrics.jsonl: a field of a step's line, or of its `validation`.
struct Wanted {
  const char* panel;
  const char* field;
  const char* name;
  bool of_validation = false;
};
constexpr Wanted kWanted[] = {
    {"Loss", "loss", "a step's pairs"},
    {"Loss", "loss", "validation", true},
    {"Margin of rewards", "margin", "a step's pairs"},
    {"Margin of rewards", "margin", "validation", true},
    {"Log-probability of an answer", "chosen_log_p", "chosen"},
    {"Log-probability of an answer", "rejected_log_p", "rejected"},
    {"Share that is right", "accuracy", "step's margins"},
    {"Share that is right", "accuracy", "validation's", true},
    {"Share that is right", "verdict_accuracy", "its verdicts", true},
    {"Norm of the gradient", "gradient_norm", "before clipping"},
    {"Learning rate", "learning_rate", "learning rate"},
};

report::CurveChart chart_of(const fs::path& metrics) {
  report::CurveChart chart{
      .title = "Training run " +
               fs::absolute(metrics.parent_path()).lexically_normal().filename().string(),
      .x = "step"};
  std::vector<std::vector<report::Point>> points(std::size(kWanted));
  data::JsonlReader reader(metrics);
  for (data::Row row; reader.next(row);) {
    if (!row.value.contains("step") || !row.value["step"].is_number())
      throw Error("this is no line of a run's metrics", reader.place());
    const auto step = row.value["step"].get<double>();
    for (std::size_t i = 0; i < std::size(kWanted); ++i) {
      const auto validation = row.value.find("validation");
      if (kWanted[i].of_validation != (validation != row.value.end())) continue;
      const auto& from = kWanted[i].of_validation ? *validation : row.value;
      const auto value = from.find(kWanted[i].field);
      if (value != from.end() && value->is_number())
        points[i].push_back({step, value->get<double>()});
    }
  }
  for (std::size_t i = 0; i < std::size(kWanted); ++i) {
    if (points[i].empty()) continue;
    if (chart.panels.empty() || chart.panels.back().title != kWanted[i].panel)
      chart.panels.push_back({.title = kWanted[i].panel, .curves = {}});
    chart.panels.back().curves.push_back({kWanted[i].name, std::move(points[i])});
  }
  if (chart.panels.empty()) throw Error("there is no step to draw", metrics.string());
  return chart;
}

}  // namespace

void add_train_plot_command(CLI::App& train, int& exit_code) {
  struct Options {
    std::string run;
    std::string out;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = train.add_subcommand("plot", "Draw a run's curves as SVG or PNG");
  command->footer("Examples:\n  selene train plot run\n  selene train plot run --out curves.png");
  command->add_option("RUN", options->run, "Folder of a run")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_option("--out", options->out, ".svg or .png file [RUN/curves.svg]")
      ->check(not_empty());
  command->callback([options, &exit_code] {
    const fs::path run = options->run;
    const fs::path out =
        output_target(options->out.empty() ? run / "curves.svg" : fs::path(options->out), true);
    report::write_picture(out, report::curves_svg(chart_of(run / "metrics.jsonl")));
    std::fprintf(stderr, "%s\n", out.c_str());
    exit_code = kExitOk;
  });
}

}  // namespace selene::cli
