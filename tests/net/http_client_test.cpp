#include "net/http_client.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "net/api_server.h"
#include "net/file_server.h"
#include "temporary_folder.h"

namespace selene::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::message_of;
using Failure = HttpClient::Failure;
using httplib::Request;
using httplib::Response;

class HttpClientTest : public ::testing::Test {
 protected:
  // Answers of all that is in flight.
  std::vector<HttpClient::Answer> finish() {
    std::vector<HttpClient::Answer> answers;
    while (client_.in_flight() > 0) {
      for (HttpClient::Answer& answer : client_.wait(seconds(10))) {
        answers.push_back(std::move(answer));
      }
    }
    return answers;
  }
  HttpClient::Answer answer_to(HttpClient::Request request) {
    client_.start(7, std::move(request));
    return finish().at(0);
  }

  testing::ApiServer server_;
  HttpClient client_;
};

TEST_F(HttpClientTest, Gets) {
  server_.get("/models", [](const Request&, Response& response) {
    response.set_content("[1]", "application/json");
  });
  const auto answer = answer_to({.url = server_.url("/models")});
  EXPECT_EQ(answer.id, 7u);
  EXPECT_EQ(answer.failure, Failure::None);
  EXPECT_EQ(answer.failure_text, "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "[1]");
  EXPECT_FALSE(answer.retry_after);
}

TEST_F(HttpClientTest, PostsJsonWithAToken) {
  server_.post("/chat",
               [](const Request& request, Response& response) { response.body = request.body; });
  const std::string body(3 << 20, 'x');
  const auto answer = answer_to({.url = server_.url("/chat"), .body = body, .token = "k-1"});
  EXPECT_EQ(answer.body, body);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(requests[0].get_header_value("Authorization"), "Bearer k-1");
  EXPECT_FALSE(requests[0].has_header("Expect"));
}

TEST_F(HttpClientTest, RunsManyAtOnceOverKeptConnections) {
  server_.get("/echo", [](const Request& request, Response& response) {
    testing::ApiServer::pause();
    response.body = request.get_param_value("n");
  });
  std::set<int> ports;
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      client_.start(i, {.url = server_.url("/echo?n=" + std::to_string(i))});
    }
    std::set<std::uint64_t> ids;
    for (const auto& answer : finish()) {
      EXPECT_EQ(answer.body, std::to_string(answer.id));
      ids.insert(answer.id);
    }
    EXPECT_EQ(ids.size(), 20u);
  }
  for (const Request& request : server_.requests()) ports.insert(request.remote_port);
  EXPECT_LE(ports.size(), 20u);
}

TEST_F(HttpClientTest, AnErrorStatusIsAnAnswer) {
  server_.get("/busy", [](const Request&, Response& response) {
    response.status = 429;
    response.set_header("Retry-After", "12");
    response.body = "slow down";
  });
  const auto answer = answer_to({.url = server_.url("/busy")});
  EXPECT_EQ(answer.failure, Failure::None);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.retry_after, seconds(12));
  EXPECT_EQ(answer.body, "slow down");
}

TEST_F(HttpClientTest, ALongRetryAfterIsCut) {
  server_.get("/busy", [](const Request&, Response& response) {
    response.set_header("Retry-After", "9223372036854775807");
  });
  const auto answer = answer_to({.url = server_.url("/busy")});
  EXPECT_EQ(answer.retry_after, std::chrono::hours(366 * 24));
}

TEST_F(HttpClientTest, DoesNotFollowARedirect) {
  server_.get("/old", [](const Request&, Response& response) { response.set_redirect("/new"); });
  EXPECT_EQ(answer_to({.url = server_.url("/old")}).status, 302);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(HttpClientTest, SaysThatNobodyListens) {
  const auto answer = answer_to({.url = testing::dead_url()});
  EXPECT_EQ(answer.failure, Failure::Connect);
  EXPECT_EQ(answer.status, 0);
  EXPECT_TRUE(answer.failure_text.starts_with("no connection: ")) << answer.failure_text;
}

TEST_F(HttpClientTest, EndsASlowAnswer) {
  server_.get("/slow", [&](const Request&, Response& response) { server_.stall(response); });
  const auto answer = answer_to({.url = server_.url("/slow"), .timeout = milliseconds(50)});
  EXPECT_EQ(answer.failure, Failure::Timeout);
}

TEST_F(HttpClientTest, NoticesACutBody) {
  server_.get("/cut", [&](const Request&, Response& response) { server_.cut(response); });
  const auto answer = answer_to({.url = server_.url("/cut")});
  EXPECT_EQ(answer.failure, Failure::Cut);
  EXPECT_EQ(answer.status, 200);
}

TEST_F(HttpClientTest, EndsAnAnswerThatIsTooLarge) {
  server_.get("/large",
              [](const Request&, Response& response) { response.body = std::string(1001, 'x'); });
  server_.get("/fits",
              [](const Request&, Response& response) { response.body = std::string(1000, 'x'); });
  server_.get("/endless", [&](const Request&, Response& response) { server_.endless(response); });
  EXPECT_EQ(answer_to({.url = server_.url("/fits"), .max_bytes = 1000}).body.size(), 1000u);
  for (const char* path : {"/large", "/endless"}) {
    const auto answer = answer_to({.url = server_.url(path), .max_bytes = 1000});
    EXPECT_EQ(answer.failure, Failure::TooLarge) << path;
    EXPECT_EQ(answer.failure_text, "the answer is larger than 1000 bytes");
    EXPECT_LE(answer.body.size(), 1000u);
  }
}

TEST_F(HttpClientTest, EndsEndlessHeaders) {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10'000; ++i) {
    bytes += "X-Header-" + std::to_string(i) + ": " + std::string(40, 'x') + "\r\n";
  }
  const testing::RawServer endless(bytes);
  EXPECT_EQ(answer_to({.url = endless.url()}).failure, Failure::TooLarge);
}

TEST_F(HttpClientTest, NoticesAnotherProtocol) {
  const testing::RawServer ssh("SSH-2.0-OpenSSH_9.2\r\n");
  const auto answer = answer_to({.url = ssh.url()});
  EXPECT_EQ(answer.failure, Failure::Other);
  EXPECT_TRUE(answer.failure_text.starts_with("no HTTP answer: ")) << answer.failure_text;
}

TEST_F(HttpClientTest, NoticesAConnectionClosedWithoutAnAnswer) {
  const testing::RawServer closing("");
  EXPECT_EQ(answer_to({.url = closing.url()}).failure, Failure::Cut);
}

TEST_F(HttpClientTest, ChecksCertificates) {
  const auto untrusted = testing::FileServer::untrusted();
  const auto answer = answer_to({.url = untrusted.url("/file")});
  EXPECT_EQ(answer.failure, Failure::Tls);
  EXPECT_TRUE(answer.failure_text.starts_with("the server's certificate is not trusted: "))
      << answer.failure_text;
}

TEST_F(HttpClientTest, CancelsOneAndGoesOnWithTheOthers) {
  server_.get("/slow", [&](const Request&, Response& response) { server_.stall(response); });
  server_.get("/quick", [](const Request&, Response& response) { response.body = "x"; });
  client_.start(1, {.url = server_.url("/slow")});
  client_.start(2, {.url = server_.url("/quick")});
  client_.start(3, {.url = server_.url("/slow")});
  client_.cancel(1);
  client_.cancel(99);
  const auto answers = client_.wait(seconds(10));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].id, 2u);
  EXPECT_EQ(client_.in_flight(), 1u);
  client_.cancel_all();
  EXPECT_EQ(client_.in_flight(), 0u);
  EXPECT_TRUE(client_.wait(milliseconds(1)).empty());
}

TEST_F(HttpClientTest, SendsNoKeyOverPlainHttpToAnotherMachine) {
  EXPECT_EQ(
      message_of<Error>([&] { client_.start(1, {.url = "http://192.0.2.1/v1", .token = "k"}); }),
      "http://192.0.2.1/v1: a key is not sent over plain http to another machine; use https");
  EXPECT_NE(message_of<Error>([&] { client_.start(1, {.url = "http://me:secret@192.0.2.1/v1"}); }),
            "");
  EXPECT_EQ(client_.in_flight(), 0u);
  client_.start(1, {.url = "http://192.0.2.1/v1", .token = "k", .token_over_http = true});
  client_.start(2, {.url = "http://192.0.2.1/v1"});
  EXPECT_EQ(client_.in_flight(), 2u);
}

}  // namespace
}  // namespace selene::net
