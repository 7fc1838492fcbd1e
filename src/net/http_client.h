// Many HTTP requests at once with libcurl's multi interface, over connections that are kept. Made
// for talking to servers that may be slow, broken or hostile: every request has a time limit, every
// answer a size limit, certificates are checked, redirects are not followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace selene::net {

class HttpClient {
 public:
  struct Request {
    std::string url;      // https, or http.
    std::string body{};   // Posted as JSON; empty: a GET.
    std::string token{};  // A bearer token, or empty.
    bool token_over_http =
        false;  // Allows a token or a password over plain http to another machine.
    std::chrono::milliseconds timeout{600'000};  // From start to the last byte.
    std::chrono::milliseconds connect_timeout{10'000};
    size_t max_bytes = 4 << 20;  // Of the answer's body.
  };

  enum class Failure {
    None,     // There is a whole answer, whatever its status.
    Connect,  // The host was not found or refused; nothing was sent.
    Timeout,
    Cut,       // The connection was lost after it stood.
    TooLarge,  // The body is longer than max_bytes; the connection was closed.
    Tls,       // The certificate is not trusted.
    Other,     // E.g. what answers does not speak HTTP.
  };

  struct Answer {
    std::uint64_t id = 0;
    Failure failure = Failure::None;
    std::string failure_text;  // For people.
    int status = 0;
    std::optional<std::chrono::seconds> retry_after;
    std::string body;
  };

  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Starts a request; `id` is not in flight already. Throws Error when the URL is none, or when a
  // token or a password would go over plain http to another machine.
  void start(std::uint64_t id, Request request);
  // Waits until an answer is there, at most `timeout`. Each started request is answered once,
  // unless it is cancelled.
  std::vector<Answer> wait(std::chrono::milliseconds timeout);
  void cancel(std::uint64_t id);
  void cancel_all();
  size_t in_flight() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::net
