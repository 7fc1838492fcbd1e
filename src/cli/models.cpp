// `selene models`: what can judge here, where it is, and how to get more.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/text.h"
#include "model/pull.h"
#include "model/store.h"
#include "report/table.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(Examples:
  selene models                                       what there is, and what is on this machine
  selene models pull                                  the default model (0.14 GB): to try things out
  selene models pull selene-1-mini                    a real judge (4.92 GB)
  selene models pull hf:owner/repo/file.gguf          any GGUF file of Hugging Face
  selene judge answers.jsonl --judge selene-1-mini
  selene models info model.gguf                       what a model file is
  selene models convert model.gguf folder/            for transformers, and back

Models are kept below SELENE_DATA_HOME (default ~/.local/share/selene). SELENE_MODEL, a name or a file, takes the place
of the default model. SELENE_HF_ENDPOINT is the address of a mirror, HF_TOKEN a token for gated repositories.)";

constexpr const char* kPullExamples = R"(Examples:
  selene models pull selene-1-mini
  selene models pull hf:AtlaAI/Selene-1-Mini-Llama-3.1-8B-Q8_0-GGUF/selene-1-mini-llama-3.1-8b-q8_0.gguf

An interrupted download goes on where it stopped. The path of the model goes to standard output.)";

// A model as a row of the list.
struct Listed {
  std::string name;
  std::string description;
  std::string licence;
  std::string source;
  std::uint64_t bytes = 0;
  fs::path path;
  bool present = false;
  bool is_default = false;
  bool recommended = false;
};

bool is_file(const fs::path& path) {
  std::error_code failure;
  return fs::is_regular_file(path, failure);
}

std::uint64_t size_of(const fs::path& path) {
  std::error_code failure;
  const auto size = fs::file_size(path, failure);
  return failure ? 0 : size;
}

std::string default_spec() {
  const char* set = std::getenv("SELENE_MODEL");
  return set != nullptr && *set != '\0' ? set : "default";
}

// What `selene models tune --keep` made.
void add_tuned(std::vector<Listed>& rows) {
  std::error_code failure;
  for (fs::directory_iterator at(model::models_dir() / "tuned", failure), end;
       !failure && at != end; at.increment(failure)) {
    if (at->path().extension() != ".gguf" || !is_file(at->path())) continue;
    Listed row;
    row.name = at->path().stem().string();
    row.description = "made by models tune";
    row.path = at->path();
    row.present = true;
    row.bytes = size_of(row.path);
    rows.push_back(std::move(row));
  }
}

// Files pulled by an hf: spec that no known model has: models/hf/OWNER/REPOSITORY[@REVISION]/FILE.
void add_pulled(std::vector<Listed>& rows) {
  const fs::path root = model::models_dir() / "hf";
  std::error_code failure;
  std::vector<Listed> found;
  for (fs::recursive_directory_iterator at(root, failure), end; !failure && at != end;
       at.increment(failure)) {
    if (at->path().extension() != ".gguf" || !is_file(at->path())) continue;
    const auto same = [&](const Listed& row) { return row.path == at->path(); };
    if (std::any_of(rows.begin(), rows.end(), same)) continue;
    std::string spec = at->path().lexically_relative(root).string();
    const size_t revision = spec.find('@');
    if (revision != std::string::npos) {
      const size_t slash = spec.find('/', revision);
      const std::string tail = spec.substr(revision, slash - revision);
      spec = spec.erase(revision, tail.size()) + tail;
    }
    Listed row;
    row.name = "hf:" + spec;
    row.source = row.name;
    row.path = at->path();
    row.present = true;
    row.bytes = size_of(row.path);
    found.push_back(std::move(row));
  }
  std::sort(found.begin(), found.end(),
            [](const Listed& a, const Listed& b) { return a.name < b.name; });
  rows.insert(rows.end(), found.begin(), found.end());
}

std::vector<Listed> list_models() {
  std::vector<Listed> rows;
  for (const model::KnownModel& known : model::known_models()) {
    Listed row;
    row.name = known.name;
    row.description = known.description;
    row.licence = known.licence;
    row.source = known.source;
    row.path = model::store_path(known.name);
    row.present = is_file(row.path);
    row.bytes = row.present ? size_of(row.path) : known.bytes;
    row.recommended = known.recommended;
    rows.push_back(std::move(row));
  }
  add_tuned(rows);
  add_pulled(rows);

  const std::string spec = default_spec();
  const model::KnownModel* known = model::find_known_model(spec);
  const std::string name(known == nullptr ? spec : known->name);
  for (Listed& row : rows) row.is_default = row.name == name;
  if (std::none_of(rows.begin(), rows.end(), [](const Listed& row) { return row.is_default; })) {
    Listed row;
    row.name = spec;
    row.description = "from SELENE_MODEL";
    row.path = spec.starts_with("hf:") ? model::store_path(spec) : fs::path(spec);
    row.present = is_file(row.path);
    row.bytes = size_of(row.path);
    row.is_default = true;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json to_json(const Listed& row) {
  return {{"name", row.name},          {"description", row.description},
          {"bytes", row.bytes},        {"licence", row.licence},
          {"source", row.source},      {"recommended", row.recommended},
          {"default", row.is_default}, {"present", row.present},
          {"path", row.path.string()}};
}

void print_json(const std::vector<Listed>& rows) {
  Json list = Json::array();
  for (const Listed& row : rows) list.push_back(to_json(row));
  put(list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void print_table(const std::vector<Listed>& rows) {
  const report::Terminal terminal = report::terminal(STDOUT_FILENO);
  const report::Table table({{.title = "", .width = 1},
                             {.title = "name", .width = 18},
                             {.title = "size", .width = 8, .align = report::Align::Right},
                             {.title = "licence", .width = 10},
                             {.title = "", .width = 10, .flexible = true}},
                            terminal);
  put(table.header());
  for (const Listed& row : rows) {
    const std::string size =
        row.bytes == 0 ? "" : fmt::format("{:.2f} GB", static_cast<double>(row.bytes) / 1e9);
    const report::Cell cells[] = {{row.is_default ? "*" : ""},
                                  {row.description.empty() ? "" : row.name,
                                   row.present ? report::Style::Bold : report::Style::Plain},
                                  {size},
                                  {row.licence},
                                  {row.description.empty() ? row.name : row.description}};
    put(table.row(cells));
    const std::string where = row.present ? printable(row.path.string())
                              : row.source.empty()
                                  ? "no such file"
                                  : "not here; get it with: selene models pull " + row.name;
    put(fmt::format("   {}\n", report::styled(where, report::Style::Dim, terminal.color)));
  }
  put("\n* is the judge when no --judge is given.\n");
}

int run_pull(const std::string& name, bool quiet) {
  const auto say = [&](const std::string& line) {
    if (!quiet) fmt::print(stderr, "{}\n", line);
  };
  const model::Pulled pulled = model::pull_model(name, {.say = say, .silent = quiet});
  if (pulled.was_there) {
    say("it is already there");
  } else {
    say(fmt::format(
        "sha256 {} ({})", pulled.sha256,
        pulled.verified ? "as published" : "the server published none to compare with"));
  }
  put(fmt::format("{}\n", pulled.path.string()));
  return kExitOk;
}

}  // namespace

void add_models_command(CLI::App& app, int& exit_code) {
  struct Options {
    bool json = false;
    std::string name = "default";
    bool quiet = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "models", "List the models that can judge, get one, look into it, convert it");
  command->add_flag("--json", options->json, "The list as JSON");
  command->callback([command, options, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    const std::vector<Listed> rows = list_models();
    options->json ? print_json(rows) : print_table(rows);
    exit_code = kExitOk;
  });

  CLI::App* pull =
      command->add_subcommand("pull", "Get a model: a known name or hf:owner/repo/file.gguf");
  pull->footer(kPullExamples);
  pull->add_option("NAME", options->name, "Which model")->check(not_empty())->capture_default_str();
  pull->add_flag("--quiet", options->quiet, "No progress, no messages");
  pull->callback([options, &exit_code] { exit_code = run_pull(options->name, options->quiet); });
  add_models_info_command(*command, exit_code);
  add_models_convert_commands(*command, exit_code);
  add_models_diff_command(*command, exit_code);
  add_tune_command(*command, exit_code);
  command->footer(kExamples);
}

}  // namespace selene::cli
