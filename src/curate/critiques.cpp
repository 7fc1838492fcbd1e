// The step `critiques`: a teacher argues for the known label and for one that will be rejected;
// what it writes is checked (critique_checks.h), and kept only where a scorer that reads it comes
// to the verdict that it argues for.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "curate/argue.h"
#include "curate/critique_checks.h"
#include "curate/labels.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "curate/verdicts.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;
using data::Entry;

constexpr size_t kExamples = 5;

enum class Need { Nothing, Chosen, Both };

struct Options {
  std::string teacher;                // A --judge value; empty: the run's judge.
  std::optional<std::string> scorer;  // Nothing: the teacher, where it gives probabilities.
  int samples = 2;                    // Of one label.
  std::optional<double> temperature;  // Nothing: 0.7 for several samples, else 0.
  int max_tokens = 256;
  int keep = 1;              // Of one label at most.
  bool only_missing = true;  // Labels that have a critique are left alone.
  double most_overlap = 0.7;
  Need need = Need::Nothing;
  RejectedChoice rejected = RejectedChoice::Random;
};

constexpr data::Key<Options> kKeys[] = {
    {"teacher", [](Options& o, const Entry& entry) { o.teacher = entry.text(); }},
    {"scorer", [](Options& o, const Entry& entry) { o.scorer = entry.text(); }},
    {"samples", [](Options& o, const Entry& entry) { o.samples = number_between(entry, 1, 1000); }},
    {"temperature",
     [](Options& o, const Entry& entry) { o.temperature = number_between(entry, 0.0, 2.0); }},
    {"max_tokens",
     [](Options& o, const Entry& entry) { o.max_tokens = number_between(entry, 1, 100'000); }},
    {"keep", [](Options& o, const Entry& entry) { o.keep = number_between(entry, 1, 1000); }},
    {"only_missing", [](Options& o, const Entry& entry) { o.only_missing = entry.as<bool>(); }},
    {"most_overlap",
     [](Options& o, const Entry& entry) { o.most_overlap = number_between(entry, 0.0, 1.0); }},
    {"need",
     [](Options& o, const Entry& entry) {
       o.need = data::choice<Need>(
           entry, {{"none", Need::Nothing}, {"chosen", Need::Chosen}, {"both", Need::Both}});
     }},
    {"rejected", [](Options& o, const Entry& entry) { o.rejected = read_rejected_choice(entry); }}};

Options read(const Entry& entry) {
  Options options = read_options<Options>(entry, kKeys);
  if (!options.temperature) options.temperature = options.samples > 1 ? 0.7 : 0;
  if (options.samples > 1 && *options.temperature <= 0)
    throw Error("several samples at temperature 0 are all the same", entry.place,
                "give a temperature above 0, or 'samples: 1'");
  return options;
}

// What became of the critiques for one kind of label: asked = kept + all that fell.
struct Tally {
  std::uint64_t asked = 0;
  std::uint64_t kept = 0;
  std::map<std::string_view, std::uint64_t> fell;

  void add(std::string_view fell_to) {
    ++asked;
    ++(fell_to.empty() ? kept : fell[fell_to]);
  }
  std::uint64_t fell_to(std::string_view check) const {
    const auto found = fell.find(check);
    return found == fell.end() ? 0 : found->second;
  }
};

Tally sum(const Tally& a, const Tally& b) {
  Tally both = a;
  both.asked += b.asked;
  both.kept += b.kept;
  for (const auto& [check, count] : b.fell) both.fell[check] += count;
  return both;
}

Json to_json(const Tally& tally) {
  Json fell = Json::object();
  for (const std::string_view check : checks::kAll) fell[std::string(check)] = tally.fell_to(check);
  return {{"asked", tally.asked},
          {"written", tally.asked - tally.fell_to(checks::kNoAnswer)},
          {"kept", tally.kept},
          {"fell", fell}};
}

struct Teaching {
  judge::Judge teacher;
  std::optional<judge::Judge> own_scorer;  // Nothing: the teacher re-scores.

  judge::Judge& scorer() { return own_scorer ? *own_scorer : teacher; }
};

// One critique that is wanted, on its way.
struct Wanted {
  size_t row = 0;
  std::string label{};
  bool wrong = false;
  int sample = 0;
  size_t member = 0;
  const judge::Template* form = nullptr;
  judge::Ask ask{};
  std::optional<engine::Result> result{};
  CheckedCritique checked{};
};

// Whether the row has one for the label. That of `wrong` may be one for another label than the
// known one that does not say which.
bool has_critique(const Row& row, const std::string& label, bool wrong) {
  return std::any_of(row.critiques.begin(), row.critiques.end(), [&](const Critique& one) {
    return one.label == label || (wrong && one.label.empty());
  });
}

class Critiques : public Step {
 public:
  Critiques(Options options, std::uint64_t seed)
      : options_(std::move(options)), seed_(seed), copies_(options_.most_overlap) {}

  void begin(Resources& resources) override {
    stop_ = resources.stop;
    teaching(resources);
  }
  std::string depends_on(const Resources& resources) const override {
    const Teaching& open = teaching(resources);
    Json judges = Json::array({judge::describe(open.teacher)});
    if (open.own_scorer) judges.push_back(judge::describe(*open.own_scorer));
    return judges.dump();
  }

  bool needs_judged() const override { return options_.rejected == RejectedChoice::Probable; }

  // Few, for a row can be dozens of long requests, and after each batch is told how far it is.
  std::size_t batch() const override { return 32; }
  std::vector<std::optional<Drop>> run(std::span<Row> rows) override;
  Json facts() const override;

 private:
  Teaching& teaching(const Resources& resources) const;
  std::vector<std::pair<std::string, bool>> wanted_labels(const Row& row) const;
  std::vector<Wanted> plan(std::span<const Row> rows) const;
  void ask_teacher(std::span<Wanted> wanted, std::vector<bool>& too_long);
  void check_texts(std::span<const Row> rows, std::span<Wanted> wanted);
  void score_again(std::span<const Row> rows, std::span<Wanted> wanted);
  void choose(std::span<const Row> rows, std::span<Wanted> wanted);
  void account(std::span<const Row> rows, std::span<const Wanted> wanted);
  void give(std::span<Row> rows, std::span<const Wanted> wanted) const;
  std::optional<Drop> unmet(const Row& row, bool too_long) const;
  bool stopped() const { return stop_ && stop_(); }

  Options options_;
  std::uint64_t seed_;
  CopyCheck copies_;
  // Opened by the first of begin() and depends_on(): a judge's files are looked at once.
  mutable std::optional<Teaching> teaching_;
  std::function<bool()> stop_;
  Tally true_, wrong_;
  std::uint64_t too_long_ = 0;              // Rows.
  std::map<std::uint64_t, Json> examples_;  // The kExamples of the least chance.
};

Teaching& Critiques::teaching(const Resources& resources) const {
  if (teaching_) return *teaching_;
  Teaching open{.teacher = resources.open_judge(options_.teacher), .own_scorer = {}};
  if (options_.scorer) {
    if (*options_.scorer != options_.teacher)
      open.own_scorer.emplace(resources.open_judge(*options_.scorer));
  } else if (!options_.teacher.empty() && !gives_probabilities(open.teacher, resources.stop)) {
    open.own_scorer.emplace(resources.open_judge(""));
  }
  teaching_.emplace(std::move(open));
  return *teaching_;
}

// The true one first.
std::vector<std::pair<std::string, bool>> Critiques::wanted_labels(const Row& row) const {
  std::vector<std::pair<std::string, bool>> labels{
      {row.label(), false}, {rejected_label(row, options_.rejected, seed_), true}};
  if (!options_.only_missing) return labels;
  std::erase_if(labels,
                [&](const auto& wanted) { return has_critique(row, wanted.first, wanted.second); });
  return labels;
}

std::vector<Wanted> Critiques::plan(std::span<const Row> rows) const {
  const auto& members = teaching_->teacher.members();
  std::vector<Wanted> all;
  for (size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    for (const auto& [label, wrong] : wanted_labels(row)) {
      for (int sample = 0; sample < options_.samples; ++sample) {
        // The members of a jury take turns.
        Wanted one{.row = r, .label = label, .wrong = wrong, .sample = sample};
        one.member = static_cast<size_t>(sample) % members.size();
        judge::Policy policy;
        policy.max_tokens = options_.max_tokens;
        policy.temperature = *options_.temperature;
        try {
          one.form = &members[one.member].templates.pick(row.sample);
          one.ask = argue(*one.form, row.sample, label, policy);
        } catch (const Error& failure) {
          throw failure.at(row_name(row.id));
        }
        one.ask.name = row_name(row.id);
        one.ask.request.sampling.seed =
            derive_seed(seed_, fmt::format("critiques/{}/{}/{}", row.id, label, sample));
        all.push_back(std::move(one));
      }
    }
  }
  return all;
}

void Critiques::ask_teacher(std::span<Wanted> wanted, std::vector<bool>& too_long) {
  judge::Judge& teacher = teaching_->teacher;
  for (size_t m = 0; m < teacher.members().size(); ++m) {
    std::vector<judge::Ask> asks;
    std::vector<Wanted*> owners;
    for (Wanted& one : wanted) {
      if (one.member != m) continue;
      asks.push_back(one.ask);
      owners.push_back(&one);
    }
    std::vector<judge::Judge::Answer> answers = teacher.answer(teacher.members()[m], asks, stop_);
    for (size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].fit.fits()) too_long[owners[i]->row] = true;
      owners[i]->result = std::move(answers[i].result);
    }
  }
}

void Critiques::check_texts(std::span<const Row> rows, std::span<Wanted> wanted) {
  for (Wanted& one : wanted) {
    const Row& row = rows[one.row];
    one.checked = check_critique(*one.form, row.sample, one.label, *one.result);
    if (!one.checked.fell_to.empty()) continue;
    if (copies_.repeats(one.checked.text)) {
      one.checked.fell_to = checks::kRepeats;
      continue;
    }
    std::string prompt;
    for (const engine::Message& message : one.ask.request.messages)
      prompt += message.content + "\n";
    if (copies_.copies(shown(row, one.checked.text), prompt))
      one.checked.fell_to = checks::kPromptCopy;
  }
}

void Critiques::score_again(std::span<const Row> rows, std::span<Wanted> wanted) {
  judge::Judge& scorer = teaching_->scorer();
  std::vector<VerdictQuestion> questions;
  std::vector<Wanted*> owners;
  for (Wanted& one : wanted) {
    if (!one.checked.fell_to.empty()) continue;
    const Row& row = rows[one.row];
    questions.push_back(verdict_question(scorer, row.sample, shown(row, one.checked.text)));
    owners.push_back(&one);
  }
  const std::vector<Verdict> found = verdicts(scorer, questions, stop_);
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i].label) {
      owners[i]->checked.fell_to = checks::kNotScored;
    } else if (*found[i].label != owners[i]->label) {
      owners[i]->checked.fell_to = checks::kScoredOtherwise;
    }
  }
}

// In the order of the samples: what is no near copy of what the row has so far, `keep` of a label.
void Critiques::choose(std::span<const Row> rows, std::span<Wanted> wanted) {
  std::vector<std::vector<std::string_view>> texts(rows.size());
  std::map<std::pair<size_t, std::string_view>, int> kept;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (const Critique& one : rows[r].critiques) texts[r].push_back(one.text);
  }
  for (Wanted& one : wanted) {
    if (!one.checked.fell_to.empty()) continue;
    int& count = kept[{one.row, one.label}];
    if (copies_.near_copy(one.checked.text, texts[one.row])) {
      one.checked.fell_to = checks::kNearCopy;
    } else if (count == options_.keep) {
      one.checked.fell_to = checks::kSurplus;
    } else {
      ++count;
      texts[one.row].push_back(one.checked.text);
    }
  }
}

void Critiques::account(std::span<const Row> rows, std::span<const Wanted> wanted) {
  for (const Wanted& one : wanted) {
    const Row& row = rows[one.row];
    (one.wrong ? wrong_ : true_).add(one.checked.fell_to);
    const std::string name = fmt::format("{}/{}/{}", row.id, one.label, one.sample);
    examples_[chance(seed_, "critique to read", name)] = {
        {"id", row.id},
        {"label", one.label},
        {"wrong", one.wrong},
        {"text", replace_invalid_utf8(shown(row, one.checked.text))},
        {"fell_to", one.checked.fell_to}};
    if (examples_.size() > kExamples) examples_.erase(std::prev(examples_.end()));
  }
}

void Critiques::give(std::span<Row> rows, std::span<const Wanted> wanted) const {
  std::set<std::pair<size_t, bool>> told;
  for (const Wanted& one : wanted) {
    if (!one.checked.fell_to.empty()) continue;
    Row& row = rows[one.row];
    const std::string& teacher = teaching_->teacher.members()[one.member].name;
    row.critiques.push_back({one.label, one.checked.text, teacher});
    if (told.insert({one.row, one.wrong}).second) {
      row.history.push_back({"critiques", one.wrong ? "critique written for another label"
                                                    : "critique written for the label"});
    }
  }
}

std::optional<Drop> Critiques::unmet(const Row& row, bool too_long) const {
  if (options_.need == Need::Nothing) return std::nullopt;
  const std::string rejected = rejected_label(row, options_.rejected, seed_);
  const bool has_chosen = has_critique(row, row.label(), false);
  const bool has_rejected = options_.need == Need::Chosen || has_critique(row, rejected, true);
  if (has_chosen && has_rejected) return std::nullopt;
  if (too_long) return Drop{"too long for the teacher", ""};
  if (!has_chosen) return Drop{"no critique for the label", row.label()};
  return Drop{"no critique for the rejected label", rejected};
}

std::vector<std::optional<Drop>> Critiques::run(std::span<Row> rows) {
  std::vector<std::optional<Drop>> drops(rows.size());
  std::vector<Wanted> wanted = plan(rows);
  std::vector<bool> too_long(rows.size());
  ask_teacher(wanted, too_long);
  if (stopped()) return drops;
  std::erase_if(wanted, [&](const Wanted& one) { return too_long[one.row]; });
  check_texts(rows, wanted);
  score_again(rows, wanted);
  if (stopped()) return drops;
  choose(rows, wanted);
  account(rows, wanted);
  give(rows, wanted);
  too_long_ += static_cast<std::uint64_t>(std::count(too_long.begin(), too_long.end(), true));
  for (size_t r = 0; r < rows.size(); ++r) drops[r] = unmet(rows[r], too_long[r]);
  return drops;
}

Json Critiques::facts() const {
  Json facts = Json::object();
  if (teaching_) {
    facts["teacher"] = teaching_->teacher.name();
    facts["scorer"] = teaching_->scorer().name();
  }
  facts.update(to_json(sum(true_, wrong_)));
  facts["true"] = to_json(true_);
  facts["wrong"] = to_json(wrong_);
  facts["too_long"] = too_long_;
  Json& list = facts["examples"] = Json::array();
  for (const auto& [order, example] : examples_) list.push_back(example);
  return facts;
}

}  // namespace

StepPointer make_critiques(const Entry& options, std::uint64_t seed) {
  return std::make_unique<Critiques>(read(options), seed);
}

}  // namespace selene::curate
