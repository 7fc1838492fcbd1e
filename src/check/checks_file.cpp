#include "check/checks_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"
#include "data/judgment.h"
#include "data/yaml.h"
#include "data/yaml_map.h"
#include "judge/judge.h"

namespace selene::check {
namespace {

using data::entries_of;
using data::Entry;
using data::unknown_yaml_key;
using data::yaml_key;
using data::yaml_value;

constexpr const char* kNamedByLine = "did you mean a list with '- name: …' entries?";

// A text, or a list of texts. (Yes is a text to yaml-cpp.)
std::vector<std::string> texts_of(const Entry& entry) {
  if (entry.value.IsSequence()) return entry.as<std::vector<std::string>>();
  return {entry.text()};
}

double share_of(const Entry& entry) {
  const double share = entry.as<double>();
  if (!(share >= 0) || share > 1)
    throw Error(fmt::format("'{}' must be from 0 to 1", entry.key), entry.place,
                share > 1 && share <= 100 ? fmt::format("for {:g}% write {:g}", share, share / 100)
                                          : std::string());
  return share;
}

void check_mode(const std::string& mode, const std::string& place) {
  try {
    judge::mode_from_name(mode);
  } catch (const Error& failure) {
    throw failure.at(place);
  }
}

// Of a judged check, until all its keys are known.
struct JudgedKeys {
  Judged judged;
  bool given = false;
  std::vector<std::string> pass;
  std::string pass_place;
  std::string first_key;  // The first that only a judged check has.
  std::string first_place;
};

bool read_judged_key(const Entry& entry, JudgedKeys& keys) {
  Judged& judged = keys.judged;
  if (entry.key == "criteria") {
    judged.criteria = entry.text();
    if (trim(judged.criteria).empty()) throw Error("'criteria' is empty", entry.place);
    keys.given = true;
  } else if (entry.key == "task") {
    const std::string name = entry.text();
    if (name != "absolute" && name != "classification") {
      throw Error(fmt::format("the task of a check is absolute or classification, not '{}'",
                              cut_to_columns(name, 60)),
                  entry.place, "to compare two sets of answers: selene check --compare A B");
    }
    judged.task = data::task_from_name(name);
  } else if (entry.key == "labels") {
    judged.labels = texts_of(entry);
  } else if (entry.key == "rubric") {
    if (!entry.value.IsMap())
      throw Error("'rubric' must be a map of labels and descriptions", entry.place);
    for (const auto& one : entry.value)
      judged.rubric.emplace_back(yaml_key(one.first),
                                 yaml_value<std::string>(one.second, "rubric", entry.place));
  } else if (entry.key == "pass") {
    keys.pass = texts_of(entry);
    if (keys.pass.empty())
      throw Error("no answer can pass: 'pass' is an empty list", entry.place,
                  "name the labels that pass");
    keys.pass_place = entry.place;
  } else if (entry.key == "human") {
    judged.human = entry.text();
  } else if (entry.key == "judge") {
    judged.judge = entry.text();
  } else if (entry.key == "template") {
    judged.template_spec = entry.text();
  } else if (entry.key == "mode") {
    judged.mode = entry.text();
    check_mode(judged.mode, entry.place);
  } else {
    return false;
  }
  if (keys.first_key.empty()) {
    keys.first_key = entry.key;
    keys.first_place = entry.place;
  }
  return true;
}

// "score >= 4"
bool read_score(const std::string& text, Judged& judged) {
  std::string_view rest = trim(text);
  if (!rest.starts_with("score")) return false;
  rest = trim(rest.substr(5));
  if (!rest.starts_with('>')) return false;
  judged.above = !rest.starts_with(">=");
  rest = trim(rest.substr(judged.above ? 1 : 2));
  const auto number = data::label_number(rest);
  if (!number) return false;
  judged.pass_score = *number;
  return true;
}

void check_score(const Judged& judged, const std::string& place) {
  double least = INFINITY;
  double most = -INFINITY;
  for (const std::string& label : judged.labels) {
    const auto number = data::label_number(label);
    if (!number) {
      throw Error(fmt::format("'pass' asks for a score, and the label '{}' is no number", label),
                  place, "name the labels that pass: pass: [Yes]");
    }
    least = std::min(least, *number);
    most = std::max(most, *number);
  }
  const double wanted = judged.pass_score;
  if (wanted > most || (judged.above && wanted >= most)) {
    throw Error(fmt::format("no answer can pass: the score is at most {:g}", most), place);
  }
  if (wanted < least || (!judged.above && wanted <= least)) {
    throw Error(fmt::format("every answer would pass: the score is at least {:g}", least), place);
  }
}

void finish_judged(JudgedKeys& keys, const std::string& place) {
  Judged& judged = keys.judged;
  if (judged.labels.empty()) {
    for (const auto& [label, text] : judged.rubric) judged.labels.push_back(label);
  }
  if (judged.labels.empty()) judged.labels = data::default_labels(judged.task);
  try {
    data::check_labels(judged.labels, judged.task);
  } catch (const Error& failure) {
    throw failure.at(place);
  }
  const auto is_label = [&](const std::string& text) {
    return std::find(judged.labels.begin(), judged.labels.end(), text) != judged.labels.end();
  };
  for (const auto& [label, text] : judged.rubric) {
    if (!is_label(label))
      throw Error(fmt::format("the rubric describes '{}', which is none of the labels {}",
                              cut_to_columns(label, 60), fmt::join(judged.labels, ", ")),
                  place);
  }
  if (keys.pass.empty()) {
    if (!is_label("Yes")) {
      throw Error("the key 'pass' is missing", place,
                  "say which labels pass, or from which score on: pass: score >= 4");
    }
    judged.pass_labels = {"Yes"};
    return;
  }
  if (keys.pass.size() == 1 && !is_label(keys.pass[0]) && read_score(keys.pass[0], judged)) {
    check_score(judged, keys.pass_place);
    return;
  }
  for (const std::string& label : keys.pass) {
    if (!is_label(label))
      throw Error(fmt::format("'pass' names '{}', which is none of the labels {}",
                              cut_to_columns(label, 60), fmt::join(judged.labels, ", ")),
                  keys.pass_place, "or write: pass: score >= 4");
  }
  judged.pass_labels = keys.pass;
  const auto passes = [&](const std::string& label) {
    return std::find(keys.pass.begin(), keys.pass.end(), label) != keys.pass.end();
  };
  if (std::all_of(judged.labels.begin(), judged.labels.end(), passes))
    throw Error("every answer would pass: 'pass' names all labels", keys.pass_place);
}

std::vector<std::string> known_check_keys() {
  std::vector<std::string> known{
      "name", "weight", "when",   "min_pass_rate", "max_drop", "of",    "ignore_case", "criteria",
      "task", "labels", "rubric", "pass",          "human",    "judge", "template",    "mode"};
  for (const PlainKind& kind : plain_kinds()) known.emplace_back(kind.key);
  return known;
}

void read_when(const Entry& entry, Check& check) {
  for (const Entry& one : entries_of(entry.value, "'when'", entry.file)) {
    if (one.value.IsMap()) {
      for (const Entry& inner : entries_of(one.value, "'when'", one.file)) {
        if (inner.key != "present")
          throw unknown_yaml_key(inner.key, std::vector{"present"}, inner.place);
        check.when_present.emplace_back(one.key, inner.as<bool>());
      }
      continue;
    }
    check.when.emplace_back(one.key, texts_of(one));
    if (check.when.back().second.empty())
      throw Error(fmt::format("'when' names no value of '{}'", one.key), one.place);
  }
}

Check read_check(const YAML::Node& node, const std::filesystem::path& path) {
  const std::string file = path.string();
  Check check;
  check.place = data::yaml_place(node, file);
  JudgedKeys judged;
  const PlainKind* kind = nullptr;
  YAML::Node value;
  YamlPlace at{check.place, {}, path};
  bool has_of = false;
  bool has_ignore_case = false;
  for (const Entry& entry : entries_of(node, "a check", file)) {
    if (entry.key == "name") {
      check.name = entry.text();
    } else if (entry.key == "weight") {
      check.weight = entry.as<double>();
      if (!(check.weight > 0) || check.weight > 1e9)
        throw Error("'weight' must be above 0 and at most 1e9", entry.place);
    } else if (entry.key == "when") {
      read_when(entry, check);
    } else if (entry.key == "min_pass_rate") {
      check.min_pass_rate = share_of(entry);
    } else if (entry.key == "max_drop") {
      check.max_drop = share_of(entry);
    } else if (entry.key == "of") {
      check.of = entry.text();
      has_of = true;
    } else if (entry.key == "ignore_case") {
      at.ignore_case = entry.as<bool>();
      has_ignore_case = true;
    } else if (read_judged_key(entry, judged)) {
      continue;
    } else {
      const auto kinds = plain_kinds();
      const auto found = std::find_if(kinds.begin(), kinds.end(),
                                      [&](const PlainKind& one) { return one.key == entry.key; });
      if (found == kinds.end()) throw unknown_yaml_key(entry.key, known_check_keys(), entry.place);
      if (kind != nullptr) {
        throw Error(fmt::format("'{}' and '{}' in one check", kind->key, entry.key), entry.place,
                    "make them two checks");
      }
      kind = &*found;
      value = entry.value;
      at.place = entry.place;
      at.key = kind->key;
    }
  }
  if (trim(check.name).empty()) throw Error("a check without a name", check.place, "name it");
  if (kind != nullptr && !judged.first_key.empty()) {
    throw Error(
        fmt::format("'{}' is of a judged check, '{}' needs no judge", judged.first_key, kind->key),
        judged.first_place, "make them two checks, or leave it out");
  }
  if (kind == nullptr && !judged.given) {
    std::vector<std::string> kinds{"criteria"};
    for (const PlainKind& one : plain_kinds()) kinds.emplace_back(one.key);
    throw Error(fmt::format("the check '{}' checks nothing", cut_to_columns(check.name, 60)),
                check.place, fmt::format("give one of {}", fmt::join(kinds, ", ")));
  }
  if (kind != nullptr) {
    check.plain = kind->make(value, at);
    return check;
  }
  if (has_of || has_ignore_case) {
    throw Error(fmt::format("'{}' is of a check without a judge", has_of ? "of" : "ignore_case"),
                check.place, "leave it out");
  }
  finish_judged(judged, check.place);
  check.judged = std::move(judged.judged);
  return check;
}

void check_rate_at(const std::string& place, double rate, bool on_lower) {
  try {
    check_rate(rate, on_lower);
  } catch (const Error& failure) {
    throw failure.at(place);
  }
}

Gate read_gate(const Entry& entry) {
  Gate gate;
  std::string rate_place;
  for (const Entry& one : entries_of(entry.value, "'gate'", entry.file)) {
    if (one.key == "min_pass_rate") {
      gate.min_pass_rate = share_of(one);
      rate_place = one.place;
    } else if (one.key == "max_drop") {
      gate.max_drop = share_of(one);
    } else if (one.key == "on") {
      const auto on = one.text();
      if (on != "point" && on != "lower") {
        throw Error(fmt::format("'on' is point or lower, not '{}'", cut_to_columns(on, 60)),
                    one.place);
      }
      gate.on_lower = on == "lower";
    } else {
      throw unknown_yaml_key(one.key, std::vector{"min_pass_rate", "on", "max_drop"}, one.place);
    }
  }
  if (gate.min_pass_rate) check_rate_at(rate_place, *gate.min_pass_rate, gate.on_lower);
  return gate;
}

Look read_look(const Entry& entry) {
  Look look;
  for (const Entry& one : entries_of(entry.value, "'look'", entry.file)) {
    if (one.key == "margin") {
      look.margin = share_of(one);
    } else if (one.key == "counts_as") {
      const auto as = one.text();
      if (as != "not_passed" && as != "unknown") {
        throw Error(
            fmt::format("'counts_as' is not_passed or unknown, not '{}'", cut_to_columns(as, 60)),
            one.place);
      }
      look.counts_as_unknown = as == "unknown";
    } else {
      throw unknown_yaml_key(one.key, std::vector{"margin", "counts_as"}, one.place);
    }
  }
  return look;
}

void read_checks(const Entry& entry, const std::filesystem::path& path, ChecksFile& file) {
  if (!entry.value.IsSequence() || entry.value.size() == 0)
    throw Error("'checks' must be a list of at least one check", entry.place, kNamedByLine);
  std::set<std::string> names;
  for (const YAML::Node& node : entry.value) {
    file.checks.push_back(read_check(node, path));
    const Check& check = file.checks.back();
    if (check.name == "overall" || check.name == "gate") {
      throw Error(fmt::format("'{}' is a name of the reports' own", check.name), check.place,
                  "name the check otherwise");
    }
    if (!names.insert(check.name).second)
      throw Error(fmt::format("two checks named '{}'", cut_to_columns(check.name, 60)),
                  check.place);
  }
}

void need_column(const Answers& answers, const std::string& name, const std::string& place) {
  if (has_column(answers, name)) return;
  for (const auto& [field, column] : answers.map) {
    if (column == name)
      throw Error(
          fmt::format("the column '{}' is called '{}' here", cut_to_columns(name, 60), field),
          place, fmt::format("write '{}': the map says so", field));
  }
  const std::string near = nearest_name(name, answers.columns);
  throw Error(fmt::format("the answers have no field '{}' ({} has {})", cut_to_columns(name, 60),
                          answers.name, fmt::join(answers.columns, ", ")),
              place,
              near.empty() || near == name
                  ? fmt::format("map a column to it: --map {}=COLUMN", name)
                  : fmt::format("did you mean '{}'? Or map it: --map {}={}", near, name, near));
}

}  // namespace

bool Judged::passes(const std::string& label) const {
  if (pass_labels.empty()) {
    const double score = data::label_number(label).value();
    return above ? score > pass_score : score >= pass_score;
  }
  return std::find(pass_labels.begin(), pass_labels.end(), label) != pass_labels.end();
}

bool Check::applies(const Answer& answer) const {
  const bool is_there = std::all_of(when_present.begin(), when_present.end(), [&](const auto& one) {
    const auto found = answer.fields.find(one.first);
    return (found != answer.fields.end() && *found != "") == one.second;
  });
  return is_there && std::all_of(when.begin(), when.end(), [&](const auto& one) {
           const auto found = answer.fields.find(one.first);
           if (found == answer.fields.end()) return false;
           const std::string value = field_text(*found);
           return std::find(one.second.begin(), one.second.end(), value) != one.second.end();
         });
}

std::string Check::description() const {
  if (!judged) return plain->description();
  if (judged->pass_labels.empty()) {
    return fmt::format("{} (score {} {:g})", judged->criteria,
                       judged->above ? ">" : ">=", judged->pass_score);
  }
  return fmt::format("{} ({})", judged->criteria, fmt::join(judged->pass_labels, " or "));
}

bool has_column(const Answers& answers, const std::string& name) {
  return std::find(answers.columns.begin(), answers.columns.end(), name) != answers.columns.end();
}

std::string human_column(const ChecksFile& checks, const Check& check, const Answers& answers) {
  if (!check.judged) return "";
  if (!check.judged->human.empty()) return check.judged->human;
  if (std::string own = "label." + check.name; has_column(answers, own)) return own;
  return checks.judged() == 1 && has_column(answers, "label") ? "label" : "";
}

size_t ChecksFile::judged() const {
  return static_cast<size_t>(std::count_if(
      checks.begin(), checks.end(), [](const Check& check) { return check.judged.has_value(); }));
}

void check_rate(double rate, bool on_lower) {
  if (!(rate >= 0) || rate > 1) throw Error("a pass rate must be from 0 to 1");
  if (on_lower && rate == 1) {
    throw Error("the lower end of an interval never reaches 1", "",
                "ask for less than 1, or on the point");
  }
}

ChecksFile parse_checks(std::string_view yaml, const std::filesystem::path& path) {
  const std::string name = path.string();
  ChecksFile file;
  file.name = name;
  const YAML::Node root = data::parse_yaml(yaml, name);
  if (!root.IsMap()) throw Error("a checks file is a YAML map with the key 'checks'", name);
  for (const Entry& entry : entries_of(root, "a checks file", name)) {
    if (entry.key == "map") {
      file.map_place = entry.place;
      for (const Entry& one : entries_of(entry.value, "'map'", name))
        file.map.emplace_back(one.key, one.text());
    } else if (entry.key == "judge") {
      file.judge = entry.text();
    } else if (entry.key == "template") {
      file.template_spec = entry.text();
    } else if (entry.key == "mode") {
      file.mode = entry.text();
      check_mode(file.mode, entry.place);
    } else if (entry.key == "threshold") {
      file.threshold = share_of(entry);
      if (file.threshold == 0)
        throw Error("every answer would pass: 'threshold' is 0", entry.place);
    } else if (entry.key == "gate") {
      file.gate = read_gate(entry);
    } else if (entry.key == "look") {
      file.look = read_look(entry);
    } else if (entry.key == "checks") {
      read_checks(entry, path, file);
    } else {
      throw unknown_yaml_key(
          entry.key,
          std::vector{"map", "judge", "template", "mode", "threshold", "gate", "look", "checks"},
          entry.place);
    }
  }
  if (file.checks.empty()) throw Error("the key 'checks' is missing", name);
  for (const Check& check : file.checks) {
    if (check.min_pass_rate) check_rate_at(check.place, *check.min_pass_rate, file.gate.on_lower);
  }
  return file;
}

void check_columns(const ChecksFile& checks, const Answers& answers) {
  for (const Check& check : checks.checks) {
    for (const auto& [field, values] : check.when) need_column(answers, field, check.place);
    for (const auto& [field, there] : check.when_present) need_column(answers, field, check.place);
    if (check.plain) {
      need_column(answers, check.of, check.place);
      for (const std::string& field : check.plain->fields())
        need_column(answers, field, check.place);
    }
    if (!check.judged) continue;
    need_column(answers, "input", check.place);
    need_column(answers, "response", check.place);
    if (!check.judged->human.empty()) need_column(answers, check.judged->human, check.place);
  }
}

}  // namespace selene::check
