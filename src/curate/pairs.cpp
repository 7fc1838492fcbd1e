// The step `pairs`: of each row a chosen and a rejected judgment, in the words of a template.
//
// Chosen: the known label, after a critique that argues for it. Rejected: another label, after a
// critique that argues for that one. A row without both critiques, and a share of those that have
// them, becomes a pair of verdicts alone.
#include <algorithm>
#include <atomic>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/text.h"
#include "curate/labels.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "engine/token_counter.h"
#include "judge/prompt.h"
#include "judge/template.h"

namespace selene::curate {
namespace {

struct Options {
  RejectedChoice rejected = RejectedChoice::Random;
  double verdict_only = 0;       // Share of the rows with critiques that become verdicts alone.
  std::uint64_t per_sample = 1;  // Pairs of a row, each with another template or critique.
  double swap = 0;               // Pairwise: share of the pairs that show the sides changed.
  bool one_critique = false;     // Without a critique for the other label: the same critique,
                                 // which then argues against the verdict.
  // Behind the prompt of a pair of verdicts alone: templates ask for a critique first.
  std::string verdict_instruction =
      "Leave out the reasoning this time: give the result line alone.";
  std::vector<std::string> templates;  // Names and files; empty: the built-in one that fits.
  std::uint64_t max_tokens = 0;        // Of a prompt with an answer; 0: any.
};

void read_share(double& value, const data::Entry& entry) {
  value = entry.as<double>();
  if (!(value >= 0 && value <= 1))
    throw Error(fmt::format("'{}' must be from 0 to 1", entry.key), entry.place);
}

constexpr data::Key<Options> kKeys[] = {
    {"rejected",
     [](Options& o, const data::Entry& entry) { o.rejected = read_rejected_choice(entry); }},
    {"verdict_only",
     [](Options& o, const data::Entry& entry) { read_share(o.verdict_only, entry); }},
    {"per_sample",
     [](Options& o, const data::Entry& entry) {
       o.per_sample = entry.as<std::uint64_t>();
       if (o.per_sample < 1 || o.per_sample > 100)
         throw Error("'per_sample' must be from 1 to 100", entry.place);
     }},
    {"swap", [](Options& o, const data::Entry& entry) { read_share(o.swap, entry); }},
    {"one_critique",
     [](Options& o, const data::Entry& entry) { o.one_critique = entry.as<bool>(); }},
    {"verdict_instruction",
     [](Options& o, const data::Entry& entry) { o.verdict_instruction = entry.text(); }},
    {"templates",
     [](Options& o, const data::Entry& entry) {
       o.templates = entry.as<std::vector<std::string>>();
     }},
    {"max_tokens",
     [](Options& o, const data::Entry& entry) {
       o.max_tokens = entry.as<std::uint64_t>();
       if (o.max_tokens > (std::uint64_t{1} << 40))
         throw Error("'max_tokens' is too large", entry.place);
     }},
};

class Pairs : public Step {
 public:
  Pairs(Options options, std::uint64_t seed, const std::string& place)
      : options_(std::move(options)), seed_(seed), place_(place) {
    if (options_.templates.empty()) sets_.push_back(judge::TemplateSet::open(""));
    for (const std::string& name : options_.templates) {
      try {
        sets_.push_back(judge::TemplateSet::open(name));
      } catch (const Error& failure) {
        throw failure.where().empty() ? failure.at(place) : failure;
      }
    }
  }

  bool spreads() const override { return true; }

  void begin(Resources& resources) override {
    too_long_ = not_judged_ = 0;
    if (options_.max_tokens == 0) return;
    const std::filesystem::path path = counting_model(resources);
    counter_.emplace(path);
    if (counter_->has_chat_template()) return;
    throw Error(fmt::format("{} has no chat template, in which 'max_tokens' of 'pairs' is counted",
                            path.filename().string()),
                place_, "name the model that will be trained with --model");
  }

  std::string depends_on(const Resources& resources) const override {
    std::string digests;
    if (options_.max_tokens != 0) digests += sha256_file_cached(counting_model(resources));
    for (const judge::TemplateSet& set : sets_) {
      for (const judge::Template& form : set.all()) digests += form.digest;
    }
    return digests;
  }

  bool needs_judged() const override { return options_.rejected == RejectedChoice::Probable; }

  std::vector<Row> spread(const Row& row, Drop& why) const override {
    if (needs_judged() && row.judged.empty()) ++not_judged_;
    std::vector<Row> pairs;
    for (std::uint64_t n = 0; n < options_.per_sample; ++n) {
      const std::string name = fmt::format("{}#{}", row.id, n + 1);
      Row one = row;
      one.id = name;
      if (row.sample.task == data::Task::Pairwise &&
          chance_share(seed_, "swap", name) < options_.swap) {
        swap_sides(one);
        one.history.push_back({"pairs", "sides changed places"});
      }
      const judge::Template* form = pick(one.sample, name, why);
      if (form == nullptr) return {};
      try {
        make_pair(one, *form, n, name);
      } catch (const Error& failure) {
        why = {"the template does not fit", failure.message()};
        return {};
      }
      if (const std::optional<std::int64_t> tokens = too_many(*one.pair)) {
        ++too_long_;
        why = {"too long for the model", fmt::format("{} tokens", *tokens)};
        continue;
      }
      // A second pair that says the same as one before it is none.
      const bool repeated = std::any_of(pairs.begin(), pairs.end(), [&](const Row& other) {
        return same(*other.pair, *one.pair);
      });
      if (!repeated) pairs.push_back(std::move(one));
    }
    return pairs;
  }

  nlohmann::ordered_json facts() const override {
    nlohmann::ordered_json facts = nlohmann::ordered_json::object();
    if (options_.max_tokens != 0) facts["pairs too long for the model"] = too_long_.load();
    if (needs_judged())
      facts["rows without the judge's probabilities: another label by nearness"] =
          not_judged_.load();
    return facts;
  }

 private:
  // The tokens of the longer of its conversations, where those are more than there may be.
  std::optional<std::int64_t> too_many(const Pair& pair) const {
    if (!counter_) return std::nullopt;
    std::optional<std::int64_t> most;
    for (const std::string* answer : {&pair.chosen, &pair.rejected}) {
      std::vector<engine::Message> conversation = pair.prompt;
      conversation.push_back({"assistant", *answer});
      most = std::max(
          most, counter_->more_than(static_cast<std::int64_t>(options_.max_tokens), conversation));
    }
    return most;
  }

  static bool same(const Pair& a, const Pair& b) {
    return a.template_name == b.template_name && a.chosen == b.chosen && a.rejected == b.rejected &&
           a.prompt.back().content == b.prompt.back().content;
  }

  // One that fits the sample, by chance; null, with the reason, where none does.
  const judge::Template* pick(const data::Sample& sample, const std::string& name,
                              Drop& why) const {
    std::vector<const judge::Template*> forms;
    for (const judge::TemplateSet& set : sets_) {
      try {
        forms.push_back(&set.pick(sample));
      } catch (const Error& failure) {
        why = {"no template fits", failure.message()};
      }
    }
    if (forms.empty()) return nullptr;
    return forms[chance(seed_, "template", name) % forms.size()];
  }

  void make_pair(Row& row, const judge::Template& form, std::uint64_t number,
                 const std::string& name) const {
    Pair pair;
    pair.label = row.label();
    // With several pairs of a row, each has another label to reject, as far as there are some.
    Row named = row;
    named.id = name;
    pair.rejected_label =
        rejected_label(number == 0 ? row_of_first(row, name) : named, options_.rejected, seed_);
    const Critique* chosen = critique_for(row, pair.label, number, name);
    const Critique* rejected = critique_for(row, pair.rejected_label, number, name);
    if (chosen != nullptr && rejected == nullptr) {
      // A real critique for yet another label is worth more than the label that was drawn.
      rejected = other_critique(row, number, name);
      if (rejected != nullptr && !rejected->label.empty()) pair.rejected_label = rejected->label;
      if (rejected == nullptr && options_.one_critique) rejected = chosen;
    }
    const bool alone = chosen == nullptr || rejected == nullptr ||
                       chance_share(seed_, "verdict only", name) < options_.verdict_only;
    pair.kind = alone ? "verdict" : "critique";
    pair.template_name = form.name;
    judge::Policy policy;
    policy.mode = alone ? judge::Mode::Verdict : judge::Mode::Critique;
    const engine::Request request = judge::make_request(form, row.sample, policy);
    pair.prompt = request.messages;
    if (alone && !options_.verdict_instruction.empty())
      pair.prompt.back().content += "\n\n" + options_.verdict_instruction;
    pair.mark = request.mark;
    pair.words = request.labels;
    pair.template_digest = form.digest;
    pair.word = judge::words_of(form, {pair.label}).front();
    pair.rejected_word = judge::words_of(form, {pair.rejected_label}).front();
    pair.chosen = answer(request, row, alone ? nullptr : chosen, pair.word);
    pair.rejected = answer(request, row, alone ? nullptr : rejected, pair.rejected_word);
    if (!alone) {
      pair.chosen_origin = chosen->origin;
      pair.rejected_origin = rejected == chosen ? "the chosen critique" : rejected->origin;
    }
    row.pair = std::move(pair);
    row.critiques.clear();
  }

  // The step that writes critiques drew the label by the row's id.
  static Row row_of_first(const Row& row, const std::string& name) {
    Row first = row;
    first.id = name.substr(0, name.rfind('#'));
    return first;
  }

  static std::string answer(const engine::Request& request, const Row& row,
                            const Critique* critique, const std::string& word) {
    const std::string text = critique == nullptr ? "" : shown(row, critique->text);
    return engine::answer_before_label(request, text) + " " + word;
  }

  // One that argues for the label, by chance.
  const Critique* critique_for(const Row& row, const std::string& label, std::uint64_t number,
                               const std::string& name) const {
    return draw(row, number, name, [&](const Critique& one) {
      return one.label == label || (one.label.empty() && label != row.label());
    });
  }

  const Critique* other_critique(const Row& row, std::uint64_t number,
                                 const std::string& name) const {
    return draw(row, number, name, [&](const Critique& one) { return one.label != row.label(); });
  }

  template <typename Fits>
  const Critique* draw(const Row& row, std::uint64_t number, const std::string& name,
                       const Fits& fits) const {
    std::vector<const Critique*> found;
    for (const Critique& one : row.critiques) {
      if (fits(one)) found.push_back(&one);
    }
    if (found.empty()) return nullptr;
    // The pairs of one row take turns.
    const std::string row_id = name.substr(0, name.rfind('#'));
    return found[(chance(seed_, "critique", row_id) + number) % found.size()];
  }

  Options options_;
  std::uint64_t seed_;
  std::string place_;
  std::vector<judge::TemplateSet> sets_;
  std::optional<engine::TokenCounter> counter_;
  mutable std::atomic<std::uint64_t> too_long_ = 0;    // Pairs.
  mutable std::atomic<std::uint64_t> not_judged_ = 0;  // Rows.
};

}  // namespace

StepPointer make_pairs(const data::Entry& entry, std::uint64_t seed) {
  Options options = read_options<Options>(entry, kKeys);
  return std::make_unique<Pairs>(std::move(options), seed, entry.place);
}

}  // namespace selene::curate
