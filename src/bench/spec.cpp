#include "bench/spec.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/metrics.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/judgment.h"
#include "data/yaml.h"
#include "data/yaml_map.h"

namespace selene::bench {
namespace {

using data::choice;
using data::entries_of;
using data::Entry;
using data::Key;
using data::read_keys;
using data::yaml_value;

template <std::string Spec::*Text>
void read_text(Spec& spec, const Entry& entry) {
  spec.*Text = entry.text();
}

void read_sections(Spec& spec, const Entry& entry) {
  for (const Entry& section : entries_of(entry.value, "'sections'", entry.file)) {
    Section read{.name = section.key, .groups = {}};
    for (const Entry& group :
         entries_of(section.value, fmt::format("the section '{}'", section.key), entry.file)) {
      const double weight = yaml_value<double>(group.value, group.key, group.place);
      if (!(weight > 0) || !std::isfinite(weight))
        throw Error(fmt::format("the weight of '{}' must be above 0", group.key), group.place);
      for (const Section& other : spec.sections) {
        for (const auto& [name, other_weight] : other.groups) {
          if (name == group.key)
            throw Error(fmt::format("the group '{}' is in two sections", name), group.place);
        }
      }
      read.groups.emplace_back(group.key, weight);
    }
    if (read.groups.empty())
      throw Error(fmt::format("the section '{}' has no groups", section.key), section.place);
    spec.sections.push_back(std::move(read));
  }
}

void read_known(Spec& spec, const Entry& entry) {
  for (const Entry& known : entries_of(entry.value, "'known'", entry.file))
    spec.known.push_back({known.key, known.text()});
}

void read_items(Spec& spec, const Entry& entry) {
  const int items = yaml_value<int>(entry.value, entry.key, entry.place);
  if (items < 1) throw Error("'items' must be above 0", entry.place);
  spec.items = items;
}

constexpr Key<Spec> kKeys[] = {
    {"name", read_text<&Spec::name>},
    {"title", read_text<&Spec::title>},
    {"about", read_text<&Spec::about>},
    {"paper", read_text<&Spec::paper>},
    {"licence", read_text<&Spec::licence>},
    {"gated",
     [](Spec& spec, const Entry& entry) {
       spec.gated = yaml_value<bool>(entry.value, entry.key, entry.place);
     }},
    {"column", read_text<&Spec::column>},
    {"average",
     [](Spec& spec, const Entry& entry) {
       spec.average = data::task_name(
           choice<data::Task>(entry, {{"absolute", data::Task::Absolute},
                                      {"classification", data::Task::Classification},
                                      {"pairwise", data::Task::Pairwise}}));
     }},
    {"source", [](Spec& spec, const Entry& entry) { spec.source = data::read_selection(entry); }},
    {"local", [](Spec& spec, const Entry& entry) { spec.local = data::read_selection(entry); }},
    {"task",
     [](Spec& spec, const Entry& entry) {
       spec.task = choice<data::Task>(entry, {{"absolute", data::Task::Absolute},
                                              {"classification", data::Task::Classification},
                                              {"pairwise", data::Task::Pairwise}});
     }},
    {"labels",
     [](Spec& spec, const Entry& entry) {
       spec.labels = yaml_value<std::vector<std::string>>(entry.value, entry.key, entry.place);
     }},
    {"criteria", read_text<&Spec::criteria>},
    {"template", read_text<&Spec::template_spec>},
    {"better_first",
     [](Spec& spec, const Entry& entry) {
       spec.better_first = yaml_value<bool>(entry.value, entry.key, entry.place);
     }},
    {"metric", read_text<&Spec::metric>},
    {"positive", read_text<&Spec::positive>},
    {"unreadable",
     [](Spec& spec, const Entry& entry) {
       spec.unreadable =
           choice<Unreadable>(entry, {{"wrong", Unreadable::Wrong}, {"half", Unreadable::Half}});
     }},
    {"convention",
     [](Spec& spec, const Entry& entry) {
       spec.convention = choice<Convention>(entry, {{"first", Convention::First},
                                                    {"mean", Convention::Mean},
                                                    {"best", Convention::Best},
                                                    {"consistent", Convention::Consistent}});
     }},
    {"overall",
     [](Spec& spec, const Entry& entry) {
       spec.overall = choice<Overall>(entry, {{"items", Overall::Items},
                                              {"groups", Overall::Groups},
                                              {"sections", Overall::Sections}});
     }},
    {"sections", read_sections},
    {"order",
     [](Spec& spec, const Entry& entry) {
       spec.order = choice<std::string_view>(entry, {{"one", "one"}, {"both", "both"}});
     }},
    {"items", read_items},
    {"known", read_known}};

// What the keys cannot say alone.
void check_whole(const Spec& spec) {
  const auto wrong = [&](std::string_view what, std::string_view remedy = {}) {
    return Error(what, spec.place, remedy);
  };
  for (const auto& [key, value] : {std::pair{"name", spec.name},
                                   {"title", spec.title},
                                   {"licence", spec.licence},
                                   {"metric", spec.metric},
                                   {"source", spec.source.sql}}) {
    if (value.empty()) throw wrong(fmt::format("the key '{}' is missing", key));
  }
  const bool is_name =
      spec.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos &&
      spec.name.front() != '.';
  if (!is_name)
    throw wrong(fmt::format("'{}' is no name: small letters, digits, '-', '_' and '.'",
                            cut_to_columns(spec.name, 60)));
  try {
    data::check_labels(spec.labels, spec.task);
    find_metric(spec.metric);
  } catch (const Error& failure) {
    throw failure.at(spec.place);
  }
  const bool numbers = std::all_of(spec.labels.begin(), spec.labels.end(), [](const auto& label) {
    return data::label_number(label).has_value();
  });
  if (find_metric(spec.metric).numeric_truth() && !numbers)
    throw wrong(fmt::format("the metric '{}' needs labels that are numbers", spec.metric));
  if (spec.better_first && spec.task != data::Task::Pairwise)
    throw wrong("'better_first' is of pairwise benchmarks");
  if ((spec.overall == Overall::Sections) == spec.sections.empty())
    throw wrong("'overall: sections' and 'sections' come together");
  const auto& labels = spec.labels;
  if (!spec.positive.empty() && (labels.size() != 2 || std::find(labels.begin(), labels.end(),
                                                                 spec.positive) == labels.end()))
    throw wrong("'positive' must be one of two labels");
}

}  // namespace

Spec parse_spec(std::string_view yaml, const std::filesystem::path& path) {
  const std::string file = path.string();
  const YAML::Node root = data::parse_yaml(yaml, file);
  Spec spec;
  spec.place = file;
  spec.text = yaml;
  read_keys(spec, entries_of(root, "a benchmark file", file), kKeys);
  if (spec.labels.empty()) spec.labels = data::default_labels(spec.task);
  check_whole(spec);
  return spec;
}

std::vector<std::string> spec_names() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.starts_with("benchmarks/") && file.name.ends_with(".yaml"))
      names.push_back(std::filesystem::path(file.name).stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_builtin(const Spec& spec) {
  return std::any_of(embedded_files().begin(), embedded_files().end(), [&](const auto& file) {
    return file.name == fmt::format("benchmarks/{}.yaml", spec.name) && file.text == spec.text;
  });
}

Spec load_spec(const std::string& name_or_file) {
  if (name_or_file.ends_with(".yaml") || name_or_file.ends_with(".yml"))
    return parse_spec(read_file(name_or_file), name_or_file);
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == fmt::format("benchmarks/{}.yaml", name_or_file))
      return parse_spec(file.text, file.name);
  }
  throw Error(
      fmt::format("there is no benchmark '{}'", cut_to_columns(name_or_file, 60)), "",
      fmt::format("known: {}; a file of your own ends with .yaml", fmt::join(spec_names(), ", ")));
}

}  // namespace selene::bench
