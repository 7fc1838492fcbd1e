#include "curate/recipe.h"

#include <algorithm>
#include <set>

#include "core/file.h"
#include "curate/steps.h"
#include "data/yaml.h"
#include "data/yaml_map.h"

namespace selene::curate {
namespace {

using data::Entry;
using data::Key;

bool is_name(std::string_view name) {
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
}

template <std::string Source::*Text>
void read_text(Source& source, const Entry& entry) {
  source.*Text = entry.text();
}

constexpr Key<Source> kSourceKeys[] = {
    {"name", read_text<&Source::name>},
    {"title", read_text<&Source::title>},
    {"licence", read_text<&Source::licence>},
    {"attribution", read_text<&Source::attribution>},
    {"paper", read_text<&Source::paper>},
    {"labels_by", read_text<&Source::labels_by>},
    {"note", read_text<&Source::note>},
    {"gated", [](Source& source, const Entry& entry) { source.gated = entry.as<bool>(); }},
    {"task",
     [](Source& source, const Entry& entry) {
       source.task =
           data::choice<data::Task>(entry, {{"absolute", data::Task::Absolute},
                                            {"classification", data::Task::Classification},
                                            {"pairwise", data::Task::Pairwise}});
     }},
    {"labels", [](Source& source,
                  const Entry& entry) { source.labels = entry.as<std::vector<std::string>>(); }},
    {"criteria", read_text<&Source::criteria>},
    {"better_first",
     [](Source& source, const Entry& entry) { source.better_first = entry.as<bool>(); }},
    {"critiques", [](Source& source, const Entry& entry) { source.critiques = entry.as<bool>(); }},
    {"groups", read_text<&Source::groups>},
    {"source",
     [](Source& source, const Entry& entry) { source.source = data::read_selection(entry); }},
    {"local",
     [](Source& source, const Entry& entry) { source.local = data::read_selection(entry); }}};

Source read_source(const YAML::Node& node, const std::string& file) {
  Source source;
  source.place = data::yaml_place(node, file);
  data::read_keys(source, data::entries_of(node, "an entry of 'sources'", file), kSourceKeys);
  for (const auto& [key, value] : {std::pair{"name", source.name},
                                   {"licence", source.licence},
                                   {"attribution", source.attribution},
                                   {"source", source.source.sql}}) {
    if (value.empty())
      throw Error(fmt::format("the key '{}' of the source '{}' is missing", key, source.name),
                  source.place);
  }
  if (!is_name(source.name) || source.name.find('/') != std::string::npos) {
    throw Error(fmt::format("'{}' is no name of a source: small letters, digits, '-', '_' and '.'",
                            cut_to_columns(source.name, 60)),
                source.place);
  }
  if (source.title.empty()) source.title = source.name;
  if (source.groups.empty()) source.groups = source.name;
  if (!source.labels.empty()) {
    if (!source.task)
      throw Error(fmt::format("the source '{}' has labels and no task", source.name), source.place);
    try {
      data::check_labels(source.labels, *source.task);
    } catch (const Error& failure) {
      throw failure.at(source.place);
    }
  }
  if (source.better_first && source.task && source.task != data::Task::Pairwise)
    throw Error("'better_first' is of pairwise sources", source.place);
  return source;
}

void read_sources(Recipe& recipe, const Entry& entry) {
  if (!entry.value.IsSequence() || entry.value.size() == 0)
    throw Error("'sources' must be a list", entry.place);
  std::set<std::string> names;
  for (const YAML::Node& node : entry.value) {
    Source source = read_source(node, entry.file);
    if (!names.insert(source.name).second)
      throw Error(fmt::format("two sources have the name '{}'", source.name), source.place);
    recipe.sources.push_back(std::move(source));
  }
}

// The options as text: the same whatever the file's layout and comments.
std::string canonical(const YAML::Node& options) {
  YAML::Emitter out;
  out << YAML::Flow << options;
  return out.c_str();
}

void add_step(Recipe& recipe, std::string_view name, Entry options) {
  const auto kinds = step_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const StepKind& kind) { return kind.name == name; });
  if (found == kinds.end()) {
    std::vector<std::string_view> names;
    for (const StepKind& kind : kinds) names.push_back(kind.name);
    throw Error(fmt::format("unknown step '{}'; known: {}", cut_to_columns(name, 60),
                            fmt::join(names, ", ")),
                options.place);
  }
  if (options.value.IsNull()) options.value = YAML::Node(YAML::NodeType::Map);
  recipe.steps.push_back({.name = std::string(name),
                          .options = canonical(options.value),
                          .step = found->make(options, recipe.seed),
                          .place = options.place});
}

void read_steps(Recipe& recipe, const Entry& entry) {
  if (!entry.value.IsSequence()) throw Error("'steps' must be a list", entry.place);
  for (const YAML::Node& node : entry.value) {
    // A name alone is a step without options.
    if (node.IsScalar()) {
      add_step(recipe, node.Scalar(),
               {.key = node.Scalar(),
                .value = YAML::Node(YAML::NodeType::Map),
                .file = entry.file,
                .place = data::yaml_place(node, entry.file)});
      continue;
    }
    const std::vector<Entry> entries = data::entries_of(node, "a step", entry.file);
    if (entries.size() != 1)
      throw Error("a step is one name with its options", data::yaml_place(node, entry.file));
    add_step(recipe, entries.front().key, entries.front());
  }
}

// What the keys cannot say alone.
void check_order(const Recipe& recipe) {
  const auto at = [&](std::string_view name) {
    const auto found = std::find_if(recipe.steps.begin(), recipe.steps.end(),
                                    [&](const NamedStep& step) { return step.name == name; });
    return found - recipe.steps.begin();
  };
  const auto end = static_cast<std::ptrdiff_t>(recipe.steps.size());
  std::set<std::string> names;
  for (const NamedStep& step : recipe.steps) {
    if (!names.insert(step.name).second)
      throw Error(fmt::format("the step '{}' stands twice", step.name), recipe.place);
  }
  for (auto i = std::ptrdiff_t{0}; i < end; ++i) {
    const NamedStep& step = recipe.steps[static_cast<size_t>(i)];
    if (step.step->needs_judged() && (at("judge") == end || at("judge") > i)) {
      throw Error(
          fmt::format("'rejected: probable' of '{}' goes by the verdicts of a judge, and no "
                      "step 'judge' comes before it",
                      step.name),
          step.place, "put the step 'judge' before it, or take nearest or random");
    }
  }
  const std::ptrdiff_t pairs = at("pairs");
  if (pairs == end) throw Error("a recipe needs the step 'pairs'", recipe.place);
  for (const std::string_view name : {"reward", "mix", "split"}) {
    if (at(name) != end && at(name) < pairs)
      throw Error(fmt::format("the step '{}' is for pairs: it comes after 'pairs'", name),
                  recipe.place);
  }
  for (auto i = pairs + 1; i < end; ++i) {
    const std::string& name = recipe.steps[static_cast<size_t>(i)].name;
    if (name != "reward" && name != "mix" && name != "split")
      throw Error(fmt::format("the step '{}' is for rows: it comes before 'pairs'", name),
                  recipe.place);
  }
}

}  // namespace

Recipe parse_recipe(std::string_view yaml, const std::filesystem::path& path,
                    std::optional<std::uint64_t> seed) {
  const std::string file = path.string();
  const YAML::Node root = data::parse_yaml(yaml, file);
  Recipe recipe;
  recipe.place = file;
  recipe.text = yaml;
  const std::vector<Entry> entries = data::entries_of(root, "a recipe", file);
  // The seed first: the steps take it.
  const auto of = [&](std::string_view key) {
    return std::find_if(entries.begin(), entries.end(),
                        [&](const Entry& entry) { return entry.key == key; });
  };
  if (of("seed") != entries.end()) recipe.seed = of("seed")->as<std::uint64_t>();
  if (seed) recipe.seed = *seed;
  static constexpr Key<Recipe> kKeys[] = {
      {"name", [](Recipe& r, const Entry& entry) { r.name = entry.text(); }},
      {"title", [](Recipe& r, const Entry& entry) { r.title = entry.text(); }},
      {"about", [](Recipe& r, const Entry& entry) { r.about = entry.text(); }},
      {"seed", [](Recipe&, const Entry&) {}},
      {"sources", read_sources},
      {"steps", read_steps},
      {"mix", [](Recipe&, const Entry&) {}},
      {"split", [](Recipe&, const Entry&) {}}};
  data::read_keys(recipe, entries, kKeys);
  if (!is_name(recipe.name))
    throw Error("the key 'name' must be small letters, digits, '-', '_' and '.'", file);
  if (recipe.sources.empty()) throw Error("the key 'sources' is missing", file);
  // Wherever they stand in the file, these two come last.
  for (const std::string_view last : {"mix", "split"}) {
    if (of(last) != entries.end()) add_step(recipe, last, *of(last));
  }
  if (recipe.title.empty()) recipe.title = recipe.name;
  check_order(recipe);
  return recipe;
}

Recipe load_recipe(const std::filesystem::path& path, std::optional<std::uint64_t> seed) {
  return parse_recipe(read_file(path), path, seed);
}

}  // namespace selene::curate
