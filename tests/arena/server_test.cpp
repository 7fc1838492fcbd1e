// The page through real HTTP: what is offered and voted, what is refused, many voters at once, and
// kills.
#include "arena/server.h"

#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "pool.h"
#include "temporary_folder.h"

namespace selene::arena {
namespace {

using data::Opening;
using nlohmann::json;
using selene::testing::fill_pool;
using selene::testing::message_of;

constexpr std::size_t kMany = 1'000'000;

ServerOptions free_port() {
  return {.port = 0,
          .voter_per_minute = kMany,
          .address_per_minute = kMany,
          .new_voters_per_minute = kMany};
}

// Serves an arena in a thread.
class Served {
 public:
  explicit Served(const std::string& path, ServerOptions options = free_port())
      : store_(path), options_(options), thread_([this] { run(); }) {
    while (port_ == 0) std::this_thread::yield();
  }
  ~Served() {
    stop_ = true;
    thread_.join();
  }
  int port() const { return port_; }

 private:
  void run() {
    serve(
        store_, options_, [this] { return stop_.load(); },
        [this](const std::string& address) {
          port_ = std::stoi(address.substr(address.rfind(':') + 1));
        });
  }
  Store store_;
  ServerOptions options_;
  std::atomic<bool> stop_{false};
  std::atomic<int> port_{0};
  std::thread thread_;
};

// A browser: it keeps its cookie.
class Client {
 public:
  explicit Client(int port) : client_("127.0.0.1", port) {
    client_.set_keep_alive(true);
    client_.set_read_timeout(60);
  }

  json next() {
    const auto answer = client_.Get("/api/next?session=00ff", headers());
    if (!answer) throw std::runtime_error("no answer: " + httplib::to_string(answer.error()));
    if (answer->has_header("Set-Cookie")) {
      const std::string cookie = answer->get_header_value("Set-Cookie");
      EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos);
      cookie_ = cookie.substr(0, cookie.find(';'));
    }
    status = answer->status;
    return json::parse(answer->body);
  }
  json vote(const std::string& body, const std::string& type = "application/json",
            httplib::Headers more = {}) {
    httplib::Headers all = headers();
    all.insert(more.begin(), more.end());
    const auto answer = client_.Post("/api/vote", all, body, type);
    if (!answer) throw std::runtime_error("no answer: " + httplib::to_string(answer.error()));
    status = answer->status;
    return json::parse(answer->body);
  }
  json vote(const json& pair, const char* outcome) {
    return vote(json{{"token", pair.at("token")}, {"outcome", outcome}}.dump());
  }
  httplib::Client& raw() { return client_; }
  int status = 0;

 private:
  httplib::Headers headers() const {
    return cookie_.empty() ? httplib::Headers{} : httplib::Headers{{"Cookie", cookie_}};
  }
  httplib::Client client_;
  std::string cookie_;
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_serve()) GTEST_SKIP() << "SKIPPED: this build has no page";
  }
  void fill(int judges, int samples, const std::string& critique = "It says so.") {
    Store store(path_, Opening::MakeIfMissing);
    fill_pool(store, judges, samples, critique);
  }
  std::uint64_t votes() { return Store(path_).vote_count(); }

  selene::testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "a.db";
};

TEST_F(ServerTest, ThePageRunsItsOwnScriptAlone) {
  fill(2, 2);
  const Served served(path_);
  Client client(served.port());
  const auto page = client.raw().Get("/");
  ASSERT_EQ(page->status, 200);
  const std::string policy = page->get_header_value("Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_NE(page->body.find("textContent"), std::string::npos);
  EXPECT_EQ(page->body.find("innerHTML"), std::string::npos);
}

TEST_F(ServerTest, AVoteIsStoredAndTheNamesCome) {
  fill(2, 2);
  const Served served(path_);
  Client client(served.port());
  const json pair = client.next();
  EXPECT_EQ(pair.dump().find("judge "), std::string::npos);  // Blind.
  EXPECT_EQ(pair.dump().find("nobody may see"), std::string::npos);
  EXPECT_EQ(pair.at("sample").at("response"), "It depends.");
  EXPECT_EQ(client.next().at("token"), pair.at("token"));
  const json told = client.vote(pair, "B");
  EXPECT_EQ(client.status, 200);
  EXPECT_TRUE(told.at("judge_a").get<std::string>().starts_with("judge "));
  EXPECT_EQ(votes(), 1u);
  EXPECT_NE(client.next().at("token"), pair.at("token"));
  client.vote(client.next(), "tie");
  EXPECT_TRUE(client.next().at("done").get<bool>());
  const json board = json::parse(client.raw().Get("/api/board")->body);
  EXPECT_EQ(board.at("votes"), 2);
  EXPECT_EQ(board.at("judges").size(), 2u);
}

TEST_F(ServerTest, WhatLooksLikeAScriptTravelsAsText) {
  fill(2, 1, "<b>bold</b><script>alert(1)</script>");
  const Served served(path_);
  Client client(served.port());
  EXPECT_EQ(client.next().at("a").at("critique"), "<b>bold</b><script>alert(1)</script>");
}

TEST_F(ServerTest, RefusesWhatIsNoVote) {
  fill(3, 3);
  const Served served(path_);
  Client client(served.port());
  Client other(served.port());
  const json pair = client.next();
  other.next();
  const auto expect = [&](Client& who, const std::string& body, int status,
                          const std::string& error, const std::string& type = "application/json",
                          const httplib::Headers& more = {}) {
    const json answer = who.vote(body, type, more);
    EXPECT_EQ(who.status, status) << body;
    EXPECT_EQ(answer.at("error"), error) << body;
  };
  const std::string token = pair.at("token");
  const std::string good = json{{"token", token}, {"outcome", "A"}}.dump();
  expect(client, "{", 400,
         "malformed JSON at column 2: syntax error while parsing object key - unexpected end of "
         "input; expected string literal");
  expect(client, "{}", 400, "there is no token");
  expect(client, json{{"token", token}, {"outcome", "C"}}.dump(), 400,
         "the outcome is A, B, tie or both_bad");
  expect(client, json{{"token", token}, {"outcome", 1}}.dump(), 400,
         "the outcome is A, B, tie or both_bad");
  expect(client, json{{"token", std::string(32, 'a')}, {"outcome", "A"}}.dump(), 409,
         "this pair was not offered to you");
  expect(other, good, 409, "this pair was not offered to you");
  Client nobody(served.port());
  expect(nobody, good, 403, "this pair was not offered to you");
  expect(client, good, 415, "a vote is application/json", "text/plain");
  expect(client, good, 403, "a vote comes from the arena's own page", "application/json",
         {{"Origin", "http://elsewhere.example"}});
  EXPECT_EQ(votes(), 0u);
  client.vote(good);
  expect(client, good, 409, "this pair has a vote already");
  EXPECT_EQ(votes(), 1u);
  EXPECT_EQ(client.raw().Post("/api/vote", std::string(10'000, ' '), "application/json")->status,
            413);
  EXPECT_EQ(client.raw().Get("/nowhere")->status, 404);
}

TEST_F(ServerTest, LimitsVotersAndAddresses) {
  fill(3, 20);
  ServerOptions options = free_port();
  options.voter_per_minute = 2;
  options.new_voters_per_minute = 1;
  const Served served(path_, options);
  Client client(served.port());
  client.vote(client.next(), "A");
  client.vote(client.next(), "A");
  EXPECT_EQ(client.vote(client.next(), "A").at("error"),
            "that is faster than anybody reads; wait a minute");
  EXPECT_EQ(client.status, 429);
  Client second(served.port());
  EXPECT_EQ(second.next().at("error"), "too many new voters from your address; wait a minute");
  ServerOptions few = free_port();
  few.address_per_minute = 1;
  const Served strict(path_, few);
  Client third(strict.port());
  third.next();
  EXPECT_EQ(third.next().at("error"), "too many requests from your address; wait a minute");
  EXPECT_EQ(votes(), 2u);
}

TEST_F(ServerTest, TwoHundredVotersAtOnce) {
  fill(4, 30);
  const Served served(path_);
  constexpr int kVoters = 200;
  constexpr int kVotes = 2;
  std::atomic<int> stored{0};
  std::vector<std::thread> voters;
  for (int i = 0; i < kVoters; ++i) {
    voters.emplace_back([&] {
      try {
        Client client(served.port());
        for (int v = 0; v < kVotes; ++v) {
          client.vote(client.next(), "A");
          stored += client.status == 200;
        }
      } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
      }
    });
  }
  for (std::thread& voter : voters) voter.join();
  EXPECT_EQ(stored, kVoters * kVotes);
  EXPECT_EQ(votes(), static_cast<std::uint64_t>(kVoters * kVotes));
}

TEST_F(ServerTest, SaysThatTheAddressIsTaken) {
  fill(2, 1);
  const Served served(path_);
  Store store(path_);
  ServerOptions options = free_port();
  options.port = served.port();
  EXPECT_EQ(message_of<Error>([&] {
              serve(
                  store, options, [] { return true; }, [](auto&) {});
            }),
            fmt::format("127.0.0.1:{}: this address cannot be listened on; is something else "
                        "there? Give another --port or --host",
                        served.port()));
}

// A server that is killed while people vote has every vote that it acknowledged.
TEST_F(ServerTest, KillsLoseNoAcknowledgedVote) {
  fill(4, 60);
  std::uint64_t acknowledged = 0;
  for (int kill = 0; kill < 50; ++kill) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Store store(path_);
      serve(
          store, free_port(), [] { return false; },
          [&](const std::string& address) {
            const std::string port = address.substr(address.rfind(':') + 1) + "\n";
            if (::write(ends[1], port.data(), port.size()) < 0) ::_exit(1);
          });
      ::_exit(0);
    }
    ::close(ends[1]);
    std::string port;
    for (char byte = 0; ::read(ends[0], &byte, 1) == 1 && byte != '\n';) port += byte;
    ::close(ends[0]);
    std::atomic<std::uint64_t> said{0};
    std::thread voter([&] {
      httplib::Client client("127.0.0.1", std::stoi(port));
      std::string cookie;
      for (;;) {
        const auto pair = client.Get("/api/next", httplib::Headers{{"Cookie", cookie}});
        if (!pair) return;
        if (pair->has_header("Set-Cookie")) {
          cookie = pair->get_header_value("Set-Cookie");
          cookie = cookie.substr(0, cookie.find(';'));
        }
        const json body = json::parse(pair->body);
        const auto answer = client.Post("/api/vote", httplib::Headers{{"Cookie", cookie}},
                                        json{{"token", body.at("token")}, {"outcome", "A"}}.dump(),
                                        "application/json");
        if (!answer) return;
        said += answer->status == 200;
      }
    });
    for (int wait = 0; said == 0 && wait < 5'000; ++wait)  // Until it is at work.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::microseconds(1'000 + 97 * kill));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    voter.join();
    acknowledged += said;
    const std::uint64_t there = votes();
    EXPECT_GE(there, acknowledged);
    EXPECT_LE(there, acknowledged + 1);
    acknowledged = there;
  }
  EXPECT_GE(acknowledged, 50u);
}

}  // namespace
}  // namespace selene::arena
