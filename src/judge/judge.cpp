#include "judge/judge.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/text.h"
#include "judge/prompt.h"
#include "judge/verdict.h"

namespace selene::judge {
namespace {

std::vector<std::string> data_and_response_flags(const Template& form, const data::Sample& sample) {
  std::vector<std::string> flags = data_flags(form, sample);
  const bool empty = sample.task == data::Task::Pairwise
                         ? sample.response_a.empty() || sample.response_b.empty()
                         : sample.response.empty();
  if (empty) flags.emplace_back("empty_response");
  return flags;
}

void check_policy(const Member& member) {
  const Policy& policy = member.policy;
  if (policy.samples <= 1) return;
  if (policy.mode == Mode::Verdict) {
    throw Error("several samples of a verdict without a critique are all the same", member.name,
                "use mode critique");
  }
  if (policy.temperature <= 0) {
    throw Error("several samples at temperature 0 are all the same", member.name,
                "give a temperature above 0");
  }
}

}  // namespace

std::string_view mode_name(Mode mode) { return mode == Mode::Critique ? "critique" : "verdict"; }
std::string_view order_name(Order order) { return order == Order::One ? "one" : "both"; }

Mode mode_from_name(std::string_view name) {
  if (name == "critique") return Mode::Critique;
  if (name == "verdict") return Mode::Verdict;
  throw Error(fmt::format("unknown mode '{}'; known: critique, verdict", cut_to_columns(name, 60)));
}

Order order_from_name(std::string_view name) {
  if (name == "one") return Order::One;
  if (name == "both") return Order::Both;
  throw Error(fmt::format("unknown order '{}'; known: one, both", cut_to_columns(name, 60)));
}

// One request of a sample, on its way from plan to verdict.
struct Judge::Part {
  const Member* member = nullptr;
  const Template* form = nullptr;
  engine::Request request;
  bool swapped = false;
  int repeat = 0;
  std::string key;
  // Filled when the parts of all samples are put in a row.
  size_t sample = 0;
  size_t place = 0;  // Among its sample's parts.
};

// A request between the ledger and an engine; what it points to outlives it.
struct Judge::Question {
  size_t engine = 0;
  const engine::Request* request = nullptr;
  std::string_view template_name;
  std::string_view template_digest;
  std::string_view key;
  bool done = false;
};

// Who asks: told of each question by its place among them.
struct Judge::Listener {
  std::function<void(size_t question, const engine::Result& result)> result;
  std::function<std::string(size_t question)> name;  // What an error calls it.
  std::function<void(size_t question, std::string_view piece)> text{};
  std::function<bool()> stop{};
};

// All requests of a batch of samples.
struct Judge::Work {
  std::span<const data::Sample> samples;
  std::vector<Part> parts;
  std::vector<std::vector<data::Part>> verdicts;  // One list a sample.
  std::vector<size_t> missing;                    // One a sample.
};

Judge::Judge(std::string name, std::vector<std::unique_ptr<engine::Engine>> engines,
             std::vector<Member> members, std::optional<Ledger> ledger)
    : name_(std::move(name)),
      engines_(std::move(engines)),
      members_(std::move(members)),
      ledger_(std::move(ledger)) {
  ensure(!members_.empty(), "a judge without members");
  for (const Member& member : members_) {
    ensure(member.engine < engines_.size() && member.weight > 0,
           "a member without an engine or a weight");
    check_policy(member);
  }
}

std::vector<Judge::Part> Judge::plan(const data::Sample& sample) const {
  std::vector<Part> parts;
  for (const Member& member : members_) {
    const Template& form = member.templates.pick(sample);
    for (int repeat = 0; repeat < member.policy.samples; ++repeat) {
      for (const bool swapped : {false, true}) {
        if (swapped && (sample.task != data::Task::Pairwise || member.policy.order == Order::One))
          continue;
        Part part;
        part.member = &member;
        part.form = &form;
        part.swapped = swapped;
        part.repeat = repeat;
        part.request = make_request(form, swapped ? data::swapped(sample) : sample, member.policy);
        part.request.sampling.seed = derive_seed(
            member.policy.seed, fmt::format("{}/{}/{}", sample.id, swapped ? "ba" : "ab", repeat));
        part.key = request_key(engine_of(member).id(), form.digest, part.request);
        parts.push_back(std::move(part));
      }
    }
  }
  return parts;
}

Judge::Work Judge::plan_all(std::span<const data::Sample> samples) const {
  Work work{.samples = samples, .parts = {}, .verdicts = {}, .missing = {}};
  // An engine may have to ask its server for its id, once.
  for (const Member& member : members_) engine_of(member).id();
  std::vector<std::vector<Part>> planned(samples.size());
  parallel_for(samples.size(), machine_threads(), [&](size_t s) { planned[s] = plan(samples[s]); });
  for (size_t s = 0; s < samples.size(); ++s) {
    std::vector<Part>& parts = planned[s];
    work.verdicts.emplace_back(parts.size());
    work.missing.push_back(parts.size());
    for (size_t p = 0; p < parts.size(); ++p) {
      parts[p].sample = s;
      parts[p].place = p;
      work.parts.push_back(std::move(parts[p]));
    }
  }
  return work;
}

void Judge::check(std::span<const data::Sample> samples) const {
  for (const data::Sample& sample : samples) {
    for (const Member& member : members_)
      make_request(member.templates.pick(sample), sample, member.policy);
  }
}

namespace {

// The one further beyond its limit, or nearer to it.
Fit worse(Fit a, Fit b) {
  if (a.limit == 0 || b.limit == 0) return a.limit == 0 ? b : a;
  return b.tokens - b.limit > a.tokens - a.limit ? b : a;
}

}  // namespace

Fit Judge::fit_of(size_t engine, const engine::Request& request) const {
  engine::Engine& one = *engines_[engine];
  if (one.context_limit() == 0) return {};
  return {one.context_tokens({&request, 1}).front(), one.context_limit()};
}

std::vector<Fit> Judge::fit(std::span<const data::Sample> samples) {
  std::vector<Fit> fits;
  for (const data::Sample& sample : samples) {
    const std::vector<Part> parts = plan(sample);
    std::vector<std::string> keys;
    for (const Part& part : parts) keys.push_back(part.key);
    const auto known =
        ledger_ ? ledger_->find(keys) : std::vector<std::optional<engine::Result>>(keys.size());
    Fit largest;
    for (size_t p = 0; p < parts.size(); ++p) {
      if (!known[p]) largest = worse(largest, fit_of(parts[p].member->engine, parts[p].request));
    }
    fits.push_back(largest);
  }
  return fits;
}

data::Judgment Judge::new_judgment(const data::Sample& sample) const {
  data::Judgment judgment;
  judgment.id = sample.id;
  judgment.id_is_integer = sample.id_is_integer;
  judgment.task = sample.task;
  judgment.extra = sample.extra;
  judgment.judge.name = name_;
  std::vector<std::string> models, templates, modes;
  std::set<std::string> flags;
  for (const Member& member : members_) {
    const Template& form = member.templates.pick(sample);
    const auto add = [](std::vector<std::string>& list, std::string text) {
      if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
    };
    add(models, engine_of(member).id().model);
    add(templates, form.name);
    add(modes, std::string(mode_name(member.policy.mode)));
    for (std::string& flag : data_and_response_flags(form, sample)) flags.insert(std::move(flag));
    if (members_.size() == 1) judgment.judge.adapter = engine_of(member).id().adapter;
  }
  judgment.judge.model =
      models.size() == 1 ? models.front() : sha256(fmt::format("{}", fmt::join(models, "\n")));
  judgment.judge.template_name = fmt::format("{}", fmt::join(templates, "+"));
  judgment.judge.mode = fmt::format("{}", fmt::join(modes, "+"));
  judgment.flags.assign(flags.begin(), flags.end());
  return judgment;
}

data::Judgment Judge::not_judged(const data::Sample& sample, std::string reason) const {
  data::Judgment judgment = new_judgment(sample);
  judgment.unreadable = std::move(reason);
  judgment.skipped = true;
  return judgment;
}

void Judge::judge(std::span<const data::Sample> samples, const JudgeEvents& events) {
  Work work = plan_all(samples);
  std::vector<Question> questions;
  for (const Part& part : work.parts) {
    questions.push_back({.engine = part.member->engine,
                         .request = &part.request,
                         .template_name = part.form->name,
                         .template_digest = part.form->digest,
                         .key = part.key});
  }
  Listener listener;
  listener.result = [&](size_t question, const engine::Result& result) {
    complete(work, question, result, events);
  };
  listener.name = [&](size_t question) {
    const std::string& id = samples[work.parts[question].sample].id;
    return fmt::format("row '{}'", cut_to_columns(id, 60));
  };
  if (events.text) {
    listener.text = [&](size_t question, std::string_view piece) {
      events.text(work.parts[question].sample, work.parts[question].place, piece);
    };
  }
  listener.stop = events.stop;
  answer_known(questions, listener);
  if (events.overlong) leave_out_overlong(work, questions, events);
  for (size_t engine = 0; engine < engines_.size(); ++engine) {
    if (events.stop && events.stop()) return;
    run_engine(engine, questions, listener);
  }
}

std::vector<Judge::Answer> Judge::answer(const Member& member, std::span<const Ask> asks,
                                         const std::function<bool()>& stop) {
  const engine::EngineId& engine = engine_of(member).id();
  std::vector<Answer> answers(asks.size());
  if (asks.empty()) return answers;
  std::vector<std::string> keys;
  std::vector<Question> questions;
  for (const Ask& ask : asks) keys.push_back(request_key(engine, ask.template_digest, ask.request));
  for (size_t i = 0; i < asks.size(); ++i) {
    questions.push_back({.engine = member.engine,
                         .request = &asks[i].request,
                         .template_name = asks[i].template_name,
                         .template_digest = asks[i].template_digest,
                         .key = keys[i]});
  }
  Listener listener;
  listener.result = [&](size_t i, const engine::Result& result) { answers[i].result = result; };
  listener.name = [&](size_t i) { return asks[i].name; };
  listener.stop = stop;
  answer_known(questions, listener);
  for (size_t i = 0; i < asks.size(); ++i) {
    if (questions[i].done) continue;
    answers[i].fit = fit_of(member.engine, asks[i].request);
    questions[i].done = !answers[i].fit.fits();
  }
  if (!stop || !stop()) run_engine(member.engine, questions, listener);
  return answers;
}

void Judge::answer_known(std::span<Question> questions, const Listener& listener) {
  if (!ledger_) return;
  std::vector<std::string> keys;
  for (const Question& question : questions) keys.emplace_back(question.key);
  const auto known = ledger_->find(keys);
  for (size_t i = 0; i < known.size(); ++i) {
    if (!known[i]) continue;
    ++ledger_hits_;
    questions[i].done = true;
    listener.result(i, *known[i]);
  }
}

// A sample is left out as a whole: one order alone is no judgment.
void Judge::leave_out_overlong(const Work& work, std::span<Question> questions,
                               const JudgeEvents& events) const {
  std::vector<Fit> fits(work.samples.size());
  for (size_t i = 0; i < questions.size(); ++i) {
    Fit& fit = fits[work.parts[i].sample];
    if (!questions[i].done) fit = worse(fit, fit_of(questions[i].engine, *questions[i].request));
  }
  for (size_t i = 0; i < questions.size(); ++i)
    questions[i].done = questions[i].done || !fits[work.parts[i].sample].fits();
  for (size_t s = 0; s < fits.size(); ++s) {
    if (!fits[s].fits()) events.overlong(s, fits[s]);
  }
}

void Judge::run_engine(size_t engine, std::span<Question> questions, const Listener& listener) {
  std::vector<engine::Request> requests;
  std::vector<std::vector<size_t>>
      owners;  // The questions that want each request: equal ones are run once.
  std::map<std::string_view, size_t> by_key;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    if (question.done || question.engine != engine) continue;
    const auto [found, added] = by_key.emplace(question.key, requests.size());
    if (added) {
      requests.push_back(*question.request);
      owners.emplace_back();
    }
    owners[found->second].push_back(i);
  }
  if (requests.empty()) return;
  ledger_misses_ += static_cast<std::int64_t>(requests.size());
  engine::Events engine_events;
  engine_events.stop = listener.stop;
  engine_events.name = [&](size_t request) { return listener.name(owners[request].front()); };
  engine_events.results = [&](std::span<engine::Completed> completed) {
    // A record is durable before it is reported.
    if (ledger_) {
      std::vector<Record> records;
      for (const engine::Completed& one : completed) {
        if (!one.result.is_final) continue;
        const Question& question = questions[owners[one.request].front()];
        records.push_back({.key = std::string(question.key),
                           .engine = engines_[engine]->id(),
                           .template_name = std::string(question.template_name),
                           .template_digest = std::string(question.template_digest),
                           .request = *question.request,
                           .result = one.result});
      }
      ledger_->put(records);
    }
    for (const engine::Completed& one : completed) {
      for (size_t owner : owners[one.request]) {
        questions[owner].done = true;
        listener.result(owner, one.result);
      }
    }
  };
  if (listener.text) {
    engine_events.text = [&](size_t request, std::string_view piece) {
      for (size_t owner : owners[request]) listener.text(owner, piece);
    };
  }
  engines_[engine]->run(requests, engine_events);
}

// Takes a part's result; reports the judgment when it was its sample's last.
void Judge::complete(Work& work, size_t index, const engine::Result& result,
                     const JudgeEvents& events) {
  const Part& planned = work.parts[index];
  const data::Sample& sample = work.samples[planned.sample];
  data::Part part = make_part(sample.labels, result, planned.swapped);
  part.judge = planned.member->name;
  part.weight = planned.member->weight;
  part.sample = planned.repeat;
  part.key = planned.key;
  if (sample.task == data::Task::Pairwise) part.order = planned.swapped ? "ba" : "ab";
  work.verdicts[planned.sample][planned.place] = std::move(part);
  if (--work.missing[planned.sample] > 0) return;
  data::Judgment judgment = new_judgment(sample);
  combine(std::move(work.verdicts[planned.sample]), judgment);
  events.judgment(planned.sample, std::move(judgment));
}

void Judge::run(const Member& member, std::span<const engine::Request> requests,
                const engine::Events& events) {
  engines_[member.engine]->run(requests, events);
}

bool Judge::exact() const {
  return std::all_of(engines_.begin(), engines_.end(),
                     [](const auto& engine) { return engine->exact(); });
}

std::vector<engine::ServerUse> Judge::servers() const {
  std::vector<engine::ServerUse> all;
  for (const auto& engine : engines_) {
    for (engine::ServerUse& one : engine->servers()) all.push_back(std::move(one));
  }
  return all;
}

engine::Counters Judge::counters() const {
  engine::Counters sum;
  for (const auto& engine : engines_) {
    const engine::Counters one = engine->counters();
    sum.prompt_tokens += one.prompt_tokens;
    sum.prompt_tokens_computed += one.prompt_tokens_computed;
    sum.scoring_tokens_computed += one.scoring_tokens_computed;
    sum.repeated_tokens_computed += one.repeated_tokens_computed;
    sum.generated_tokens += one.generated_tokens;
    sum.prefill_s += one.prefill_s;
    sum.decode_s += one.decode_s;
    sum.scoring_s += one.scoring_s;
  }
  return sum;
}

nlohmann::ordered_json describe(const Judge& judge) {
  nlohmann::ordered_json members = nlohmann::ordered_json::array();
  for (const Member& member : judge.members()) {
    const engine::EngineId& id = judge.engine_of(member).id();
    nlohmann::ordered_json templates = nlohmann::ordered_json::object();
    for (const Template& form : member.templates.all()) templates[form.name] = form.digest;
    members.push_back({{"name", member.name},
                       {"weight", member.weight},
                       {"model", id.model},
                       {"adapter", id.adapter},
                       {"engine", id.version},
                       {"engine_options", id.options},
                       {"templates", templates},
                       {"mode", mode_name(member.policy.mode)},
                       {"order", order_name(member.policy.order)},
                       {"max_tokens", member.policy.max_tokens},
                       {"samples", member.policy.samples},
                       {"temperature", member.policy.temperature},
                       {"seed", member.policy.seed}});
  }
  return {{"name", judge.name()}, {"members", members}};
}

}  // namespace selene::judge
