#include "arena/server.h"

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arena/limits.h"
#include "arena/voting.h"
#include "core/embedded.h"
#include "core/error.h"
#include "data/jsonl.h"
#include "report/offline_page.h"

namespace selene {

std::span<const EmbeddedFile>
arena_page_files();  // page.html alone, from src/arena/CMakeLists.txt.

namespace arena {
namespace {

using Json = nlohmann::ordered_json;
using httplib::Request;
using httplib::Response;
using namespace std::chrono_literals;

constexpr std::size_t kMostBytes = 4'096;  // Of a request's body.
constexpr std::size_t kThreads = 256;      // A connection that waits holds one.
constexpr int kWaiting = 1'024;            // Connections to be taken up.
constexpr std::size_t kCookieBytes = 16;
constexpr std::string_view kCookie = "selene_voter=";
constexpr std::int64_t kBoardLifeMs = 2'000;

// What a client did wrong.
struct Refused {
  int status;
  std::string what;
};

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Without the names, which stand behind the critique's sample alone.
Json to_json(const Shown& shown) {
  const auto side = [](const StoredJudgment& judgment) {
    return Json{{"label", judgment.label}, {"critique", judgment.critique}};
  };
  Json sample = Json::parse(shown.sample.json);
  Json fields = Json::object();
  for (const char* name : {"task", "input", "context", "response", "response_a", "response_b",
                           "reference", "criteria", "rubric", "labels"})
    if (sample.contains(name)) fields[name] = std::move(sample[name]);
  return {{"token", shown.token},
          {"sample", std::move(fields)},
          {"a", side(shown.a)},
          {"b", side(shown.b)}};
}

class Page {
 public:
  Page() : html_(arena_page_files().front().text) {
    policy_ = fmt::format(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'",
        report::policy_digest(report::between(html_, "<script>", "</script>")),
        report::policy_digest(report::between(html_, "<style>", "</style>")));
  }
  const std::string& html() const { return html_; }
  const std::string& policy() const { return policy_; }

 private:
  std::string html_;
  std::string policy_;
};

class Server {
 public:
  Server(Store& store, const ServerOptions& options)
      : options_(options),
        store_(store),
        voting_(store),
        board_store_(store.path()),
        voters_(options.voter_per_minute),
        addresses_(options.address_per_minute),
        new_voters_(options.new_voters_per_minute) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_timeout(2);
    server_.set_keep_alive_max_count(10'000);
    server_.set_tcp_nodelay(true);
    // Not SO_REUSEPORT, by which a second server would share the port in silence.
    server_.set_socket_options([this](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      socket_ = socket;
    });
    server_.set_payload_max_length(kMostBytes);
    server_.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"Cache-Control", "no-store"},
                                 {"Content-Security-Policy", page_.policy()}});
    server_.Get("/", [this](const Request&, Response& response) {
      response.set_content(page_.html(), "text/html; charset=utf-8");
    });
    route("/api/next", false, &Server::next);
    route("/api/vote", true, &Server::vote);
    route("/api/board", false, &Server::board);
  }

  void run(const std::function<bool()>& stop,
           const std::function<void(const std::string& address)>& ready) {
    int port = options_.port;
    const bool bound = port == 0 ? (port = server_.bind_to_any_port(options_.host)) > 0
                                 : server_.bind_to_port(options_.host, port);
    if (!bound)
      throw Error("this address cannot be listened on",
                  fmt::format("{}:{}", options_.host, options_.port),
                  "is something else there? Give another --port or --host");
    // The library lets 5 wait; of a crowd that comes at once the others would hang for a minute.
    ::listen(socket_, kWaiting);
    std::atomic<bool> ended{false};
    std::thread watch([&] {
      while (!stop() && !ended) std::this_thread::sleep_for(50ms);
      server_.stop();
    });
    ready(fmt::format(
        "http://{}:{}/",
        options_.host.find(':') != std::string::npos ? "[" + options_.host + "]" : options_.host,
        port));
    server_.listen_after_bind();
    ended = true;
    watch.join();
  }

 private:
  using Answer = Json (Server::*)(const Request& request, Response& response);

  // The one place where what went wrong becomes an answer.
  void route(const char* path, bool post, Answer answer) {
    const auto handler = [this, answer](const Request& request, Response& response) {
      Json body;
      try {
        body = (this->*answer)(request, response);
      } catch (const Refused& refused) {
        response.status = refused.status;
        body = {{"error", refused.what}};
      } catch (const Error& failure) {
        response.status = 409;
        body = {{"error", failure.message()}};
      } catch (const std::exception& failure) {
        response.status = 500;
        body = {{"error", "the arena failed; the vote is not stored"}};
        std::fprintf(stderr, "error: %s\n", failure.what());
      }
      response.set_content(body.dump(-1, ' ', false, Json::error_handler_t::replace),
                           "application/json");
    };
    if (post) {
      server_.Post(path, handler);
    } else {
      server_.Get(path, handler);
    }
  }

  // The cookie's voter; a new one where there is none.
  std::string voter_of(const Request& request, Response* response) {
    const std::string cookies = request.get_header_value("Cookie");
    const std::size_t at = cookies.find(kCookie);
    if (at != std::string::npos) {
      const std::string value = cookies.substr(at + kCookie.size(), 2 * kCookieBytes);
      if (is_hex(value, 2 * kCookieBytes)) return store_.voter_hash(value);
    }
    if (response == nullptr) throw Refused{403, "this pair was not offered to you"};
    if (!new_voters_.allow(request.remote_addr, steady_ms()))
      throw Refused{429, "too many new voters from your address; wait a minute"};
    const std::string value = random_hex(kCookieBytes);
    response->set_header(
        "Set-Cookie",
        fmt::format("{}{}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict", kCookie, value));
    return store_.voter_hash(value);
  }

  void count_address(const Request& request) {
    if (!addresses_.allow(request.remote_addr, steady_ms()))
      throw Refused{429, "too many requests from your address; wait a minute"};
  }

  Json next(const Request& request, Response& response) {
    const std::lock_guard lock(mutex_);
    count_address(request);
    const std::string voter = voter_of(request, &response);
    const std::string session = request.get_param_value("session");
    const auto shown = voting_.next(
        voter, is_hex(session, session.size()) && session.size() <= 32 ? session : std::string());
    if (!shown) return {{"done", true}};
    return to_json(*shown);
  }

  Json vote(const Request& request, Response&) {
    const std::lock_guard lock(mutex_);
    count_address(request);
    const std::string origin = request.get_header_value("Origin");
    if (!origin.empty() && !origin.ends_with("://" + request.get_header_value("Host")))
      throw Refused{403, "a vote comes from the arena's own page"};
    if (!request.get_header_value("Content-Type").starts_with("application/json"))
      throw Refused{415, "a vote is application/json"};
    Json body;
    try {
      body = data::parse_object(request.body);
    } catch (const Error& failure) {
      throw Refused{400, failure.message()};
    }
    const std::string token = body.value("token", Json()).is_string() ? body["token"] : "";
    const std::string named = body.value("outcome", Json()).is_string() ? body["outcome"] : "";
    const std::optional<Outcome> outcome = outcome_from_name(named);
    if (!is_hex(token, token.size()) || token.empty()) throw Refused{400, "there is no token"};
    if (!outcome) throw Refused{400, "the outcome is A, B, tie or both_bad"};
    const std::string voter = voter_of(request, nullptr);
    if (!voters_.allow(voter, steady_ms()))
      throw Refused{429, "that is faster than anybody reads; wait a minute"};
    const Told told = voting_.vote(token, voter, *outcome, "page");
    return {{"judge_a", told.judge_a}, {"judge_b", told.judge_b}};
  }

  // Through its own connection, so that nobody's vote waits for it; made anew when it is old.
  Json board(const Request& request, Response&) {
    {
      const std::lock_guard lock(mutex_);
      count_address(request);
    }
    const std::lock_guard lock(board_mutex_);
    if (board_.is_null() || steady_ms() - board_ms_ > kBoardLifeMs) {
      board_ = arena::to_json(make_board(board_store_, options_.board));
      board_ms_ = steady_ms();
    }
    return board_;
  }

  const ServerOptions& options_;
  const Page page_;
  std::mutex mutex_;  // Of all below but the board's.
  Store& store_;
  Voting voting_;
  std::mutex board_mutex_;
  Store board_store_;
  Json board_;
  std::int64_t board_ms_ = 0;
  MinuteLimit voters_, addresses_, new_voters_;
  httplib::Server server_;
  socket_t socket_ = -1;
};

}  // namespace

bool can_serve() { return true; }

void serve(Store& store, const ServerOptions& options, const std::function<bool()>& stop,
           const std::function<void(const std::string& address)>& ready) {
  Server(store, options).run(stop, ready);
}

}  // namespace arena
}  // namespace selene
