#include "engine/fleet.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"
#include "engine/api_key.h"
#include "net/url.h"

namespace selene::engine {
namespace {

using Clock = std::chrono::steady_clock;
using Failure = net::HttpClient::Failure;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kProbeTimeout{30'000};
constexpr Milliseconds kProbeInterval{50};
// For the other servers, once one has said what it is.
constexpr Milliseconds kTimeForOthers{2000};
constexpr size_t kShownColumns = 300;
// A server that has refused so many calls and answered none refuses all.
constexpr size_t kMostSetAside = 8;
// The call that finds out whether a server answers anything.
constexpr size_t kProbe = SIZE_MAX;
// For what is in flight when the fleet gives up.
constexpr Milliseconds kDrainTime{30'000};
// A longer Retry-After is not waited for.
constexpr std::chrono::seconds kLongestRest{600};

// Of the API: /v1, unless the URL has a path of its own.
std::string api_url(const std::string& text, const net::Url& url) {
  std::string base = text;
  while (base.ends_with('/')) base.pop_back();
  return url.path == "/" ? base + "/v1" : base;
}

void check(const EndpointOptions& options) {
  if (options.endpoints.empty()) throw Error("there is no endpoint");
  if (options.in_flight_per_endpoint < 1) throw Error("the requests in flight must be at least 1");
  if (options.retries < 0) throw Error("the retries must be at least 0");
  const auto sendable = [](char c) { return c > ' ' && c < '\x7F'; };
  if (!std::all_of(options.api_key.begin(), options.api_key.end(), sendable)) {
    throw Error("a key has printable ASCII characters only");
  }
  for (const Endpoint& endpoint : options.endpoints) {
    const net::Url url = net::parse_url(endpoint.url);
    if (url.has_query) throw Error("the address of an endpoint has no query", url.shown());
    if (!options.api_key.empty() && url.scheme == "http" && !url.loopback() &&
        !options.key_over_http) {
      throw Error("a key is not sent over plain http to another machine", url.shown(), "use https");
    }
    if (endpoint.model != options.endpoints.front().model) {
      throw Error(fmt::format("the endpoints of one judge serve one model, these '{}' and '{}'",
                              options.endpoints.front().model, endpoint.model));
    }
  }
}

bool is_good(const net::HttpClient::Answer& answer) {
  return answer.failure == Failure::None && answer.status / 100 == 2;
}

bool is_refused_by_itself(const net::HttpClient::Answer& answer) {
  const bool refused = answer.status == 400 || answer.status == 413 || answer.status == 422;
  return answer.failure == Failure::None && refused && is_about_the_request(answer.body);
}

// Of the call, or of all that is sent: that tells what else the server answers.
bool could_be_of_the_call(const net::HttpClient::Answer& answer) {
  return answer.status == 400 || answer.status == 422;
}

std::string prefix_of(const FleetCall& call) { return call.name.empty() ? "" : call.name + ": "; }

bool is_overloaded(const net::HttpClient::Answer& answer) {
  return answer.failure == Failure::None && answer.status == 429;
}

std::string described(const ServedModel& served) {
  const std::string details = served.details.empty() ? "" : " (" + served.details + ")";
  return fmt::format("{}{} on {}", served.name, details, served.kind->name);
}

}  // namespace

Fleet::Fleet(const EndpointOptions& options)
    : options_(options), backoff_{.first = options.backoff, .most = options.backoff_most} {
  check(options_);
  for (const Endpoint& endpoint : options_.endpoints) {
    const net::Url url = net::parse_url(endpoint.url);
    const std::string shown = url.shown();
    servers_.push_back({.url = api_url(endpoint.url, url),
                        .shown = shown,
                        .asked_model = endpoint.model,
                        .health = ServerHealth(options_.in_flight_per_endpoint, backoff_, shown),
                        .use = {.address = shown}});
  }
}

const ServedModel* Fleet::served(const std::function<bool()>& stop) {
  const auto heard = [](const Server& server) {
    return server.served || server.health.failures() > 0;
  };
  if (!first_asked_at_) first_asked_at_ = Clock::now();
  const auto waits_for_others = [&] {
    return Clock::now() < *first_asked_at_ + kTimeForOthers &&
           !std::all_of(servers_.begin(), servers_.end(), heard);
  };
  while (!reference_ || waits_for_others()) {
    if (stop && stop()) return nullptr;
    wait(kProbeInterval);
  }
  return &*reference_;
}

bool Fleet::answers_at_once(const std::function<bool()>& stop) {
  const auto all_failed = [&] {
    return std::all_of(servers_.begin(), servers_.end(),
                       [](const Server& server) { return server.health.failures() > 0; });
  };
  try {
    while (!reference_ && !all_failed() && !(stop && stop())) wait(kProbeInterval);
  } catch (const Error&) {  // With --retries 0.
    if (!all_failed()) throw;
  }
  return reference_.has_value();
}

std::string Fleet::address() const {
  std::string text;
  for (const Server& server : servers_) text += server.shown + ",";
  text.back() = '#';
  return text + servers_.front().asked_model;
}

bool Fleet::has_room() const {
  return set_aside_.size() < kMostSetAside &&
         waiting_.size() + in_flight_.size() <
             servers_.size() * static_cast<size_t>(options_.in_flight_per_endpoint);
}

void Fleet::add(FleetCall call) {
  Random jitter(derive_seed(0, call.body));
  const bool goes_on = call.server.has_value();
  Pending pending{.call = std::move(call), .jitter = jitter};
  waiting_.insert(goes_on ? waiting_.begin() : waiting_.end(), std::move(pending));
}

std::vector<FleetReply> Fleet::wait(Milliseconds timeout) {
  std::vector<FleetReply> replies;
  if (!failure_) {
    tell_of_failures();
    probe_when_nothing_else_tells();
    start_what_can(Clock::now());
  }
  if (!failure_ || is_draining()) {
    for (Answer& answer : client_.wait(time_to_next_start(Clock::now(), timeout))) {
      take(std::move(answer), replies);
    }
    settle_set_aside(replies);
  }
  if (replies.empty() && failure_ && !is_draining()) {
    const Error failure = *failure_;
    cancel_all();
    throw failure;
  }
  return replies;
}

void Fleet::cancel_all() {
  client_.cancel_all();
  in_flight_.clear();
  waiting_.clear();
  set_aside_.clear();
  is_probing_ = false;
  failure_.reset();
  for (Server& server : servers_) server.in_flight = 0;
}

std::optional<size_t> Fleet::choose_server(const Pending& pending, TimePoint now) const {
  const auto has_place = [&](size_t i) {
    return servers_[i].served && servers_[i].in_flight < servers_[i].health.allowed(now);
  };
  const auto preferred = pending.call.server;
  if (preferred && preferred != pending.failed_at && has_place(*preferred)) return preferred;
  if (preferred && pending.call.id == kProbe) return std::nullopt;
  // Not where the call has failed, while another server does well: one that fails is the least
  // loaded.
  bool another_does_well = false;
  for (size_t i = 0; i < servers_.size(); ++i) {
    const bool well = servers_[i].served && servers_[i].health.failures() == 0;
    another_does_well |= well && pending.failed_at != i;
  }
  std::optional<size_t> chosen;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (!has_place(i) || (another_does_well && pending.failed_at == i)) continue;
    if (!chosen || servers_[i].in_flight < servers_[*chosen].in_flight) chosen = i;
  }
  return chosen;
}

void Fleet::start_what_can(TimePoint now) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    const Server& server = servers_[i];
    const bool unasked = !server.served && server.in_flight == 0;
    if (unasked && server.health.allowed(now) > 0) start(i, std::nullopt, now);
  }
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto server = next->not_before > now ? std::nullopt : choose_server(*next, now);
    if (!server) {
      ++next;
      continue;
    }
    start(*server, std::move(*next), now);
    next = waiting_.erase(next);
  }
  if (waiting_.empty()) send_again(now);
}

// What a silent server holds, to one that does well and has nothing else to do.
void Fleet::send_again(TimePoint now) {
  std::vector<Pending> late;
  for (const auto& [id, sent] : in_flight_) {
    if (!sent.pending || sent.is_of(kProbe) || count_in_flight(sent.pending->call.id) > 1) continue;
    const Milliseconds longest = longest_[sent.pending->call.scoring];
    if (longest == Milliseconds::zero() ||
        now - sent.started < std::max(options_.send_again_after, 3 * longest)) {
      continue;
    }
    late.push_back(*sent.pending);
    late.back().failed_at = sent.server;
  }
  for (Pending& call : late) {
    const auto server = choose_server(call, now);
    if (!server || server == call.failed_at || servers_[*server].health.failures() > 0) return;
    start(*server, std::move(call), now);
  }
}

size_t Fleet::count_in_flight(size_t call) const {
  return static_cast<size_t>(
      std::count_if(in_flight_.begin(), in_flight_.end(),
                    [&](const auto& sent) { return sent.second.is_of(call); }));
}

// The call has been answered elsewhere.
void Fleet::cancel_twin(size_t call) {
  const auto twin = std::find_if(in_flight_.begin(), in_flight_.end(),
                                 [&](const auto& sent) { return sent.second.is_of(call); });
  if (twin == in_flight_.end()) return;
  client_.cancel(twin->first);
  Server& late = servers_[twin->second.server];
  --late.in_flight;
  ++late.use.failures;
  late.health.failed(Clock::now(), twin->second.started,
                     "no answer for long, and one from another server", std::nullopt);
  in_flight_.erase(twin);
}

void Fleet::start(size_t server, std::optional<Pending> pending, TimePoint now) {
  net::HttpClient::Request request{
      .url = servers_[server].url + (pending ? "/chat/completions" : "/models"),
      .token = options_.api_key,
      .token_over_http = options_.key_over_http,
      .timeout = pending ? options_.timeout : std::min(options_.timeout, kProbeTimeout),
      .connect_timeout = options_.connect_timeout,
      .max_bytes = pending ? pending->call.max_bytes : options_.max_answer_bytes};
  if (pending) {
    ++servers_[server].use.requests;
    if (pending->failed_at) ++servers_[server].use.retries;
    request.body = pending->call.body;
    if (pending->first_started == TimePoint{}) pending->first_started = now;
  }
  client_.start(next_id_, std::move(request));
  in_flight_.emplace(next_id_++, InFlight{server, now, std::move(pending)});
  ++servers_[server].in_flight;
}

Milliseconds Fleet::time_to_next_start(TimePoint now, Milliseconds most) const {
  TimePoint next = now + most;
  const auto consider = [&](TimePoint time) {
    if (time > now) next = std::min(next, time);
  };
  for (const Pending& pending : waiting_) consider(pending.not_before);
  for (const Server& server : servers_) consider(server.health.rests_until());
  return std::chrono::ceil<Milliseconds>(next - now);
}

void Fleet::take(Answer answer, std::vector<FleetReply>& replies) {
  auto sent = in_flight_.extract(answer.id);
  if (sent.empty()) return;  // Its twin was answered at the same time.
  Server& server = servers_[sent.mapped().server];
  --server.in_flight;
  answer.body = without_key(answer.body, options_.api_key);  // Before anything is cut or kept.
  if (sent.mapped().pending) {
    take_chat(std::move(sent.mapped()), answer, replies);
  } else {
    take_models(server, sent.mapped(), answer);
  }
  give_up_when_all_are_down();
}

void Fleet::take_models(Server& server, const InFlight& sent, const Answer& answer) {
  const bool no_list = answer.status == 404 || answer.status == 405;
  const std::string refused = refusal(answer);
  if (!refused.empty() && !no_list) {
    return give_up(Error(refused, server.shown, remedy_of(answer.status)));
  }
  if (!no_list && !is_good(answer)) return fail_server(server, sent, answer, retry_reason(answer));
  try {
    ServedModel served = no_list ? unlisted_model(server.asked_model)
                                 : parse_models(answer.body, server.asked_model);
    if (!served.unclear.empty()) return fail_server(server, sent, answer, served.unclear);
    set_served(server, std::move(served));
  } catch (const Error& error) {
    give_up(error.at(server.shown));
  }
}

void Fleet::set_served(Server& server, ServedModel served) {
  if (!reference_ && !served.instead.empty()) {
    warn(fmt::format("{}: it has no model '{}', and answers with its own, '{}'", server.shown,
                     cut_to_columns(served.model, kShownColumns),
                     cut_to_columns(served.instead, kShownColumns)));
  }
  if (!reference_) reference_ = served;
  const bool same = served.kind->name == reference_->kind->name &&
                    served.name == reference_->name && served.details == reference_->details;
  if (!same) {
    return give_up(Error(fmt::format("it serves {}, another endpoint of this judge {}",
                                     described(served), described(*reference_)),
                         server.shown, "give endpoints of one model"));
  }
  server.health.succeeded();
  server.served = std::move(served);
}

void Fleet::take_chat(InFlight sent, const Answer& answer, std::vector<FleetReply>& replies) {
  Server& server = servers_[sent.server];
  const size_t id = sent.pending->call.id;
  const bool scoring = sent.pending->call.scoring;
  if (is_refused_by_itself(answer)) {
    const std::string message = error_message(answer.body);
    server.health.succeeded();
    cancel_twin(id);
    replies.push_back({.id = id,
                       .server = sent.server,
                       .answer = {},
                       .refused = message.empty() ? "the server refuses it" : message});
    return;
  }
  if (const std::string refused = refusal(answer); !refused.empty()) {
    const bool log_probs = refused.find("logprob") != std::string::npos;
    if (could_be_of_the_call(answer) && !log_probs) {
      if (id == kProbe) return give_up(error_of(set_aside_.front()));
      server.health.succeeded();
      cancel_twin(id);
      set_aside_.push_back({.sent = std::move(sent), .why = refused, .failing_since = {}});
      return;
    }
    return give_up(
        Error(refused, server.shown,
              log_probs ? "write log_probs: false into a judge file" : remedy_of(answer.status)));
  }
  if (!is_good(answer)) return retry(std::move(sent), answer, retry_reason(answer));
  ChatAnswer chat = parse_chat_answer(answer.body);
  if (!chat.unclear.empty()) return retry(std::move(sent), answer, chat.unclear);
  if (!chat.model.empty() && !is_same_model(server.served->model, chat.model) &&
      !server.served->kind->takes_any_name) {
    return give_up(
        Error(fmt::format("it was asked for model '{}' and answered as '{}'", server.served->model,
                          cut_to_columns(chat.model, kShownColumns)),
              server.shown, "name the model that the server has: URL#model"));
  }
  server.health.succeeded();
  server.answered_at[scoring] = Clock::now();
  longest_[scoring] =
      std::max(longest_[scoring],
               std::chrono::ceil<Milliseconds>(server.answered_at[scoring] - sent.started));
  cancel_twin(id);
  if (id == kProbe) {
    is_probing_ = false;
    return;
  }
  replies.push_back({.id = id, .server = sent.server, .answer = std::move(chat), .refused = ""});
}

// Where another call of the kind is answered, this one alone is to blame.
void Fleet::settle_set_aside(std::vector<FleetReply>& replies) {
  std::erase_if(set_aside_, [&](const SetAside& one) {
    const FleetCall& call = one.sent.pending->call;
    const auto answers_others = [&](const Server& server) {
      const bool counts = one.failing_since || &server == &servers_[one.sent.server];
      return counts && server.answered_at[call.scoring] > one.failing_since.value_or(TimePoint{});
    };
    if (std::none_of(servers_.begin(), servers_.end(), answers_others)) return false;
    replies.push_back({.id = call.id, .server = one.sent.server, .answer = {}, .refused = one.why});
    return true;
  });
}

void Fleet::probe_when_nothing_else_tells() {
  const bool is_more_to_come =
      !waiting_.empty() || std::any_of(in_flight_.begin(), in_flight_.end(), [](const auto& sent) {
        return sent.second.pending.has_value();
      });
  if (set_aside_.empty() || is_probing_ || is_more_to_come) return;
  const SetAside& first = set_aside_.front();
  FleetCall probe = first.sent.pending->call;
  probe.id = kProbe;
  probe.body = short_body(probe.body);
  probe.server = first.failing_since ? std::nullopt : std::optional(first.sent.server);
  is_probing_ = true;
  add(std::move(probe));
}

Error Fleet::error_of(const SetAside& call) const {
  return Error(prefix_of(call.sent.pending->call) + call.why, servers_[call.sent.server].shown,
               call.remedy);
}

// Once a server: run.json has the numbers.
void Fleet::tell_of_failures() {
  for (Server& server : servers_) {
    const bool fails = server.health.failures() > 0;
    if (fails && !server.failure_is_told) {
      warn(fmt::format("{}: it is left alone for a while: {}", server.shown,
                       server.health.last_failure()));
      server.failure_is_told = true;
    } else if (!fails && server.failure_is_told && !server.return_is_told) {
      warn(fmt::format("{}: it answers again", server.shown));
      server.return_is_told = true;
    }
  }
}

std::vector<ServerUse> Fleet::use() const {
  std::vector<ServerUse> all;
  for (const Server& server : servers_) all.push_back(server.use);
  return all;
}

void Fleet::warn(const std::string& warning) const {
  if (options_.warn) options_.warn(warning);
}

// Why the answer is final; empty when it is good or worth another attempt.
std::string Fleet::refusal(const Answer& answer) const {
  if (answer.failure == Failure::Tls) return answer.failure_text;
  if (answer.failure != Failure::None) return {};
  if (answer.retry_after && *answer.retry_after > kLongestRest) {
    return fmt::format("status {}, and it wants to be left alone for {} s: {}", answer.status,
                       answer.retry_after->count(), error_message(answer.body));
  }
  const int kind = answer.status / 100;
  if (kind == 2 || kind == 5 || answer.status == 408 || answer.status == 429) return {};
  if (kind == 3) return fmt::format("status {}: the API is at another address", answer.status);
  return fmt::format("status {}: {}", answer.status, error_message(answer.body));
}

std::string Fleet::remedy_of(int status) const {
  if (status == 401 || status == 403) {
    return options_.api_key.empty() ? "give its key: --key-env NAME or --key-file FILE"
                                    : "look at the key and what it allows";
  }
  if (status != 404) return {};
  return "look at the address and the model's name: the API is below /v1 unless the URL has a path";
}

// Of an answer that is neither good nor a refusal.
std::string Fleet::retry_reason(const Answer& answer) const {
  if (answer.failure != Failure::None) return answer.failure_text;
  return fmt::format("status {}: {}", answer.status, error_message(answer.body));
}

void Fleet::fail_server(Server& server, const InFlight& sent, const Answer& answer,
                        const std::string& why) {
  if (sent.pending) ++server.use.failures;
  const TimePoint now = Clock::now();
  if (is_overloaded(answer) && sent.pending) {
    server.health.overloaded(now, sent.started, answer.retry_after);
  } else {
    server.health.failed(now, sent.started, why, answer.retry_after);
  }
}

void Fleet::retry(InFlight sent, const Answer& answer, const std::string& why) {
  Server& server = servers_[sent.server];
  Pending& pending = *sent.pending;
  fail_server(server, sent, answer, why);
  pending.failed_at = sent.server;
  if (count_in_flight(pending.call.id) > 0) return;  // It goes on elsewhere.
  const bool is_limited = waits_for_limit(server, answer);
  if (pending.call.id == kProbe && !is_limited) return give_up(error_of(set_aside_.front()));
  if (answer.failure != Failure::Connect && !is_limited) {
    if (++pending.attempts > options_.retries) {
      const std::string why_aside =
          fmt::format("a request failed {} times, at last here: {}", pending.attempts, why);
      const TimePoint since = pending.first_started;
      set_aside_.push_back({.sent = std::move(sent),
                            .why = why_aside,
                            .remedy = "look at the server, and run the same command again",
                            .failing_since = since});
      return;
    }
    pending.not_before = Clock::now() + backoff_.before_attempt(pending.attempts, pending.jitter);
  }
  waiting_.push_front(std::move(pending));
}

// 429 from a server that has answered lately.
bool Fleet::waits_for_limit(const Server& server, const Answer& answer) const {
  const TimePoint last = std::max(server.answered_at[0], server.answered_at[1]);
  return is_overloaded(answer) && last != TimePoint{} &&
         Clock::now() - last < options_.overload_patience;
}

// The first failure is the one to tell.
void Fleet::give_up(const Error& error) {
  if (failure_) return;
  failure_ = error;
  drain_until_ = Clock::now() + kDrainTime;
}

bool Fleet::is_draining() const {
  return Clock::now() < drain_until_ &&
         std::any_of(in_flight_.begin(), in_flight_.end(),
                     [](const auto& sent) { return sent.second.pending.has_value(); });
}

// A call that has failed after all retries may be to blame itself, so another one is tried.
void Fleet::give_up_when_all_are_down() {
  const auto failed = std::find_if(set_aside_.begin(), set_aside_.end(), [](const SetAside& one) {
    return one.failing_since.has_value();
  });
  const int most = options_.retries + (failed == set_aside_.end() ? 0 : 1);
  std::string all;
  for (const Server& server : servers_) {
    if (server.health.failures() <= most) return;
    if (!all.empty()) all += "; ";
    all += fmt::format("{}: {}", server.shown, server.health.last_failure());
  }
  if (failed != set_aside_.end()) return give_up(error_of(*failed));
  give_up(Error(fmt::format("no endpoint works after {} attempts: {}", options_.retries + 1, all),
                "",
                "check that the servers run and speak OpenAI's chat API, and run the same command "
                "again"));
}

}  // namespace selene::engine
