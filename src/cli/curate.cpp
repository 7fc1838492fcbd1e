// `selene curate`: a recipe over its sources, to pairs that a judge can be trained on.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "bench/items.h"
#include "bench/spec.h"
#include "cli/arguments.h"
#include "cli/bench.h"
#include "cli/commands.h"
#include "cli/judge_flags.h"
#include "cli/output.h"
#include "cli/pull_files.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/parallel.h"
#include "core/progress.h"
#include "core/run_record.h"
#include "core/text.h"
#include "curate/funnel.h"
#include "curate/pipeline.h"
#include "curate/recipe.h"
#include "curate/report.h"
#include "curate/row_file.h"
#include "curate/write.h"
#include "report/table.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct CurateCommand {
  std::string recipe;
  std::string data;
  std::string out;
  std::string bench_data;
  std::string from;
  std::string model;
  double max_bad = 0.01;
  std::uint64_t rows = 20;
  std::optional<std::uint64_t> seed;
  std::string token_env = "HF_TOKEN";
  bool pull = false;
  bool dry_run = false;
  bool no_contamination = false;
  bool overwrite = false;
  bool quiet = false;
  JudgeFlags judge;
};

// --bench-data, else SELENE_DATA, else the folder `bench` beside that of the sources.
fs::path bench_folder(const CurateCommand& options) {
  const char* named = std::getenv("SELENE_DATA");
  if (!options.bench_data.empty() || (named != nullptr && *named != '\0'))
    return data_folder(options.bench_data);
  fs::path sources = fs::absolute(options.data).lexically_normal();
  if (!sources.has_filename()) sources = sources.parent_path();  // It ended with a slash.
  return sources.parent_path() / "bench";
}

// Every benchmark of the program, each read when it is asked for.
void add_benchmarks(const fs::path& folder, curate::Resources& resources) {
  std::string digests;
  for (const std::string& name : bench::spec_names()) {
    auto spec = std::make_shared<bench::Spec>(bench::load_spec(name));
    std::string reason;
    const bench::Selection* selection = bench::present_selection(*spec, folder, reason);
    curate::Benchmark one{.name = name, .missing = reason, .each = {}};
    if (selection != nullptr) {
      one.missing = "";
      digests += name + selection->sql;
      for (const bench::SourceFile& file : selection->files)
        digests += sha256_file_cached(folder / file.file);
      one.each = [spec, selection, folder](const auto& use) {
        bench::ItemReader items(*spec, *selection, folder, 0);
        for (data::Sample sample; items.next(sample);) use(sample.id, curate::judged_texts(sample));
      };
    }
    resources.benchmarks.push_back(std::move(one));
  }
  resources.benchmarks_digest = sha256(digests);
}

int pull(const CurateCommand& options, const curate::Recipe& recipe) {
  fs::create_directories(options.data);
  size_t failed = 0;
  for (const curate::Source& source : recipe.sources) {
    if (interrupted()) return kExitInterrupted;
    put(fmt::format("{}: licence: {}\n", source.name, source.licence));
    try {
      pull_files(source.source, options.data,
                 {.owner = "recipe",
                  .paper = source.paper.empty() ? source.attribution : source.paper,
                  .token_env = source.gated ? options.token_env : "",
                  .quiet = options.quiet});
    } catch (const Error& failure) {
      if (interrupted()) throw;
      flush_output();
      fmt::print(stderr, "error: {}: {}\n", source.name, failure.what());
      ++failed;
    }
  }
  return failed == 0 ? kExitOk : kExitError;
}

curate::Resources make_resources(const CurateCommand& options, const curate::Recipe& recipe,
                                 const fs::path& scratch) {
  curate::Resources resources;
  resources.recipe = &recipe;
  resources.seed = recipe.seed;
  resources.threads =
      options.judge.machine.threads > 0 ? options.judge.machine.threads : machine_threads();
  resources.scratch = scratch;
  resources.model = options.model;
  resources.no_contamination = options.no_contamination || options.dry_run;
  resources.open_judge = [&options](const std::string& judge) {
    JudgeFlags flags = options.judge;
    if (!judge.empty()) flags.judge = judge;
    return open_judge(flags);
  };
  resources.stop = [] { return interrupted(); };
  resources.warn = [](std::string_view warning) { fmt::print(stderr, "warning: {}\n", warning); };
  const bool wanted = std::any_of(recipe.steps.begin(), recipe.steps.end(),
                                  [](const auto& step) { return step.name == "contamination"; });
  if (wanted) add_benchmarks(bench_folder(options), resources);
  return resources;
}

// A progress line for each pass.
class PassProgress {
 public:
  explicit PassProgress(bool quiet) : quiet_(quiet) {}

  void tell(const std::string& pass, std::uint64_t done, std::uint64_t total) {
    if (pass != pass_) {
      pass_ = pass;
      line_.reset();
      line_.emplace(Progress::Options{
          .label = cut_to_columns(pass, 40), .unit = "rows", .total = total, .silent = quiet_});
    }
    line_->set(done);
  }
  void finish() { line_.reset(); }

 private:
  bool quiet_;
  std::string pass_;
  std::optional<Progress> line_;
};

// The first rows after each step.
int dry_run(const CurateCommand& options, curate::Recipe& recipe) {
  const ScratchFolder scratch(fs::temp_directory_path(), "selene-curate-");
  curate::Resources resources = make_resources(options, recipe, scratch.path() / "scratch");
  const curate::RunResult result = curate::run(recipe, resources,
                                               {.data = options.data,
                                                .work = scratch.path() / "work",
                                                .max_bad = 1,
                                                .limit = options.rows,
                                                .every_step = true,
                                                .no_models = true,
                                                .from = "",
                                                .progress = {}});
  if (!result.done) return kExitInterrupted;
  const report::Terminal terminal = report::terminal(STDOUT_FILENO);
  const auto print = [&](const curate::StepAccount& account, const std::vector<fs::path>& files) {
    const curate::Counts total = account.total();
    std::string made;
    if (total.made > 0) made = fmt::format(", {} pairs", total.made);
    put(fmt::format("{}: {} in, {} out{}\n",
                    report::styled(account.step, report::Style::Bold, terminal.color), total.in,
                    total.out, made));
    for (const auto& [reason, count] : total.dropped)
      put(fmt::format("  dropped {}: {}\n", count, reason));
    std::set<std::string> sources;  // One row of each, three in all.
    curate::RowReader reader(files);
    for (std::vector<std::string> lines;
         sources.size() < 3 && !(lines = reader.lines(1)).empty();) {
      const curate::Row row = curate::row_from_json(Json::parse(lines.front()));
      if (!sources.insert(row.source).second) continue;
      const std::string text =
          row.pair ? fmt::format("chosen {} | rejected {}", row.pair->chosen, row.pair->rejected)
                   : curate::excerpt(row.sample, terminal.columns);
      put(fmt::format("  {}\n", cut_to_columns(fmt::format("{} [{}] {}", row.id, row.label(), text),
                                               terminal.columns - 2)));
    }
  };
  for (const auto& [name, reason] : result.not_present) put(fmt::format("{}: {}\n", name, reason));
  print(result.accounts.front(), result.loaded);
  for (size_t i = 0; i < result.stages.size(); ++i)
    print(result.accounts[i + 1], {result.stages[i].rows});
  for (const std::string& step : result.skipped)
    put(fmt::format("{}: runs a model, so not in a dry run\n", step));
  put(fmt::format("a dry run: the first {} rows of each source, nothing is written\n",
                  options.rows));
  return kExitOk;
}

// What makes it the same curation: another one is not to be mixed up with it.
void check_folder(const CurateCommand& options, const curate::Recipe& recipe) {
  const fs::path record = fs::path(options.out) / "run.json";
  if (options.overwrite || !fs::exists(record)) return;
  const Json old = Json::parse(read_file(record), nullptr, /*allow_exceptions=*/false);
  if (old.is_object() && old.value("recipe", "") == recipe.name) return;
  throw Error(
      old.is_object() && old.contains("recipe")
          ? fmt::format("the folder holds the mix of the recipe '{}'", old.value("recipe", ""))
          : "the folder holds another program's run",
      options.out, "name another folder with --out, or give --overwrite");
}

void write_reports(const fs::path& out, const Json& json) {
  const curate::Funnel funnel = curate::funnel_from_json(json);
  write_file_atomically(out / "report.md", curate::report_markdown(funnel));
  write_file_atomically(out / "card.md", curate::data_card_markdown(funnel));
  write_file_atomically(out / "funnel.svg", curate::funnel_svg(funnel));
  const std::string scores = curate::scores_svg(funnel);
  fs::remove(out / "scores.svg");  // Of an earlier run, which had some.
  if (!scores.empty()) write_file_atomically(out / "scores.svg", scores);
  put(curate::funnel_text(funnel, report::terminal(STDOUT_FILENO)));
}

void write_record(RunRecord& record, const CurateCommand& options, const curate::Recipe& recipe,
                  const curate::RunResult& result, const Json& funnel) {
  Json& fields = record.fields();
  fields["recipe"] = recipe.name;
  fields["recipe_sha256"] = sha256(recipe.text);
  fields["seed"] = recipe.seed;
  fields["options"] = {{"data", fs::absolute(options.data).lexically_normal().string()},
                       {"max_bad", options.max_bad},
                       {"model", options.model},
                       {"judge", options.judge.judge},
                       {"no_contamination", options.no_contamination}};
  fields["pairs"] = funnel.at("pairs");
  fields["kept_from_an_earlier_run"] = result.passes_kept;
  fields["digests"] = Json::object();
  for (const char* name : {"train", "validation", "test"}) {
    const std::string file = fmt::format("{}.jsonl", name);
    fields["digests"][file] = sha256_file(fs::path(options.out) / file);
  }
  fields["steps"] = Json::array();
  for (const curate::StepAccount& account : result.accounts)
    fields["steps"].push_back({{"step", account.step}, {"seconds", account.seconds}});
  record.write(fs::path(options.out) / "run.json");
}

constexpr const char* kMarker = ".selene-curate";  // In work/: the folder is ours.

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What a run that was killed had not finished: of our own names alone.
void remove_leftovers(const fs::path& out) {
  static constexpr std::string_view kNames[] = {
      "train.jsonl",         "validation.jsonl", "test.jsonl",    "train.parquet",
      "validation.parquet",  "test.parquet",     "dropped.jsonl", "rejected.jsonl",
      "contamination.jsonl", "funnel.json",      "report.md",     "card.md",
      "funnel.svg",          "scores.svg",       "run.json"};
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(out)) {
    const std::string name = entry.path().filename().string();
    for (const std::string_view ours : kNames) {
      const std::string temporary = fmt::format("{}.tmp", ours), folder = fmt::format(".{}.", ours);
      if ((name.starts_with(temporary) &&
           is_number(std::string_view(name).substr(temporary.size()))) ||
          (ours.ends_with(".parquet") && name.starts_with(folder) &&
           name.size() == folder.size() + 6))
        leftovers.push_back(entry.path());
    }
  }
  for (const fs::path& folder : {out / "work", out / "work" / "load"}) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      const size_t temporary = name.rfind(".tmp");
      if (temporary != std::string::npos && is_number(std::string_view(name).substr(temporary + 4)))
        leftovers.push_back(entry.path());
    }
  }
  leftovers.push_back(out / "work" / "scratch");
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

// Makes OUT/work, which is nobody else's.
void prepare_work(const fs::path& out, bool anew) {
  const fs::path work = out / "work";
  if (fs::exists(work) && !fs::exists(work / kMarker))
    throw Error("this folder is there and not of a curation", work.string(),
                "name another folder with --out");
  if (anew) fs::remove_all(work);
  fs::create_directories(work);
  write_file_atomically(work / kMarker, "made by selene curate; may be removed\n");
  remove_leftovers(out);
}

int run(const CurateCommand& options, curate::Recipe& recipe) {
  const fs::path out = options.out;
  check_folder(options, recipe);
  fs::create_directories(out);
  const FileLock lock(out / ".lock");
  prepare_work(out, options.overwrite);
  RunRecord record("curate");
  const fs::path scratch = out / "work" / "scratch";
  curate::Resources resources = make_resources(options, recipe, scratch);
  PassProgress progress(options.quiet);
  curate::RunResult result;
  try {
    result =
        curate::run(recipe, resources,
                    {.data = options.data,
                     .work = out / "work",
                     .max_bad = options.max_bad,
                     .limit = 0,
                     .every_step = false,
                     .no_models = false,
                     .from = options.from,
                     .progress = [&](const std::string& pass, std::uint64_t done,
                                     std::uint64_t total) { progress.tell(pass, done, total); }});
  } catch (const Error&) {
    progress.finish();
    curate::write_rejected(out / "work", out);
    throw;
  }
  progress.finish();
  if (!result.done) {
    fmt::print(stderr, "interrupted; the same command again goes on from there\n");
    return kExitInterrupted;
  }
  if (!options.quiet && !result.passes_kept.empty())
    fmt::print(stderr, "of an earlier run: {}\n", fmt::join(result.passes_kept, "; "));
  const Json funnel = curate::write_outputs(recipe, resources, result, out);
  write_reports(out, funnel);
  record.fields()["models"] = result.models;
  write_record(record, options, recipe, result, funnel);
  fs::remove_all(scratch);
  const Json& overlaps = funnel.at("overlaps");
  if (overlaps.is_null() || overlaps.at("found") == 0) return kExitOk;
  flush_output();
  throw Error(fmt::format("{} pairs share {} words with a benchmark; the first: {}",
                          overlaps.at("found").dump(), overlaps.at("words").dump(),
                          overlaps.at("first").dump()),
              options.out, "give the step 'contamination' these words, or leave the source out");
}

void check_usage(const CurateCommand& options) {
  if (options.recipe.empty())
    throw UsageError("a recipe is missing: selene curate RECIPE --data DIR --out DIR");
  if (options.data.empty()) throw UsageError("--data is missing: the folder of the sources' files");
  if (!options.pull && !fs::is_directory(options.data))
    throw Error("there is no such folder", options.data, "--pull fetches the sources into it");
  if (options.out.empty() && !options.dry_run && !options.pull)
    throw UsageError("--out is missing: the folder for the mix");
  check_judge_flags(options.judge, /*others=*/true);
}

int curate_recipe(const CurateCommand& options) {
  check_usage(options);
  curate::Recipe recipe = curate::load_recipe(options.recipe, options.seed);
  if (options.pull) {
    const int code = pull(options, recipe);
    if (code != kExitOk || (options.out.empty() && !options.dry_run)) return code;
  }
  return options.dry_run ? dry_run(options, recipe) : run(options, recipe);
}

std::string steps_help() {
  std::string text = "Steps of a recipe:\n";
  for (const curate::StepKind& kind : curate::step_kinds())
    text += fmt::format("  {:<17} {}\n", kind.name, kind.help);
  return text;
}

constexpr const char* kExamples = R"(
Examples:
  selene curate recipes/selene-nano.yaml --data data --pull
  selene curate recipes/selene-nano.yaml --data data --dry-run
  selene curate recipes/selene-nano.yaml --data data --out mix
  selene curate explain creak/train_0 --out mix
  selene curate show --out mix

A run that was stopped or killed goes on after its last whole pass. docs/curation.md says more.)";

}  // namespace

void add_curate_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CurateCommand>();
  CLI::App* command =
      app.add_subcommand("curate", "From data sets to training pairs, every row accounted for");
  command->add_option("RECIPE", options->recipe, "Recipe (YAML)")->check(not_empty());
  command->add_option("--data", options->data, "Folder of the sources' files")->check(not_empty());
  command->add_option("--out", options->out, "Folder for the mix and its reports")
      ->check(not_empty());
  command->add_flag("--pull", options->pull, "Fetch the sources' public files into --data first");
  command
      ->add_option("--token-env", options->token_env,
                   "Variable that holds the token for gated sets")
      ->capture_default_str()
      ->check(not_empty());
  command->add_flag("--dry-run", options->dry_run,
                    "Show the first rows after each step; write nothing, run no model");
  command->add_option("--rows", options->rows, "Of a dry run: rows of each source")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--from", options->from, "Do this step and those after it again")
      ->check(not_empty());
  command->add_option("--seed", options->seed, "In place of the recipe's");
  command
      ->add_option("--max-bad", options->max_bad,
                   "Stop where more than this share of a source's rows is bad")
      ->capture_default_str()
      ->check(number_from(0, 1));
  command
      ->add_option("--model", options->model,
                   "Model in whose tokens lengths are counted: a name or a GGUF [default]")
      ->check(not_empty());
  command
      ->add_option(
          "--bench-data", options->bench_data,
          "Folder of the benchmarks' data, which is kept out of the mix [SELENE_DATA, else "
          "`bench` beside --data]")
      ->check(not_empty());
  command->add_flag("--no-contamination", options->no_contamination,
                    "Go on where no benchmark's data is there");
  command->add_flag("--overwrite", options->overwrite, "Begin anew, in place of another mix");
  command->add_flag("--quiet", options->quiet, "No progress");
  add_model_flags(*command, options->judge);
  add_machine_flags(*command, options->judge);
  add_curate_explain_command(*command, exit_code);
  add_curate_show_command(*command, exit_code);
  add_curate_report_command(*command, exit_code);
  command->footer(steps_help() + kExamples);
  command->callback([command, options, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    try {
      exit_code = curate_recipe(*options);
    } catch (const fs::filesystem_error& failure) {
      throw Error(failure.code().message(), failure.path1().string());
    }
  });
}

}  // namespace selene::cli
