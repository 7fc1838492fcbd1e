// Chat calls over many servers: each goes to the least loaded healthy one, with a bounded number in
// flight.
//
// A server that refuses, times out, is cut off, answers 5xx or nonsense rests with exponential
// backoff and jitter while the others go on, and is then tried with one call; `Retry-After` makes
// it rest at least so long; 429 halves what it is given. The call itself is tried again elsewhere
// or later. What does not count against the call: a connection that never stood, and 429 from a
// server that has answered lately. Other 4xx are final: 400, 413 and 422 for this call alone where
// their message says so; all else but 400 and 422 for the whole fleet.
//
// When nothing else is left to send, a call that a server is silent about for long is sent to
// another one too; the first answer counts.
//
// Whether a call that was refused with 400 or 422, or that failed after all retries, is to blame
// itself tells what else is answered: another call of its kind, or where there is none left, a
// short one of the same form. Then the call alone is refused; else the whole fleet has failed.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "engine/endpoint_engine.h"
#include "engine/openai_chat.h"
#include "engine/server_health.h"
#include "net/http_client.h"

namespace selene::engine {

struct FleetCall {
  size_t id = 0;
  std::string body;
  size_t max_bytes = 0;  // Of the answer.
  bool scoring = false;  // A server may take one kind of call and refuse the other.
  std::string name{};    // What errors call it. May be empty.
  // The one that has just computed what this goes on: the call comes first, there if it has room.
  std::optional<size_t> server{};
};

struct FleetReply {
  size_t id = 0;
  size_t server = 0;
  ChatAnswer answer;
  // Instead of an answer: the server's message that it does not take this one call.
  std::string refused;
};

class Fleet {
 public:
  // Throws Error as open_endpoint_engine() does.
  explicit Fleet(const EndpointOptions& options);

  // What the servers say that they are; waits until one has answered, and at first a moment for the
  // others. Null when `stop` said so before. Throws Error when they differ, or when none answers.
  const ServedModel* served(const std::function<bool()>& stop);

  // Whether one answers when it is asked the first time; false too when `stop` said so. Throws
  // Error when one answers and cannot be used.
  bool answers_at_once(const std::function<bool()>& stop);
  // The addresses and the model that is asked for, as one text.
  std::string address() const;

  // Another call would find a place soon.
  bool has_room() const;
  void add(FleetCall call);
  // Waits until a reply is there, at most `timeout`. Throws Error when a call has failed for good
  // or no server answers, after what was in flight was waited for a while and the replies were
  // returned; nothing is in flight then.
  std::vector<FleetReply> wait(std::chrono::milliseconds timeout);
  void cancel_all();
  // One a server, of chat calls.
  std::vector<ServerUse> use() const;

 private:
  struct Server {
    std::string url;  // Of the API, without a slash at its end.
    std::string shown;
    std::string asked_model;
    ServerHealth health;
    std::optional<ServedModel> served{};
    int in_flight = 0;
    // Last, a call that does not score, and one that does. TimePoint{}: never.
    std::array<TimePoint, 2> answered_at{};
    ServerUse use{};
    bool failure_is_told = false;
    bool return_is_told = false;
  };
  struct Pending {
    FleetCall call;
    Random jitter;
    int attempts = 0;
    TimePoint first_started{};
    TimePoint not_before{};
    std::optional<size_t> failed_at{};  // The server of the last attempt.
  };
  struct InFlight {
    size_t server = 0;
    TimePoint started{};
    std::optional<Pending> pending{};  // None: the server is asked what it is.
    bool is_of(size_t call) const { return pending && pending->call.id == call; }
  };
  // A call that was refused, or failed after all retries, until it is known whether by itself.
  struct SetAside {
    InFlight sent{};
    std::string why;
    std::string remedy{};
    // A failed one: since when another's answer counts, of any server.
    std::optional<TimePoint> failing_since{};
  };
  using Answer = net::HttpClient::Answer;
  using Milliseconds = std::chrono::milliseconds;

  void start_what_can(TimePoint now);
  void start(size_t server, std::optional<Pending> pending, TimePoint now);
  std::optional<size_t> choose_server(const Pending& pending, TimePoint now) const;
  std::chrono::milliseconds time_to_next_start(TimePoint now, std::chrono::milliseconds most) const;
  void take(Answer answer, std::vector<FleetReply>& replies);
  void take_models(Server& server, const InFlight& sent, const Answer& answer);
  void take_chat(InFlight sent, const Answer& answer, std::vector<FleetReply>& replies);
  void settle_set_aside(std::vector<FleetReply>& replies);
  void probe_when_nothing_else_tells();
  Error error_of(const SetAside& call) const;
  void send_again(TimePoint now);
  size_t count_in_flight(size_t call) const;
  void cancel_twin(size_t call);
  void set_served(Server& server, ServedModel served);
  void tell_of_failures();
  void warn(const std::string& warning) const;
  std::string refusal(const Answer& answer) const;
  std::string remedy_of(int status) const;
  std::string retry_reason(const Answer& answer) const;
  void fail_server(Server& server, const InFlight& sent, const Answer& answer,
                   const std::string& why);
  void retry(InFlight sent, const Answer& answer, const std::string& why);
  bool waits_for_limit(const Server& server, const Answer& answer) const;
  void give_up(const Error& error);
  void give_up_when_all_are_down();
  bool is_draining() const;

  EndpointOptions options_;
  Backoff backoff_;
  net::HttpClient client_;
  std::vector<Server> servers_;
  std::deque<Pending> waiting_;
  std::map<std::uint64_t, InFlight> in_flight_;
  std::vector<SetAside> set_aside_;
  bool is_probing_ = false;
  std::array<Milliseconds, 2> longest_{};  // That a call took which was answered, of each kind.
  std::uint64_t next_id_ = 0;
  std::optional<TimePoint> first_asked_at_;
  std::optional<ServedModel>
      reference_;  // What the first that answered said; all others must say the same.
  std::optional<Error> failure_;  // To be thrown once all replies are out.
  TimePoint drain_until_{};
};

}  // namespace selene::engine
