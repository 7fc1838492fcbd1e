#include "curate/explain.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"
#include "curate/find.h"
#include "curate/funnel.h"
#include "data/jsonl.h"

namespace selene::curate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using report::Style;

// "file:line", or what there is of it.
std::string rejected_place(const Json& row) {
  const std::string file = text_at(row, "file");
  const auto number = [&](const char* name) {
    const auto found = row.find(name);
    return found != row.end() && found->is_number() ? found->dump() : std::string();
  };
  if (const std::string line = number("line"); !line.empty())
    return fmt::format("{}:{}", file, line);
  const std::string of_source = number("row");
  return of_source.empty() ? file : fmt::format("{}, row {}", file, of_source);
}

// A rejected row's own id, with its source, where it came so far as to have one.
std::string rejected_id(const Json& row) {
  const std::string id = text_at(row, "id");
  return id.empty() ? id : fmt::format("{}/{}", text_at(row, "source"), id);
}

// The first thing that a prompt puts between fences: the input, as a rule. Empty: there is none.
std::string_view first_fenced(std::string_view prompt) {
  const size_t fence = prompt.find("\n```");
  const size_t begin = fence == std::string_view::npos ? fence : prompt.find('\n', fence + 1);
  if (begin == std::string_view::npos) return {};
  return prompt.substr(begin, prompt.find("\n```", begin) - begin);
}

// The prompt from the first line on that is not of `other`: behind the words that all prompts of
// a template begin with.
std::string_view told_apart(std::string_view prompt, std::string_view other) {
  size_t same = 0;
  while (same < std::min(prompt.size(), other.size()) && prompt[same] == other[same]) ++same;
  if (same == prompt.size()) return {};
  const size_t line = prompt.substr(0, same).rfind('\n');
  return prompt.substr(line == std::string_view::npos ? 0 : line + 1);
}

class Explanation {
 public:
  Explanation(const fs::path& folder, const std::string& wanted)
      : folder_(folder), wanted_(wanted), funnel_(read_funnel(folder)) {
    const auto makes = [](const StepAccount& step) { return step.total().made != 0; };
    const auto found = std::find_if(funnel_.steps.begin(), funnel_.steps.end(), makes);
    if (found != funnel_.steps.end()) spread_ = static_cast<size_t>(found - funnel_.steps.begin());
  }

  Life run() {
    life_.id = find_row();
    take_rejected();
    take_dropped();
    take_pairs();
    if (spread_ < life_.steps.size()) life_.steps[spread_].made = life_.pairs.size();
    take_hits();
    return std::move(life_);
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  fs::path split_file(const char* split) const { return folder_ / fmt::format("{}.jsonl", split); }

  // The id, with its source, of the one row that is meant.
  std::string find_row() {
    std::set<std::string> rows;
    each_about(folder_ / "dropped.jsonl", wanted_, [&](const Json& row) {
      const std::string id = row.at("id").get<std::string>();
      const std::string source = text_at(row, "source");
      const std::string base = row_of_dropped(row);
      if (names(wanted_, id, source) || names(wanted_, base, source)) rows.insert(base);
      return true;
    });
    for (const char* split : kSplits) {
      each_about(split_file(split), wanted_, [&](const Json& pair) {
        const std::string source = pair.at("source").get<std::string>();
        const std::string row = pair.at("provenance").at("row").get<std::string>();
        if (names(wanted_, row, source) || names(wanted_, pair.at("id").get<std::string>(), source))
          rows.insert(row);
        return true;
      });
    }
    find_rejected(rows);
    if (rows.contains(wanted_)) return wanted_;
    if (rows.empty()) not_found();
    if (rows.size() > 1) several(rows);
    return *rows.begin();
  }

  // A row of rejected.jsonl may stand there as text: every line is looked at, there are few.
  void find_rejected(std::set<std::string>& rows) {
    each_rejected([&](const Json& row) {
      const std::string id = rejected_id(row);
      if (!id.empty() && names(wanted_, id, text_at(row, "source"))) {
        rows.insert(id);
      } else if (rejected_place(row) == wanted_) {
        rows.insert(id.empty() ? wanted_ : id);
      }
    });
  }

  void each_rejected(const std::function<void(const Json& row)>& take) {
    const fs::path file = folder_ / "rejected.jsonl";
    if (!fs::exists(file)) return;
    data::JsonlReader reader(file);
    for (data::Row row; reader.next(row);) take(row.value);
  }

  [[noreturn]] void not_found() const {
    const std::vector<std::string> nearest = nearest_ids(folder_, wanted_, 3);
    std::vector<std::string> sources;
    for (const SourceFacts& source : funnel_.sources) sources.push_back(source.name);
    throw Error(nearest.empty() ? fmt::format("no row has the id '{}'", printable(wanted_))
                                : fmt::format("no row has the id '{}'; the nearest: {}",
                                              printable(wanted_), fmt::join(nearest, ", ")),
                folder_.string(),
                fmt::format("give it as SOURCE/ID, or a pair's as SOURCE/ID#N; the sources: {}",
                            fmt::join(sources, ", ")));
  }

  [[noreturn]] void several(const std::set<std::string>& rows) const {
    std::vector<std::string> some;
    for (const std::string& row : rows) {
      if (some.size() < 5) some.push_back(row);
    }
    throw Error(fmt::format("{} rows have the id '{}': {}{}", rows.size(), printable(wanted_),
                            fmt::join(some, ", "), rows.size() > some.size() ? ", ..." : ""),
                folder_.string(), "give it with its source: SOURCE/ID");
  }

  size_t index_of(const std::string& step) const {
    for (size_t i = 0; i < funnel_.steps.size(); ++i) {
      if (funnel_.steps[i].step == step) return i;
    }
    return kNone;
  }

  // Behind the step that makes pairs ids are those of pairs.
  bool is_pair(const Json& dropped) const {
    const size_t step = index_of(text_at(dropped, "step"));
    return step != kNone && spread_ != kNone && step > spread_;
  }
  std::string row_of_dropped(const Json& dropped) const {
    const std::string id = dropped.at("id").get<std::string>();
    return is_pair(dropped) ? std::string(without_pair(id)) : id;
  }

  // The steps from `first` until `last`, with what the history says of each.
  std::vector<LivedStep> lived(const Json& history, size_t first, size_t last) const {
    std::vector<LivedStep> steps;
    for (size_t i = first; i <= last && i < funnel_.steps.size(); ++i)
      steps.push_back({funnel_.steps[i].step, {}, {}});
    for (const Json& one : history) {
      for (LivedStep& step : steps) {
        if (step.step == one.at(0).get<std::string>())
          step.changes.push_back(one.at(1).get<std::string>());
      }
    }
    return steps;
  }

  void take_rejected() {
    each_rejected([&](const Json& row) {
      if (rejected_id(row) != life_.id && rejected_place(row) != life_.id) return;
      life_.source = text_at(row, "source");
      life_.rejected.push_back(fmt::format("{}: {}", rejected_place(row), text_at(row, "reason")));
    });
  }

  void take_dropped() {
    each_about(folder_ / "dropped.jsonl", life_.id, [&](const Json& row) {
      if (row_of_dropped(row) != life_.id) return true;
      life_.source = text_at(row, "source");
      life_.text = text_at(row, "text");
      const size_t step = index_of(row.at("step").get<std::string>());
      const Json history = row.value("history", Json::array());
      const Drop drop{row.at("reason").get<std::string>(), text_at(row, "detail")};
      if (is_pair(row)) {
        LivedPair pair;
        pair.id = row.at("id").get<std::string>();
        pair.steps = lived(history, spread_ + 1, step);
        pair.steps.back().drop = drop;
        life_.pairs.push_back(std::move(pair));
        if (life_.steps.empty()) life_.steps = lived(history, 0, spread_);
      } else {
        life_.steps = lived(history, 0, step);
        if (step == kNone) life_.steps.push_back({row.at("step").get<std::string>(), {}, {}});
        life_.steps.back().drop = drop;
      }
      return true;
    });
  }

  void take_pairs() {
    for (const char* split : kSplits) {
      each_about(split_file(split), life_.id, [&](const Json& row) {
        const Json& provenance = row.at("provenance");
        if (provenance.at("row").get<std::string>() != life_.id) return true;
        life_.source = row.at("source").get<std::string>();
        const Json history = provenance.value("steps", Json::array());
        const size_t spread = spread_ == kNone ? funnel_.steps.size() - 1 : spread_;
        if (life_.steps.empty()) life_.steps = lived(history, 0, spread);
        life_.pairs.push_back({row.at("id").get<std::string>(), split, text_at(row, "kind"),
                               text_at(row, "label"), text_at(row, "rejected_label"),
                               lived(history, spread + 1, funnel_.steps.size())});
        if (life_.text.empty() && !row.at("prompt").empty())
          life_.text = head_of(text_at(row.at("prompt").back(), "content"), provenance);
        return true;
      });
    }
    std::sort(life_.pairs.begin(), life_.pairs.end(), [](const LivedPair& a, const LivedPair& b) {
      return std::pair(a.id.size(), a.id) < std::pair(b.id.size(), b.id);
    });
  }

  // The first words of the input, as far as the prompt tells them.
  std::string head_of(const std::string& prompt, const Json& provenance) const {
    if (const std::string_view fenced = first_fenced(prompt); !fenced.empty())
      return std::string(fenced);
    const std::string form = text_at(provenance, "template");
    std::string head;
    for (const char* split : kSplits) {
      each_about(split_file(split), form, [&](const Json& other) {
        const Json& about = other.at("provenance");
        if (text_at(about, "template") == form && about.at("row") != provenance.at("row") &&
            !other.at("prompt").empty())
          head = told_apart(prompt, text_at(other.at("prompt").back(), "content"));
        return head.empty();
      });
      if (!head.empty()) return head;
    }
    return prompt;
  }

  void take_hits() {
    each_about(folder_ / "contamination.jsonl", life_.id, [&](const Json& row) {
      const std::string id = row.at("id").get<std::string>();
      if (id != life_.id && without_pair(id) != life_.id) return true;
      const std::string similarity = text_at(row, "similarity");
      life_.hits.push_back(
          fmt::format("{}, item {}: {}", text_at(row, "benchmark"), text_at(row, "item"),
                      similarity.empty() ? fmt::format("\"{}\"", text_at(row, "words"))
                                         : "near copy, similarity " + similarity));
      return true;
    });
  }

  fs::path folder_;
  std::string wanted_;
  Funnel funnel_;
  size_t spread_ = kNone;  // The step that makes pairs.
  Life life_;
};

class LifeText {
 public:
  LifeText(const Life& life, report::Terminal terminal) : life_(life), terminal_(terminal) {
    const auto widen = [this](const std::vector<LivedStep>& steps) {
      for (const LivedStep& step : steps)
        name_ = std::max(name_, display_columns(cut_to_columns(step.step, kMostName)));
    };
    widen(life.steps);
    for (const LivedPair& pair : life.pairs) widen(pair.steps);
  }

  std::string run() {
    out_ = styled(cut(life_.id), Style::Bold) + fmt::format("  source {}\n", cut(life_.source));
    if (!life_.text.empty()) out_ += styled(cut(life_.text), Style::Dim) + "\n";
    out_ += "\n";
    for (const std::string& one : life_.rejected) add(0, "load", "rejected: " + one, Style::Red);
    for (const LivedStep& step : life_.steps) add(0, step);
    for (const std::string& hit : life_.hits) add(0, "", "shares with " + hit, Style::Dim);
    for (const LivedPair& pair : life_.pairs) add(pair);
    return out_;
  }

 private:
  static constexpr size_t kMostName = 30;

  std::string styled(std::string_view text, Style style) const {
    return report::styled(text, style, terminal_.color);
  }
  std::string cut(std::string_view text) const { return cut_to_columns(text, terminal_.columns); }

  // The name, and the words wrapped beside it.
  void add(size_t indent, std::string_view name, std::string_view words, Style style) {
    const std::string shown = cut_to_columns(name, kMostName);
    const size_t left = indent + name_ + 2;
    const size_t room = terminal_.columns > left + 20 ? terminal_.columns - left : 20;
    bool first = true;
    for (const std::string& line : wrap_to_columns(words, room)) {
      const size_t taken = first ? indent + display_columns(shown) : 0;
      out_ += first ? std::string(indent, ' ') + styled(shown, Style::Bold) : std::string();
      out_ += std::string(left > taken ? left - taken : 1, ' ') + styled(line, style) + "\n";
      first = false;
    }
  }

  void add(size_t indent, const LivedStep& step) {
    std::string words = step.drop ? "" : "kept";
    if (!step.changes.empty())
      words += fmt::format("{}{}", words.empty() ? "" : "; ", fmt::join(step.changes, "; "));
    if (step.drop) {
      words += fmt::format("{}dropped: {}", words.empty() ? "" : "; ", step.drop->reason);
      if (!step.drop->detail.empty()) words += fmt::format(" ({})", step.drop->detail);
    }
    if (step.made > 0)
      words += fmt::format("; {} pair{} made of it", step.made, step.made == 1 ? "" : "s");
    add(indent, step.step, words, step.drop ? Style::Red : Style::Plain);
  }

  void add(const LivedPair& pair) {
    out_ += "\n" + styled(cut("pair " + pair.id), Style::Bold) + "\n";
    for (const LivedStep& step : pair.steps) add(2, step);
    if (pair.split.empty()) return;
    add(2, "",
        fmt::format("in {}.jsonl: {}, chosen {}, rejected {}", pair.split, pair.kind, pair.label,
                    pair.rejected_label),
        Style::Green);
  }

  const Life& life_;
  report::Terminal terminal_;
  size_t name_ = 4;
  std::string out_;
};

}  // namespace

Life explain(const fs::path& folder, const std::string& id) {
  return Explanation(folder, id).run();
}

std::string life_text(const Life& life, report::Terminal terminal) {
  return LifeText(life, terminal).run();
}

}  // namespace selene::curate
