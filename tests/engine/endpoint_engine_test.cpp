#include "engine/endpoint_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "engine/chat_server.h"
#include "net/file_server.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

using std::chrono::milliseconds;
using testing::ChatServer;
using testing::message_of;
using Clock = std::chrono::steady_clock;

constexpr const char* kRefused = R"({"error":{"message":"no"}})";

EndpointOptions options_for(const std::vector<std::string>& urls) {
  EndpointOptions options;
  for (const std::string& url : urls) options.endpoints.push_back({url, "judge"});
  options.backoff = milliseconds(2);
  options.backoff_most = milliseconds(10);
  options.timeout = milliseconds(10'000);
  options.retries = 3;
  return options;
}

std::vector<Request> requests(int count, int max_tokens = 16) {
  std::vector<Request> result;
  for (int i = 0; i < count; ++i) {
    Request request;
    request.messages = {{"user", std::to_string(i)}};
    request.mark = "**Result:**";
    request.labels = {"Yes", "No"};
    request.max_tokens = max_tokens;
    if (max_tokens > 0) {
      request.answer_start = "**Reasoning:**";
      request.stop = "**Result:**";
    }
    result.push_back(request);
  }
  return result;
}

// What one run gave.
struct Outcome {
  std::map<size_t, Result> results;
  std::string error;
};

Outcome run(Engine& engine, const std::vector<Request>& batch,
            const std::function<bool()>& stop = {}) {
  Outcome outcome;
  outcome.error = message_of<Error>([&] {
    engine.run(batch, {.results =
                           [&](std::span<Completed> completed) {
                             for (Completed& one : completed) {
                               EXPECT_FALSE(outcome.results.contains(one.request));
                               outcome.results[one.request] = std::move(one.result);
                             }
                           },
                       .text = {},
                       .stop = stop});
  });
  return outcome;
}

Outcome run(const EndpointOptions& options, const std::vector<Request>& batch) {
  return run(*open_endpoint_engine(options), batch);
}

void expect_all_yes(const Outcome& outcome, size_t count) {
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.results.size(), count);
  for (const auto& [index, result] : outcome.results) {
    ASSERT_EQ(result.label_log_probs.size(), 2u) << index << result.unreadable;
    EXPECT_DOUBLE_EQ(result.label_log_probs[0], -0.2);
    EXPECT_DOUBLE_EQ(result.label_log_probs[1], -2);
  }
}

TEST(EndpointEngine, JudgesWithCritiqueAndDistribution) {
  ChatServer server;
  const auto engine = open_endpoint_engine(options_for({server.url()}));
  const Outcome outcome = run(*engine, requests(40));
  expect_all_yes(outcome, 40);
  for (const auto& [index, result] : outcome.results) {
    EXPECT_EQ(result.text, fmt::format("About {}", index));
  }
  EXPECT_EQ(server.calls(), 80u);
  EXPECT_LE(server.most_at_once, 16);
  const Counters counters = engine->counters();
  EXPECT_EQ(counters.prompt_tokens, 400);
  EXPECT_EQ(counters.prompt_tokens_computed, 240);
  EXPECT_EQ(counters.scoring_tokens_computed, 240);
  EXPECT_EQ(counters.generated_tokens, 80);
}

TEST(EndpointEngine, JudgesByTheVerdictAlone) {
  ChatServer server;
  expect_all_yes(run(options_for({server.url() + "/v1/"}), requests(5, 0)), 5);
  EXPECT_EQ(server.calls(), 5u);
}

TEST(EndpointEngine, AnyOtherServerWritesAllInOneCall) {
  ChatServer server("library");
  const Outcome outcome = run(options_for({server.url()}), requests(3));
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.results.size(), 3u);
  EXPECT_EQ(outcome.results.at(0).text, "Good.");
  EXPECT_EQ(outcome.results.at(0).label_read, 0u);
  EXPECT_TRUE(outcome.results.at(0).label_log_probs.empty());
  EXPECT_EQ(server.calls(), 3u);
}

TEST(EndpointEngine, AnUnreadableVerdictIsAResult) {
  ChatServer server("library");
  server.whole_answer = "I would rather not say.";
  const Outcome outcome = run(options_for({server.url()}), requests(1));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.results.at(0).unreadable, "no result mark");
  EXPECT_EQ(outcome.results.at(0).text, "I would rather not say.");
}

TEST(EndpointEngine, WithoutLogProbabilitiesTheLabelIsRead) {
  ChatServer server;
  server.with_log_probs = false;
  const Outcome outcome = run(options_for({server.url()}), requests(2, 0));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.results.at(0).label_read, 0u);
  EXPECT_TRUE(outcome.results.at(0).label_log_probs.empty());
}

TEST(EndpointEngine, TheIdSaysModelAndServerButNeitherAddressNorKey) {
  ChatServer server("llamacpp", "/a/models/smol.gguf");
  ChatServer twin("llamacpp", "/b/smol.gguf");
  EndpointOptions options = options_for({server.url()});
  options.api_key = "sk-secret";
  const auto engine = open_endpoint_engine(options);
  const EngineId& id = engine->id();
  EXPECT_EQ(id.name, "judge");
  EXPECT_EQ(id.model, "endpoint:judge (smol.gguf)");
  EXPECT_EQ(id.version, "openai-chat 2, llama-server");
  EXPECT_EQ(id.options, "");
  EXPECT_EQ(id.adapter, "");
  const auto fleet = open_endpoint_engine(options_for({twin.url(), server.url()}));
  EXPECT_EQ(fleet->id().model, id.model);
  EXPECT_EQ(fleet->id().version, id.version);
  EXPECT_EQ(engine->context_limit(), 0);
  EXPECT_FALSE(engine->exact());
  EXPECT_EQ(engine->context_tokens(requests(2)), (std::vector<std::int64_t>{0, 0}));
  EXPECT_EQ(server.calls(), 0u);
  options.ask_log_probs = false;
  EXPECT_EQ(open_endpoint_engine(options)->id().options, "no log-probabilities");
  options.endpoints.front().model = "";
  EXPECT_EQ(open_endpoint_engine(options)->id().name, "smol.gguf");
  EXPECT_EQ(open_endpoint_engine(options)->id().model, "endpoint:smol.gguf");
}

TEST(EndpointEngine, AServerThatHasChangedSinceItWasRememberedIsAnError) {
  const testing::TemporaryFolder folder;
  ChatServer server;
  EndpointOptions options = options_for({server.url()});
  options.known_servers = folder / "servers.json";
  const std::string id = open_endpoint_engine(options)->id().model;
  std::string known = testing::slurp(options.known_servers);
  known.replace(known.find("endpoint:judge"), 14, "endpoint:other");
  folder.file("servers.json", known);
  std::vector<std::string> warnings;
  options.warn = [&](std::string_view warning) { warnings.emplace_back(warning); };
  EXPECT_EQ(open_endpoint_engine(options)->id().model, id) << "it was asked";
  folder.file("servers.json", known);
  server.next_for_models(ChatServer::status(503));
  const auto engine = open_endpoint_engine(options);
  EXPECT_EQ(engine->id().model, "endpoint:other");
  EXPECT_EQ(warnings[0], server.url() +
                             "#judge: no server answers; what the ledger knows of endpoint:other "
                             "is taken");
  EXPECT_EQ(run(*engine, requests(1)).error,
            server.url() +
                "#judge: it serves endpoint:judge now, endpoint:other before; run the same command "
                "again");
  folder.file("servers.json", "[");
  EXPECT_EQ(open_endpoint_engine(options)->id().model, id);
}

TEST(EndpointEngine, AServerWithoutAListOfModelsIsAnyOther) {
  ChatServer server;
  server.next_for_models(ChatServer::status(404));
  const auto engine = open_endpoint_engine(options_for({server.url()}));
  EXPECT_EQ(engine->id().model, "endpoint:judge");
  EXPECT_EQ(engine->id().version, "openai-chat 2, other");
}

TEST(EndpointEngine, SendsTheKeyToEveryRequest) {
  ChatServer server;
  EndpointOptions options = options_for({server.url()});
  options.api_key = "sk-secret";
  expect_all_yes(run(options, requests(1)), 1);
  for (const auto& request : server.requests()) {
    EXPECT_EQ(request.get_header_value("Authorization"), "Bearer sk-secret") << request.path;
  }
}

TEST(EndpointEngine, GoesOnAfterEachKindOfFailure) {
  const std::map<std::string, std::function<void(ChatServer&, httplib::Response&)>> faults{
      {"500", [](ChatServer&, httplib::Response& r) { ChatServer::status(500, kRefused)(r); }},
      {"503", [](ChatServer&,
                 httplib::Response& r) { ChatServer::status(503, "<html>loading</html>")(r); }},
      {"429", [](ChatServer&, httplib::Response& r) { ChatServer::status(429, kRefused)(r); }},
      {"408", [](ChatServer&, httplib::Response& r) { ChatServer::status(408)(r); }},
      {"cut", [](ChatServer& server, httplib::Response& r) { server.cut(r); }},
      {"slow", [](ChatServer& server, httplib::Response& r) { server.stall(r); }},
      {"endless", [](ChatServer& server, httplib::Response& r) { server.endless(r); }},
      {"malformed",
       [](ChatServer&, httplib::Response& r) { ChatServer::body(R"({"choices":[{"message")")(r); }},
      {"HTML", [](ChatServer&, httplib::Response& r) { ChatServer::body("<html>hi</html>")(r); }},
      {"another shape",
       [](ChatServer&, httplib::Response& r) { ChatServer::body(R"({"text":"hi"})")(r); }},
      {"empty", [](ChatServer&, httplib::Response& r) { ChatServer::body("")(r); }},
  };
  for (const auto& [name, fault] : faults) {
    SCOPED_TRACE(name);
    ChatServer server;
    for (int i = 0; i < 2; ++i) {
      server.next(
          [&server, fault = fault](httplib::Response& response) { fault(server, response); });
    }
    EndpointOptions options = options_for({server.url()});
    options.timeout = milliseconds(name == "slow" ? 100 : 10'000);
    expect_all_yes(run(options, requests(3)), 3);
    EXPECT_EQ(server.calls(), 8u);
  }
}

TEST(EndpointEngine, AskingForModelsIsTriedAgainToo) {
  ChatServer server;
  server.next_for_models(ChatServer::status(503));
  server.next_for_models(ChatServer::body("<html>"));
  expect_all_yes(run(options_for({server.url()}), requests(1)), 1);
}

TEST(EndpointEngine, HonoursRetryAfter) {
  for (const int status : {429, 503}) {
    ChatServer server;
    server.next(ChatServer::status(status, kRefused, "1"));
    const auto start = Clock::now();
    expect_all_yes(run(options_for({server.url()}), requests(1, 0)), 1);
    EXPECT_GE(Clock::now() - start, milliseconds(1000));
  }
}

TEST(EndpointEngine, DoesNotWaitForALongRetryAfter) {
  ChatServer server;
  server.next(ChatServer::status(429, kRefused, "3600"));
  EXPECT_EQ(run(options_for({server.url()}), requests(1)).error,
            server.url() + ": status 429, and it wants to be left alone for 3600 s: no");
}

ChatServer& failing_at(ChatServer& server, const std::string& message) {
  server.fails_at = R"("content":")" + message + '"';
  return server;
}

TEST(EndpointEngine, ARequestThatAlwaysFailsIsItsResultWhereOthersAreAnswered) {
  for (const int in_flight : {1, 16}) {
    for (const char* failing : {"0", "7", "19"}) {  // Also the first and the last one.
      SCOPED_TRACE(fmt::format("{}, {} in flight", failing, in_flight));
      ChatServer server;
      EndpointOptions options = options_for({failing_at(server, failing).url()});
      options.in_flight_per_endpoint = in_flight;
      const Outcome outcome = run(options, requests(20));
      EXPECT_EQ(outcome.error, "");
      ASSERT_EQ(outcome.results.size(), 20u);
      for (const auto& [index, result] : outcome.results) {
        const bool failed = std::to_string(index) == failing;
        EXPECT_EQ(result.unreadable,
                  failed ? "a request failed 4 times, at last here: status 500: no" : "");
        EXPECT_EQ(result.is_final, !failed);
      }
    }
  }
}

// The next run has nothing else to ask; a short request tells whether the server is to blame.
TEST(EndpointEngine, ARequestThatAlwaysFailsIsItsResultAlsoAlone) {
  ChatServer server;
  const Outcome outcome = run(options_for({failing_at(server, "0").url()}), requests(1));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.results.at(0).unreadable,
            "a request failed 4 times, at last here: status 500: no");
  const std::string probe = server.requests().back().body;
  EXPECT_NE(probe.find(R"("content":"Hello")"), std::string::npos) << probe;
  EXPECT_NE(probe.find(R"("max_tokens":4)"), std::string::npos) << probe;
}

TEST(EndpointEngine, GivesUpWhereNothingIsAnsweredAnyMore) {
  ChatServer server;
  server.breaks_after = 2;
  server.breaks_with = ChatServer::body("<html>gateway</html>");
  const auto engine = open_endpoint_engine(options_for({server.url()}));
  expect_all_yes(run(*engine, requests(1)), 1);
  EXPECT_NE(run(options_for({server.url()}), requests(20)).error, "");
  EXPECT_EQ(run(*engine, requests(1)).error,
            server.url() +
                ": a request failed 4 times, at last here: the answer is no JSON: "
                "'<html>gateway</html>'; look at the server, and run the same command again");
  server.breaks_after = SIZE_MAX;
  expect_all_yes(run(*engine, requests(2)), 2);  // The same engine goes on.
}

TEST(EndpointEngine, WhatIsInFlightIsWaitedForWhenItGivesUp) {
  ChatServer server;
  server.takes = milliseconds(200);
  server.next(ChatServer::status(403, kRefused));
  const Outcome outcome = run(options_for({server.url()}), requests(10, 0));
  EXPECT_EQ(outcome.error,
            server.url() + ": status 403: no; give its key: --key-env NAME or --key-file FILE");
  EXPECT_EQ(outcome.results.size(), 9u);
}

TEST(EndpointEngine, OtherRefusalsAreFinal) {
  ChatServer server;
  server.breaks_after = 0;
  server.breaks_with =
      ChatServer::status(400, R"({"error":{"message":"temperature must be nice"}})");
  EXPECT_EQ(run(options_for({server.url()}), requests(1)).error,
            server.url() + ": status 400: temperature must be nice");
  EXPECT_EQ(server.calls(), 2u);
  ChatServer moved;
  moved.next(ChatServer::status(302));
  EXPECT_EQ(run(options_for({moved.url()}), requests(1)).error,
            moved.url() + ": status 302: the API is at another address");
}

TEST(EndpointEngine, SaysWhatToDoWithoutAKeyOrAnApi) {
  ChatServer locked;
  locked.next_for_models(ChatServer::status(401, kRefused));
  EXPECT_EQ(run(options_for({locked.url()}), requests(1)).error,
            locked.url() + ": status 401: no; give its key: --key-env NAME or --key-file FILE");
  ChatServer elsewhere;
  elsewhere.next(ChatServer::status(404, kRefused));
  EXPECT_EQ(run(options_for({elsewhere.url()}), requests(1)).error,
            elsewhere.url() +
                ": status 404: no; look at the address and the model's name: the API is below /v1 "
                "unless the URL has a path");
}

// Also when it is the first that is asked.
TEST(EndpointEngine, ARefusalOfOneRequestIsItsResult) {
  for (const int status : {400, 422}) {
    for (const int in_flight : {1, 16}) {
      SCOPED_TRACE(fmt::format("{}, {} in flight", status, in_flight));
      ChatServer server;
      server.next(ChatServer::status(status, R"({"error":{"message":"I do not like it"}})"));
      EndpointOptions options = options_for({server.url()});
      options.in_flight_per_endpoint = in_flight;
      const Outcome outcome = run(options, requests(20));
      EXPECT_EQ(outcome.error, "");
      ASSERT_EQ(outcome.results.size(), 20u);
      int refused = 0;
      for (const auto& [index, result] : outcome.results) {
        if (result.unreadable.empty()) continue;
        ++refused;
        EXPECT_EQ(result.unreadable, fmt::format("status {}: I do not like it", status));
        EXPECT_FALSE(result.is_final);
      }
      EXPECT_EQ(refused, 1);
      EXPECT_EQ(server.calls(), 39u);
    }
  }
}

TEST(EndpointEngine, AContentFilterIsAboutOneRequest) {
  ChatServer server;
  server.next(
      ChatServer::status(400, R"({"error":{"message":"filtered","code":"content_filter"}})"));
  const Outcome outcome = run(options_for({server.url()}), requests(1));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.results.at(0).unreadable, "filtered");
  EXPECT_FALSE(outcome.results.at(0).is_final);
}

TEST(EndpointEngine, AServerThatRefusesAllIsAnErrorSoon) {
  ChatServer server;
  server.breaks_after = 0;
  server.breaks_with = ChatServer::status(400, R"({"error":{"message":"unknown field 'stop'"}})");
  EXPECT_EQ(run(options_for({server.url()}), requests(100)).error,
            server.url() + ": status 400: unknown field 'stop'");
  EXPECT_LE(server.calls(), 24u);
  // It writes critiques and scores no label.
  ChatServer half;
  half.breaks_after = 1;
  half.breaks_with = server.breaks_with;
  EXPECT_EQ(run(options_for({half.url()}), requests(1)).error,
            half.url() + ": status 400: unknown field 'stop'");
  EXPECT_EQ(half.calls(), 3u);
}

TEST(EndpointEngine, AnErrorNamesTheRequestThatFailed) {
  const auto error_of = [](const ChatServer& server) {
    const auto batch = requests(1);
    const auto engine = open_endpoint_engine(options_for({server.url()}));
    return message_of<Error>([&] {
      engine->run(batch, {.results = [](std::span<Completed>) {},
                          .text = {},
                          .stop = {},
                          .name = [](size_t request) { return fmt::format("row {}", request); }});
    });
  };
  ChatServer server;
  server.breaks_after = 0;
  server.breaks_with = ChatServer::status(422, kRefused);
  EXPECT_EQ(error_of(server), server.url() + ": row 0: status 422: no");
  ChatServer failing;
  failing.breaks_after = 0;
  failing.breaks_with = ChatServer::body("<html>");
  EXPECT_EQ(error_of(failing), failing.url() +
                                   ": row 0: a request failed 4 times, at last here: the answer is "
                                   "no JSON: '<html>'; look at the server, and run the same "
                                   "command again");
}

// Without Retry-After, for longer than all retries take.
TEST(EndpointEngine, WaitsForAServerThatHasALimit) {
  ChatServer server;
  EndpointOptions options = options_for({server.url()});
  const auto engine = open_endpoint_engine(options);
  expect_all_yes(run(*engine, requests(1, 0)), 1);
  for (int i = 0; i < 12; ++i) server.next(ChatServer::status(429, kRefused));
  expect_all_yes(run(*engine, requests(1, 0)), 1);
  EXPECT_EQ(server.calls(), 14u);
}

TEST(EndpointEngine, DoesNotWaitForAServerThatAnswersNothingButItsLimit) {
  ChatServer server;
  server.breaks_after = 0;
  server.breaks_with = ChatServer::status(429, kRefused);
  const std::string failed =
      ": a request failed 4 times, at last here: status 429: no; look at the server, and run the "
      "same command again";
  EXPECT_EQ(run(options_for({server.url()}), requests(1)).error, server.url() + failed);
  ChatServer exhausted;
  exhausted.breaks_after = 1;
  exhausted.breaks_with = server.breaks_with;
  EndpointOptions options = options_for({exhausted.url()});
  options.overload_patience = milliseconds(0);
  const auto engine = open_endpoint_engine(options);
  expect_all_yes(run(*engine, requests(1, 0)), 1);
  EXPECT_EQ(run(*engine, requests(1, 0)).error, exhausted.url() + failed);
}

TEST(EndpointEngine, ASilentServerDoesNotKeepAFleetFromItsWork) {
  ChatServer silent;
  silent.next_for_models([&silent](httplib::Response& response) { silent.stall(response); });
  ChatServer alive;
  const auto engine = open_endpoint_engine(options_for({silent.url(), alive.url()}));
  auto start = Clock::now();
  expect_all_yes(run(*engine, requests(10)), 10);
  EXPECT_LT(Clock::now() - start, milliseconds(5000));
  start = Clock::now();
  expect_all_yes(run(*engine, requests(10)), 10);
  EXPECT_LT(Clock::now() - start, milliseconds(1000)) << "it was waited for once";
  EXPECT_EQ(silent.calls(), 0u);
}

TEST(EndpointEngine, SaysWhatToDoAboutLogProbabilitiesThatAreRefused) {
  ChatServer server;
  server.next(ChatServer::status(400, R"({"error":{"message":"no top_logprobs here"}})"));
  EXPECT_EQ(run(options_for({server.url()}), requests(1, 0)).error,
            server.url() +
                ": status 400: no top_logprobs here; write log_probs: false into a judge file");
}

TEST(EndpointEngine, AListOfModelsThatIsRefusedIsAnError) {
  ChatServer server;
  server.next_for_models(ChatServer::status(503, kRefused, "3600"));
  const auto engine = open_endpoint_engine(options_for({server.url()}));
  EXPECT_EQ(message_of<Error>([&] { engine->id(); }),
            server.url() + ": status 503, and it wants to be left alone for 3600 s: no");
}

TEST(EndpointEngine, NeverShowsTheKey) {
  const std::string echo = R"({"error":{"message":"wrong key sk-secret, yes sk-secret"}})";
  ChatServer server;
  server.next_for_models(ChatServer::status(401, echo));
  EndpointOptions options = options_for({server.url()});
  options.api_key = "sk-secret";
  EXPECT_EQ(message_of<Error>([&] { open_endpoint_engine(options)->id(); }),
            server.url() +
                ": status 401: wrong key [key], yes [key]; look at the key and what it allows");
  for (int i = 0; i < 4; ++i) server.next(ChatServer::status(500, echo));
  EXPECT_EQ(run(options, requests(1)).error.find("secret"), std::string::npos);
  server.next(ChatServer::status(400, R"({"error":{"message":"context length, sk-secret"}})"));
  EXPECT_EQ(run(options, requests(1, 0)).results.at(0).unreadable, "context length, [key]");
}

// A message is cut to some columns; the key must be gone before.
TEST(EndpointEngine, ShowsNoPartOfAKeyWhereAMessageIsCut) {
  const auto error_of = [](const ChatServer& server) {
    EndpointOptions options = options_for({server.url()});
    options.api_key = "sk-secret-0123456789";
    options.retries = 0;
    const Outcome outcome = run(options, requests(1));
    return outcome.error.empty() ? outcome.results.at(0).unreadable : outcome.error;
  };
  const auto expect_hidden = [](const std::string& error) {
    EXPECT_NE(error, "");
    EXPECT_EQ(error.find("secret"), std::string::npos) << error;
  };
  for (size_t length = 50; length < 310; ++length) {
    const std::string echo = std::string(length, '.') + "sk-secret-0123456789";
    const std::string json = R"({"error":{"message":")" + echo + R"("}})";
    const bool is_message = length > 270;
    if (!is_message && (length < 55 || length > 80)) continue;
    ChatServer server;
    if (is_message) {
      server.next(ChatServer::status(403, json));
    } else {
      server.next(ChatServer::body(echo));
    }
    expect_hidden(error_of(server));
  }
  ChatServer listing;
  listing.next_for_models(
      ChatServer::body(R"({"data":[{"id":"a"},{"id":"sk-secret-0123456789"}]})"));
  EndpointOptions options = options_for({listing.url()});
  options.endpoints[0].model = "";
  options.api_key = "sk-secret-0123456789";
  EXPECT_EQ(run(options, requests(1)).error,
            listing.url() + ": the server has several models: a, [key]; name one: URL#model");
}

TEST(EndpointEngine, KeepsNoKeyOfAnAnswer) {
  ChatServer server("library");
  server.whole_answer = "**Reasoning:** Bearer sk-secret it is.\n\n**Result:** Yes";
  EndpointOptions options = options_for({server.url()});
  options.api_key = "sk-secret";
  const Outcome outcome = run(options, requests(1));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.results.at(0).text, "Bearer [key] it is.");
  EXPECT_EQ(outcome.results.at(0).label_read, 0u);
}

// llama-server cuts some answers inside of a character.
TEST(EndpointEngine, BytesThatAreNoUtf8AreReplacedAndSaid) {
  ChatServer server("library");
  server.next(
      ChatServer::body("{\"choices\":[{\"message\":{\"content\":\"**Reasoning:** "
                       "caf\xC3.\\n\\n**Result:** Yes\"}}]}"));
  const Outcome outcome = run(options_for({server.url()}), requests(2));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(server.calls(), 2u);
  int replaced = 0;
  for (const auto& [index, result] : outcome.results) {
    EXPECT_EQ(result.label_read, 0u);
    replaced += result.invalid_utf8 && result.text == "caf\uFFFD." ? 1 : 0;
  }
  EXPECT_EQ(replaced, 1);
}

TEST(EndpointEngine, AnUntrustedCertificateIsFinal) {
  const auto server = testing::FileServer::untrusted();
  const auto engine = open_endpoint_engine(options_for({server.url("")}));
  const std::string error = message_of<Error>([&] { engine->id(); });
  EXPECT_TRUE(error.starts_with(server.url("") + ": the server's certificate is not trusted: "))
      << error;
}

TEST(EndpointEngine, ATooLongRequestIsUnreadableAndTheOthersGoOn) {
  ChatServer server;
  server.next(ChatServer::status(
      400, R"({"error":{"type":"exceed_context_size_error","message":"9 tokens, 8 fit"}})"));
  EndpointOptions options = options_for({server.url()});
  options.in_flight_per_endpoint = 1;
  const Outcome outcome = run(options, requests(3));
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.results.size(), 3u);
  EXPECT_EQ(outcome.results.at(0).unreadable, "9 tokens, 8 fit");
  EXPECT_EQ(outcome.results.at(1).label_log_probs.size(), 2u);
}

TEST(EndpointEngine, AnotherModelIsAnError) {
  ChatServer server;
  server.answers_as = "gpt-2";
  EXPECT_EQ(run(options_for({server.url()}), requests(1)).error,
            server.url() +
                ": it was asked for model 'judge' and answered as 'gpt-2'; name the model that the "
                "server has: URL#model");
  ChatServer larger;
  larger.answers_as = "judge-turbo";
  EXPECT_NE(run(options_for({larger.url()}), requests(1)).error.find("answered as 'judge-turbo'"),
            std::string::npos);
  ChatServer dated;
  dated.answers_as = "judge-2024-08-06";
  expect_all_yes(run(options_for({dated.url()}), requests(1)), 1);
  ChatServer llama("llamacpp");
  llama.answers_as = "/models/smol.gguf";
  expect_all_yes(run(options_for({llama.url()}), requests(1)), 1);
}

TEST(EndpointEngine, WarnsOfAServerThatTakesAnyName) {
  ChatServer one("llamacpp", "/models/smol\x1b.gguf");
  ChatServer two("llamacpp", "/models/smol\x1b.gguf");
  EndpointOptions options = options_for({one.url(), two.url()});
  std::vector<std::string> warnings;
  options.warn = [&](std::string_view warning) { warnings.emplace_back(warning); };
  expect_all_yes(run(options, requests(4)), 4);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(warnings[0].ends_with(
      ": it has no model 'judge', and answers with its own, 'smol\uFFFD.gguf'"))
      << warnings[0];
  for (Endpoint& endpoint : options.endpoints) endpoint.model = "";
  expect_all_yes(run(options, requests(4)), 4);
  EXPECT_EQ(warnings.size(), 1u);
}

TEST(EndpointEngine, AFleetSharesTheWork) {
  ChatServer one;
  ChatServer two;
  one.takes = two.takes = milliseconds(5);
  EndpointOptions options = options_for({one.url(), two.url()});
  options.in_flight_per_endpoint = 2;
  expect_all_yes(run(options, requests(40)), 40);
  EXPECT_EQ(one.calls() + two.calls(), 80u);
  EXPECT_GT(one.calls(), 20u);
  EXPECT_GT(two.calls(), 20u);
  EXPECT_LE(one.most_at_once, 2);
  EXPECT_LE(two.most_at_once, 2);
}

TEST(EndpointEngine, AFleetWithADeadServerGoesOn) {
  ChatServer alive;
  alive.takes = milliseconds(3);
  expect_all_yes(run(options_for({testing::dead_url(), alive.url()}), requests(60)), 60);
  EXPECT_EQ(alive.calls(), 120u);
}

TEST(EndpointEngine, AFleetWithAFailingServerGoesOn) {
  ChatServer failing;
  ChatServer alive;
  for (int i = 0; i < 1000; ++i) failing.next(ChatServer::status(500, kRefused));
  alive.takes = milliseconds(3);
  EndpointOptions options = options_for({failing.url(), alive.url()});
  options.retries = 1;  // A request that failed there is not tried there again.
  options.in_flight_per_endpoint = 4;
  expect_all_yes(run(options, requests(60)), 60);
  EXPECT_LT(failing.calls(), 60u);
}

TEST(EndpointEngine, TheLastRequestsOfASilentServerAreSentToAnother) {
  ChatServer silent;
  ChatServer alive;
  for (int i = 0; i < 4; ++i) {
    silent.next([&](httplib::Response& response) { silent.stall(response); });
  }
  EndpointOptions options = options_for({silent.url(), alive.url()});
  options.in_flight_per_endpoint = 4;
  options.send_again_after = milliseconds(200);
  const auto start = Clock::now();
  expect_all_yes(run(options, requests(12)), 12);
  EXPECT_LT(Clock::now() - start, milliseconds(5'000));  // The time limit is 10 s.
  EXPECT_LE(alive.calls(), 24u);
}

// The twin's failure is no failure of the call, nor are there two answers.
TEST(EndpointEngine, ARequestThatWasSentTwiceIsAnsweredOnce) {
  ChatServer slow;
  ChatServer alive;
  slow.next([&](httplib::Response& response) {
    for (int i = 0; i < 1000 && alive.calls() < 6; ++i) ChatServer::pause();  // The twin is there.
    ChatServer::status(500)(response);
  });
  alive.takes = milliseconds(60);
  EndpointOptions options = options_for({slow.url(), alive.url()});
  options.in_flight_per_endpoint = 1;
  options.send_again_after = milliseconds(100);
  options.retries = 0;
  expect_all_yes(run(options, requests(6, 0)), 6);
}

TEST(EndpointEngine, TellsOfAServerThatFailsAndComesBackAndCounts) {
  ChatServer failing;
  ChatServer alive;
  for (int i = 0; i < 2; ++i) failing.next(ChatServer::status(500, kRefused));
  alive.takes = failing.takes = milliseconds(5);
  EndpointOptions options = options_for({failing.url(), alive.url()});
  options.in_flight_per_endpoint = 1;
  std::vector<std::string> warnings;
  options.warn = [&](std::string_view warning) { warnings.emplace_back(warning); };
  const auto engine = open_endpoint_engine(options);
  expect_all_yes(run(*engine, requests(30, 0)), 30);
  EXPECT_EQ(warnings, (std::vector<std::string>{
                          failing.url() + ": it is left alone for a while: status 500: no",
                          failing.url() + ": it answers again"}));
  const std::vector<ServerUse> use = engine->servers();
  ASSERT_EQ(use.size(), 2u);
  EXPECT_EQ(use[0].address, failing.url());
  EXPECT_EQ(use[0].failures, 2);
  EXPECT_EQ(use[1].failures, 0);
  EXPECT_EQ(use[0].requests, static_cast<std::int64_t>(failing.calls()));
  EXPECT_EQ(use[0].requests + use[1].requests, 32);
  EXPECT_EQ(use[0].retries + use[1].retries, 2);
}

TEST(EndpointEngine, SaysWhichEndpointsAreDown) {
  const std::string dead = testing::dead_url();
  ChatServer failing;
  for (int i = 0; i < 10; ++i) {
    failing.next_for_models(ChatServer::status(503, R"({"error":{"message":"Loading model"}})"));
  }
  const auto engine = open_endpoint_engine(options_for({dead, failing.url()}));
  const std::string error = message_of<Error>([&] { engine->id(); });
  EXPECT_TRUE(
      error.starts_with("no endpoint works after 4 attempts: " + dead + ": no connection: "))
      << error;
  EXPECT_NE(error.find(failing.url() + ": status 503: Loading model"), std::string::npos) << error;
  EXPECT_TRUE(error.ends_with(
      "; check that the servers run and speak OpenAI's chat API, and run the same command again"))
      << error;
}

TEST(EndpointEngine, WhatEndedBeforeTheServersWentDownWasDelivered) {
  auto server = std::make_unique<ChatServer>();
  EndpointOptions options = options_for({server->url()});
  options.in_flight_per_endpoint = 1;
  const auto engine = open_endpoint_engine(options);
  std::map<size_t, Result> results;
  const auto batch = requests(10, 0);
  const std::string error = message_of<Error>([&] {
    engine->run(batch, {.results =
                            [&](std::span<Completed> completed) {
                              for (Completed& one : completed) {
                                results[one.request] = std::move(one.result);
                              }
                              if (results.size() >= 3) server.reset();
                            },
                        .text = {},
                        .stop = {}});
  });
  EXPECT_TRUE(error.starts_with("no endpoint works after 4 attempts: ")) << error;
  EXPECT_EQ(results.size(), 3u);
}

TEST(EndpointEngine, AFleetOfTwoModelsIsAnError) {
  ChatServer one("vllm");
  ChatServer two("sglang");
  const std::string error = message_of<Error>([&] {
    open_endpoint_engine(options_for({one.url(), two.url()}))->id();
  });
  EXPECT_NE(error.find("another endpoint of this judge"), std::string::npos) << error;
  EXPECT_NE(error.find("give endpoints of one model"), std::string::npos) << error;
  EndpointOptions options = options_for({one.url(), two.url()});
  options.endpoints[1].model = "other";
  EXPECT_EQ(message_of<Error>([&] { open_endpoint_engine(options); }),
            "the endpoints of one judge serve one model, these 'judge' and 'other'");
}

TEST(EndpointEngine, StopsAtTheTokenBudget) {
  ChatServer server;
  EndpointOptions options = options_for({server.url()});
  options.in_flight_per_endpoint = 1;
  options.token_budget = 36;  // Three verdicts of 12 tokens.
  const Outcome outcome = run(options, requests(10, 0));
  EXPECT_EQ(outcome.results.size(), 3u);
  EXPECT_EQ(outcome.error,
            "the token budget of 36 is spent (36 tokens used); 3 of 10 requests are done; raise "
            "the budget and run the same "
            "command again");
  expect_all_yes(run(options, requests(3, 0)), 3);
  options.in_flight_per_endpoint = 16;
  options.token_budget = 100;
  const Outcome wide = run(options, requests(20));
  EXPECT_NE(wide.error.find("the token budget of 100 is spent"), std::string::npos);
  EXPECT_LT(wide.results.size(), 20u);
}

TEST(EndpointEngine, ABudgetNeedsAServerThatCounts) {
  ChatServer server;
  server.with_usage = false;
  EndpointOptions options = options_for({server.url()});
  expect_all_yes(run(options, requests(1, 0)), 1);
  options.token_budget = 100;
  const Outcome outcome = run(options, requests(1, 0));
  EXPECT_EQ(outcome.error,
            "the server does not say how many tokens it used, so a token budget cannot be kept");
  EXPECT_EQ(outcome.results.size(), 1u);
}

TEST(EndpointEngine, StopsSoonWhenToldTo) {
  ChatServer server;
  for (int i = 0; i < 16; ++i) {
    server.next([&server](httplib::Response& response) { server.stall(response); });
  }
  const auto engine = open_endpoint_engine(options_for({server.url()}));
  const auto start = Clock::now();
  const Outcome outcome = run(*engine, requests(20), [&] { return server.calls() >= 16; });
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(outcome.results.empty());
  EXPECT_LT(Clock::now() - start, milliseconds(1000));
  expect_all_yes(run(*engine, requests(20)), 20);
}

TEST(EndpointEngine, RefusesWrongOptions) {
  const auto error_of = [](EndpointOptions options) {
    return message_of<Error>([&] { open_endpoint_engine(options); });
  };
  EXPECT_EQ(error_of({}), "there is no endpoint");
  EXPECT_EQ(error_of(options_for({"nothing://here"})),
            "'nothing://here' is not an http or https URL; write it like http://127.0.0.1:8080");
  EXPECT_EQ(error_of(options_for({"http://127.0.0.1:1?key=secret"})),
            "http://127.0.0.1:1: the address of an endpoint has no query");
  EndpointOptions options = options_for({"http://192.0.2.1"});
  options.api_key = "k";
  EXPECT_EQ(error_of(options),
            "http://192.0.2.1: a key is not sent over plain http to another machine; use https");
  options.key_over_http = true;
  EXPECT_EQ(error_of(options), "");
  options.api_key = "k\r\nX: y";
  EXPECT_EQ(error_of(options), "a key has printable ASCII characters only");
}

}  // namespace
}  // namespace selene::engine
