// `selene ledger`: what the ledger holds, out and in as JSONL or Parquet, pruning, and running a
// past request again.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/judge_flags.h"
#include "cli/judge_output.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "judge/ledger.h"
#include "judge/prompt.h"
#include "judge/verdict.h"
#include "table/table.h"

namespace selene::cli {
namespace {

struct LedgerCommand {
  std::string ledger;
  std::string file;
  std::string key;
  std::string model;
  std::optional<double> older_than_days;
  bool all = false;
  bool damaged = false;
  bool overwrite = false;
  bool skip_damaged = false;
  bool json = false;
  std::vector<std::string> keys;
  JudgeFlags judge;
};

std::filesystem::path ledger_path(const LedgerCommand& options) {
  return options.ledger.empty() ? judge::Ledger::default_path()
                                : std::filesystem::path(options.ledger);
}

// A beginning of a record's key; anything else is wrong usage. Digits become lower-case.
CLI::Validator record_key() {
  const auto check = [](std::string& key) {
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return judge::Ledger::could_be_key(key)
               ? std::string()
               : fmt::format("'{}' is not a record's key: give at least 6 of its 64 hex digits",
                             cut_to_columns(key, 80));
  };
  CLI::Validator validator("");
  validator.operation(check);
  return validator;
}

// For the commands that only read: a ledger is not made by looking at it.
judge::Ledger open_existing(const LedgerCommand& options) {
  const std::filesystem::path path = ledger_path(options);
  if (!std::filesystem::exists(path))
    throw Error("there is no ledger yet", path.string(), "selene judge makes one");
  std::error_code no_file;
  if (std::filesystem::file_size(path, no_file) == 0 && !no_file)
    throw Error("this file is empty, not a ledger", path.string(),
                "name another with --ledger FILE");
  return judge::Ledger(path);
}

// On one line, whatever a server or an import says.
std::string shown(const std::string& text) { return cut_to_columns(text, 200); }

int show_stats(const LedgerCommand& options) {
  judge::Ledger ledger = open_existing(options);
  const judge::Ledger::Stats stats = ledger.stats();
  if (options.json) {
    nlohmann::ordered_json engines = nlohmann::ordered_json::array();
    for (const auto& one : stats.engines) {
      engines.push_back({{"name", one.name},
                         {"model", one.model},
                         {"version", one.version},
                         {"records", one.records}});
    }
    const nlohmann::ordered_json row = {
        {"path", ledger.path().string()}, {"records", stats.records}, {"bytes", stats.bytes},
        {"oldest", stats.oldest},         {"newest", stats.newest},   {"engines", engines}};
    put(fmt::format("{}\n", row.dump()));
    return kExitOk;
  }
  put(fmt::format("{}\n{} records, {:.1f} MB", printable(ledger.path().string()), stats.records,
                  static_cast<double>(stats.bytes) / 1e6));
  if (stats.records > 0) put(fmt::format(", from {} to {}", stats.oldest, stats.newest));
  put("\n");
  for (const auto& one : stats.engines) {
    const bool is_digest = !one.model.starts_with("endpoint:");
    put(fmt::format("  {:8}  {}  {}  {}\n", one.records,
                    shown(is_digest ? one.model.substr(0, 12) : one.model), shown(one.name),
                    shown(one.version)));
  }
  return kExitOk;
}

bool is_parquet(const std::string& file) { return file.ends_with(".parquet"); }

// Says what is damaged and left out, or throws it.
void each_exported(judge::Ledger& ledger, const LedgerCommand& options,
                   const std::function<void(const judge::Record&)>& write) {
  Progress progress({.label = "exporting", .unit = "records", .total = ledger.stats().records});
  size_t damaged = 0;
  const auto visit = [&](const judge::Record& record) {
    if (interrupted()) throw Error("interrupted; nothing was written", options.file);
    write(record);
    progress.add(1);
  };
  const auto say = [&](const std::string& key, const Error& failure) {
    if (!options.skip_damaged) {
      throw Error(failure.message(), failure.where(),
                  failure.remedy() + ", or give --skip-damaged to export the others");
    }
    ++damaged;
    progress.clear();
    std::fprintf(stderr, "warning: record %s is damaged and left out\n", key.c_str());
  };
  ledger.each(visit, say);
  progress.finish();
  if (damaged == 0) return;
  std::fprintf(stderr, "%zu damaged record%s left out; selene ledger prune --damaged removes %s\n",
               damaged, damaged == 1 ? "" : "s", damaged == 1 ? "it" : "them");
}

// `record` is the whole of it; the columns before it are for SQL.
void export_parquet(judge::Ledger& ledger, const LedgerCommand& options,
                    const std::filesystem::path& target) {
  using table::ColumnType;
  table::ParquetWriter out(target, {{"key"},
                                    {"model"},
                                    {"adapter"},
                                    {"engine"},
                                    {"engine_version"},
                                    {"template"},
                                    {"prompt_tokens", ColumnType::Integer},
                                    {"generated_tokens", ColumnType::Integer},
                                    {"record"}});
  each_exported(ledger, options, [&](const judge::Record& record) {
    out.append({{"key", record.key},
                {"model", record.engine.model},
                {"adapter", record.engine.adapter},
                {"engine", record.engine.name},
                {"engine_version", record.engine.version},
                {"template", record.template_name},
                {"prompt_tokens", record.result.prompt_tokens},
                {"generated_tokens", record.result.generated_tokens},
                {"record", judge::record_to_json(record)}});
  });
  out.finish(options.overwrite);
}

// To a file by way of a temporary name, or to standard output.
int export_records(const LedgerCommand& options) {
  judge::Ledger ledger = open_existing(options);
  if (options.file == "-") {
    each_exported(ledger, options,
                  [](const judge::Record& record) { put(judge::record_to_json(record) + "\n"); });
    return kExitOk;
  }
  check_not_input(options.file, std::vector<NamedFile>{{"ledger", ledger.path()}});
  const std::filesystem::path target = output_target(options.file, options.overwrite);
  if (is_parquet(options.file)) {
    export_parquet(ledger, options, target);
    return kExitOk;
  }
  AtomicFile out(target);
  each_exported(ledger, options, [&](const judge::Record& record) {
    out.append(judge::record_to_json(record) + "\n");
  });
  out.commit(options.overwrite);
  return kExitOk;
}

// A file that can be read twice: of standard input or a pipe a copy, removed with this.
class ImportFile {
 public:
  explicit ImportFile(const std::string& given)
      : path_(given), name_(given == "-" ? "standard input" : given) {
    const std::filesystem::path source = given == "-" ? "/dev/stdin" : given;
    if (!std::filesystem::exists(source) || std::filesystem::is_regular_file(source)) {
      path_ = source;
      return;
    }
    folder_.emplace(std::filesystem::temp_directory_path(), "selene-import-");
    path_ = folder_->path() / "records.jsonl";
    std::ofstream copy(path_, std::ios::binary);
    std::ifstream input(source, std::ios::binary);
    if (input.peek() != std::ifstream::traits_type::eof()) copy << input.rdbuf();
    if (!copy.flush()) throw Error("cannot copy it", name_, "look at the space in " + path_);
  }

  data::JsonlReader reader() const { return data::JsonlReader(path_, name_); }
  const std::string& name() const { return name_; }

 private:
  std::string path_;
  std::string name_;
  std::optional<ScratchFolder> folder_;
};

// Calls `take` with the JSON of each record and its place.
using TakeText = std::function<void(const std::string& text, const std::string& place)>;

void each_in_jsonl(const ImportFile& file, const TakeText& take) {
  data::JsonlReader reader = file.reader();
  for (data::Row row; reader.next(row);) take(row.value.dump(), reader.place());
}

void each_in_parquet(const ImportFile& import_file, const TakeText& take) {
  const std::string& file = import_file.name();
  const std::filesystem::path path = std::filesystem::absolute(file);
  table::Rows rows("SELECT * FROM read_parquet(" + table::quoted_file(path.string()) + ")",
                   path.parent_path(), file);
  size_t number = 0;
  for (nlohmann::ordered_json row; rows.next(row);) {
    const std::string place = fmt::format("{}, row {}", file, ++number);
    const auto record = row.find("record");
    if (record == row.end() || !record->is_string()) {
      throw Error("not a ledger record: there is no text in a column 'record'", place,
                  "give what selene ledger export wrote");
    }
    take(record->get_ref<const std::string&>(), place);
  }
}

// Reads the records of a file, some at a time.
void each_batch(const ImportFile& file,
                const std::function<void(std::span<const judge::Record>)>& take) {
  constexpr size_t kBatch = 1000;
  std::vector<judge::Record> batch;
  const auto each = is_parquet(file.name()) ? each_in_parquet : each_in_jsonl;
  each(file, [&](const std::string& text, const std::string& place) {
    if (interrupted())
      throw Error("interrupted; import again, what is there already is passed over", place);
    try {
      batch.push_back(judge::record_from_json(text));
    } catch (const Error& failure) {
      throw failure.at(place);
    }
    if (batch.size() < kBatch) return;
    take(batch);
    batch.clear();
  });
  take(batch);
}

std::vector<std::string> damaged_keys(judge::Ledger& ledger) {
  std::vector<std::string> keys;
  ledger.each([](const judge::Record&) {},
              [&](const std::string& key, const Error&) { keys.push_back(key); });
  return keys;
}

int import_records(const LedgerCommand& options) {
  const ImportFile file(options.file);
  each_batch(file, [](std::span<const judge::Record>) {});  // A bad row is found first.
  judge::Ledger ledger(ledger_path(options));
  const std::uint64_t before = ledger.stats().records;
  std::uint64_t read = 0;
  each_batch(file, [&](std::span<const judge::Record> records) {
    ledger.put(records);
    read += records.size();
  });
  const std::uint64_t added = ledger.stats().records - before;
  put(fmt::format("{} records read, {} added, {} were there\n", read, added, read - added));
  return kExitOk;
}

int prune(const LedgerCommand& options) {
  const bool by_engine_or_age = !options.model.empty() || options.older_than_days;
  const int ways = !options.keys.empty() + options.damaged + by_engine_or_age + options.all;
  if (ways == 0) {
    throw UsageError("say what to remove", "",
                     "give KEYs, --model DIGEST, --older-than DAYS, --damaged or --all");
  }
  if (ways > 1) {
    throw UsageError("KEYs, --damaged, --all, and --model with --older-than contradict one another",
                     "", "give one of them");
  }
  judge::Ledger ledger = open_existing(options);
  std::uint64_t removed = 0;
  if (by_engine_or_age || options.all) {
    removed = ledger.prune(options.model, options.older_than_days.value_or(0));
  } else {
    removed = ledger.remove(options.damaged ? damaged_keys(ledger) : options.keys);
  }
  put(fmt::format("{} record{} removed\n", removed, removed == 1 ? "" : "s"));
  return kExitOk;
}

std::string scores_text(const engine::Request& request, const engine::Result& result) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < result.label_log_probs.size(); ++i) {
    parts.push_back(fmt::format("{} {}", request.labels[i], result.label_log_probs[i]));
  }
  return fmt::format("{}", fmt::join(parts, "  "));
}

// What tells a record's engine from another; a name is for people only.
struct EngineFact {
  const char* name;
  std::string engine::EngineId::*value;
};
constexpr EngineFact kEngineFacts[] = {{"model", &engine::EngineId::model},
                                       {"adapter", &engine::EngineId::adapter},
                                       {"engine version", &engine::EngineId::version},
                                       {"engine options", &engine::EngineId::options}};

// The member of which the most is as it was.
const judge::Member& member_of(const judge::Judge& judge, const engine::EngineId& then) {
  const auto same = [&](const judge::Member& member) {
    const engine::EngineId& now = judge.engine_of(member).id();
    return std::count_if(std::begin(kEngineFacts), std::end(kEngineFacts),
                         [&](const auto& fact) { return now.*fact.value == then.*fact.value; });
  };
  return *std::max_element(
      judge.members().begin(), judge.members().end(),
      [&](const judge::Member& a, const judge::Member& b) { return same(a) < same(b); });
}

std::string critique_text(const engine::Result& result) {
  return result.text + (result.truncated ? " (cut)" : "");
}

std::string label_text(const engine::Request& request, const engine::Result& result) {
  const data::Part part = judge::make_part(request.labels, result, /*swapped=*/false);
  return part.label ? *part.label : "none: " + part.unreadable;
}

// Prints what became of one thing. True when it is the same.
bool compare(const char* what, const char* same, const std::string& then, const std::string& now) {
  if (then == now) {
    put(fmt::format("{:8} {}\n", what, same));
    return true;
  }
  put(fmt::format("{:8} {}\n  then: {}\n  now:  {}\n", what, "DIFFERS", printable(then),
                  printable(now)));
  return false;
}

int replay(const LedgerCommand& options) {
  check_judge_flags(options.judge);
  judge::Ledger ledger = open_existing(options);
  const judge::Record record = ledger.get(options.key);
  JudgeFlags flags = options.judge;
  flags.no_ledger = true;
  judge::Judge judge = open_judge(flags);
  const judge::Member& member = member_of(judge, record.engine);
  const engine::EngineId& id = judge.engine_of(member).id();
  bool same_engine = true;
  for (const auto& [name, value] : kEngineFacts) {
    if (record.engine.*value == id.*value) continue;
    same_engine = false;
    put(fmt::format("{} differs: then {}, now {}\n", name, shown(record.engine.*value),
                    shown(id.*value)));
  }
  std::optional<engine::Result> again;
  engine::Events events;
  events.stop = [] { return interrupted(); };
  events.results = [&](std::span<engine::Completed> completed) {
    again = std::move(completed.front().result);
  };
  judge.run(member, {&record.request, 1}, events);
  if (!again) throw Error("interrupted");
  const engine::Request& request = record.request;
  const engine::Result& then = record.result;
  bool same = compare("critique", "the same bytes", critique_text(then), critique_text(*again));
  same &=
      compare("scores", "the same bits", scores_text(request, then), scores_text(request, *again));
  if (!request.labels.empty())
    same &= compare("label", "the same", label_text(request, then), label_text(request, *again));
  if (same) return kExitOk;
  if (!same_engine)
    put("the record was made by another engine or model: give the same one with --judge\n");
  return kExitError;
}

}  // namespace

void add_ledger_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LedgerCommand>();
  CLI::App* command = app.add_subcommand(
      "ledger", "The store of every judgment: stats, export, import, prune, replay");
  command->footer(R"(Examples:
  selene ledger stats
  selene ledger export judgments-ledger.jsonl
  selene ledger import from-another-machine.jsonl
  selene ledger export ledger.parquet    for SQL; needs DuckDB (make tables)
  selene ledger prune --older-than 90
  selene ledger replay 4f1c9a2b          a record's key (the `key` of a judgment, or of one of its parts))");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*run)(const LedgerCommand&)) {
    CLI::App* sub = command->add_subcommand(name, help);
    sub->callback([options, run, &exit_code] { exit_code = run(*options); });
    return sub;
  };
  const auto with_file = [&](CLI::App* sub) {
    sub->add_option("--ledger", options->ledger, "The ledger's file [in the user's data folder]")
        ->check(not_empty());
  };
  CLI::App* stats = add("stats", "Records, size, and by which engines", show_stats);
  stats->add_flag("--json", options->json, "As JSON");
  with_file(stats);
  CLI::App* out = add("export", "Write all records as JSONL or Parquet", export_records);
  out->add_option("FILE", options->file, "FILE.parquet, a JSONL file, or - for standard output")
      ->required()
      ->check(not_empty());
  out->add_flag("--overwrite", options->overwrite, "Even if the file is there");
  out->add_flag("--skip-damaged", options->skip_damaged,
                "Leave out records that are not as they were written, and name them");
  with_file(out);
  CLI::App* in =
      add("import", "Take in records that export wrote; those there already are passed over",
          import_records);
  in->add_option("FILE", options->file,
                 "What export wrote: FILE.parquet, or JSONL; - for JSONL from standard input")
      ->required()
      ->check(not_empty());
  with_file(in);
  CLI::App* remove = add("prune", "Remove records", prune);
  remove->add_option("KEY", options->keys, "Records' keys, at least 6 digits of each")
      ->transform(record_key());
  remove
      ->add_option("--model", options->model,
                   "Of this model: a digest or its beginning, or endpoint:NAME")
      ->check(not_empty());
  remove->add_option("--older-than", options->older_than_days, "Days")->check(number_from(0, 1e6));
  remove->add_flag("--damaged", options->damaged, "Those that are not as they were written");
  remove->add_flag("--all", options->all, "All of them");
  with_file(remove);
  CLI::App* again = add("replay", "Run a past request again and compare", replay);
  again->add_option("KEY", options->key, "A record's key, at least 6 digits")
      ->required()
      ->transform(record_key());
  add_model_flags(*again, options->judge);
  again->add_option("--threads", options->judge.machine.threads, "0: one a core")
      ->capture_default_str()
      ->check(thread_range());
  add_key_flags(*again, options->judge);
  with_file(again);
}

}  // namespace selene::cli
