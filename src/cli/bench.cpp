// `selene bench`: the benchmarks that there are, what of their data is here, and whether it is what
// it should be.
#include "cli/bench.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/items.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "report/table.h"
#include "table/table.h"

namespace selene::cli {
namespace {

using report::Style;

struct BenchCommand {
  std::vector<std::string> names;
  std::string data;
  bool json = false;
};

// What `list` says of a benchmark's data.
std::string presence(const bench::Spec& spec, const std::filesystem::path& folder) {
  std::string reason;
  const bench::Selection* selection = bench::present_selection(spec, folder, reason);
  if (selection == nullptr) return "no";
  return selection == &spec.source ? "yes" : "a converted copy";
}

int list(const BenchCommand& options) {
  const std::filesystem::path folder = data_folder(options.data);
  std::vector<bench::Spec> specs = load_specs(options.names);
  if (options.json) {
    for (const bench::Spec& spec : specs) {
      nlohmann::ordered_json row = {{"name", spec.name},
                                    {"title", spec.title},
                                    {"about", spec.about},
                                    {"task", data::task_name(spec.task)},
                                    {"metric", spec.metric},
                                    {"items", nullptr},
                                    {"paper", spec.paper},
                                    {"licence", spec.licence},
                                    {"data", presence(spec, folder)},
                                    {"known", nlohmann::ordered_json::object()}};
      if (spec.items) row["items"] = *spec.items;
      for (const bench::Known& known : spec.known) row["known"][known.what] = known.source;
      put(row.dump() + "\n");
    }
    return kExitOk;
  }
  report::Table table({{.title = "benchmark", .width = 28},
                       {.title = "task", .width = 14},
                       {.title = "metric", .width = 8},
                       {.title = "items", .width = 6, .align = report::Align::Right},
                       {.title = "data", .width = 16},
                       {.title = "what it is", .width = 20, .flexible = true}},
                      report::terminal(STDOUT_FILENO));
  put(table.header());
  for (const bench::Spec& spec : specs) {
    const std::string present = presence(spec, folder);
    const report::Cell cells[] = {{spec.name, Style::Bold},
                                  {std::string(data::task_name(spec.task))},
                                  {spec.metric},
                                  {spec.items ? fmt::format("{}", *spec.items) : "?"},
                                  {present, present == "no" ? Style::Dim : Style::Plain},
                                  {spec.about.empty() ? spec.title : spec.about}};
    put(table.row(cells));
  }
  put(fmt::format(
      "\ndata folder: {}{}\n", folder.string(),
      std::filesystem::exists(folder) ? "" : " (not there; selene bench pull makes it)"));
  return kExitOk;
}

// Reads every item of the benchmarks whose data is here.
int check(const BenchCommand& options) {
  const std::filesystem::path folder = data_folder(options.data);
  size_t wrong = 0;
  for (const bench::Spec& spec : load_specs(options.names)) {
    std::string reason;
    const bench::Selection* selection = bench::present_selection(spec, folder, reason);
    if (selection == nullptr) {
      put(fmt::format("{}: {}\n", spec.name, reason));
      continue;
    }
    try {
      for (const std::string& warning : bench::revision_warnings(*selection, folder))
        put(fmt::format("{}: warning: {}\n", spec.name, warning));
      const bench::ItemSet items = bench::choose_items(spec, *selection, folder, {});
      put(fmt::format("{}: ok, {} items{}\n", spec.name, items.total,
                      selection == &spec.source ? "" : " of a converted copy"));
    } catch (const Error& failure) {
      put(fmt::format("{}: error: {}\n", spec.name, failure.what()));
      ++wrong;
    }
  }
  return wrong == 0 ? kExitOk : kExitError;
}

constexpr const char* kExamples = R"(Examples:
  selene bench list
  selene bench pull rewardbench hhh
  selene bench run rewardbench --judge selene-1-mini --out runs/selene
  selene bench run all --limit 200 --mode verdict --out runs/quick
  selene bench report runs/selene --html report.html
  selene bench compare runs/selene runs/quick

A file of your own (NAME.yaml, docs/formats.md) is a benchmark as those of the program are.)";

}  // namespace

void add_data_flag(CLI::App& command, std::string& data) {
  command
      .add_option("--data", data,
                  "Folder of the benchmarks' data [SELENE_DATA, else the user's data folder]")
      ->check(not_empty());
}

std::filesystem::path data_folder(const std::string& data) {
  if (!data.empty()) {
    if (!std::filesystem::is_directory(data)) throw Error("there is no such folder", data);
    return data;
  }
  if (const char* named = std::getenv("SELENE_DATA"); named != nullptr && *named != '\0') {
    if (!std::filesystem::is_directory(named)) throw Error("SELENE_DATA names no folder", named);
    return named;
  }
  return data_dir() / "benchmarks";
}

std::vector<bench::Spec> load_specs(const std::vector<std::string>& names) {
  const bool all = names.empty() || (names.size() == 1 && names.front() == "all");
  std::vector<bench::Spec> specs;
  std::set<std::string> seen;
  for (const std::string& name : all ? bench::spec_names() : names) {
    bench::Spec spec = bench::load_spec(name);
    if (!seen.insert(spec.name).second)
      throw UsageError(fmt::format("the benchmark '{}' is named twice", spec.name));
    specs.push_back(std::move(spec));
  }
  return specs;
}

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("bench", "Benchmarks: how good a judge is, with intervals and baselines");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*run)(const BenchCommand&)) {
    auto options = std::make_shared<BenchCommand>();
    CLI::App* sub = command->add_subcommand(name, help);
    sub->add_option("NAMES", options->names, "Benchmarks by name or file [all]");
    add_data_flag(*sub, options->data);
    if (run == list) sub->add_flag("--json", options->json, "A JSON object a benchmark");
    sub->callback([options, run, &exit_code] { exit_code = run(*options); });
  };
  add("list", "The benchmarks, and whether their data is here", list);
  add("check", "Read every item of the benchmarks whose data is here", check);
  add_bench_pull_command(*command, exit_code);
  add_bench_run_command(*command, exit_code);
  add_bench_report_command(*command, exit_code);
  add_bench_compare_command(*command, exit_code);
  add_bench_robustness_command(*command, exit_code);
  add_bench_export_command(*command, exit_code);
  command->footer(kExamples);
}

}  // namespace selene::cli
