// A chat server that fails in the ways a test says before it answers as a judge would.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "net/api_server.h"

namespace selene::testing {

class ChatServer : public ApiServer {
 public:
  using Fault = std::function<void(httplib::Response&)>;

  explicit ChatServer(std::string owned_by = "vllm", std::string model = "judge")
      : model_(std::move(model)) {
    get("/v1/models", [this, owned_by](const httplib::Request&, httplib::Response& response) {
      if (fail(model_faults_, response)) return;
      response.set_content(
          nlohmann::json{{"data", {{{"id", model_}, {"owned_by", owned_by}}}}}.dump(),
          "application/json");
    });
    post("/v1/chat/completions", [this](const httplib::Request& request,
                                        httplib::Response& response) {
      const int now = ++at_once_;
      for (int most = most_at_once; now > most && !most_at_once.compare_exchange_weak(most, now);) {
      }
      if (!fails_at.empty() && request.body.find(fails_at) != std::string::npos) {
        fails_with(response);
      } else if (answered_++ >= breaks_after) {
        breaks_with(response);
      } else if (!fail(faults_, response)) {
        response.set_content(answer(nlohmann::json::parse(request.body)), "application/json");
      }
      --at_once_;
    });
  }

  // The next request is answered by this.
  void next(Fault fault) { push(faults_, std::move(fault)); }
  void next_for_models(Fault fault) { push(model_faults_, std::move(fault)); }
  static Fault status(int status, std::string body = "", std::string retry_after = "") {
    return [=](httplib::Response& response) {
      response.status = status;
      if (!retry_after.empty()) response.set_header("Retry-After", retry_after);
      response.set_content(body, "application/json");
    };
  }
  static Fault body(const std::string& text) { return status(200, text); }

  // Requests for a chat so far.
  size_t calls() const { return requests_of("/v1/chat/completions").size(); }
  std::vector<httplib::Request> requests_of(const std::string& path) const {
    std::vector<httplib::Request> found;
    for (const httplib::Request& request : requests()) {
      if (request.path == path) found.push_back(request);
    }
    return found;
  }

  // Told before requests come.
  bool with_log_probs = true;
  bool with_usage = true;
  std::string answers_as;  // Empty: the model that was asked for.
  std::string whole_answer = "**Reasoning:** Good.\n\n**Result:** Yes";
  std::chrono::milliseconds takes{0};
  // After so many requests for a chat all others are answered by this.
  std::atomic<size_t> breaks_after = SIZE_MAX;
  Fault breaks_with;
  // A request with this in its body is answered so. Empty: none.
  std::string fails_at;
  Fault fails_with = status(500, R"({"error":{"message":"no"}})");
  std::atomic<int> most_at_once = 0;

 private:
  void push(std::deque<Fault>& faults, Fault fault) {
    const std::lock_guard lock(mutex_);
    faults.push_back(std::move(fault));
  }
  bool fail(std::deque<Fault>& faults, httplib::Response& response) {
    Fault fault;
    {
      const std::lock_guard lock(mutex_);
      if (faults.empty()) return false;
      fault = std::move(faults.front());
      faults.pop_front();
    }
    fault(response);
    return true;
  }

  std::string answer(const nlohmann::json& request) const {
    std::this_thread::sleep_for(takes);
    const nlohmann::json& last = request["messages"].back();
    const std::string content = last["content"].get<std::string>();
    nlohmann::json choice{{"finish_reason", "stop"}};
    if (last["role"] != "assistant") {
      choice["message"] = {{"content", whole_answer}};
    } else if (content.ends_with("**Result:**")) {
      choice["message"] = {{"content", " Yes"}};
      if (with_log_probs && request.value("logprobs", false)) {
        choice["logprobs"]["content"] = nlohmann::json::parse(
            R"([{"token":" Yes","logprob":-0.2,"top_logprobs":[{"token":" Yes","logprob":-0.2},{"token":" No","logprob":-2}]}])");
      }
    } else {
      choice["message"] = {
          {"content", " About " + request["messages"][0]["content"].get<std::string>()}};
    }
    nlohmann::json body{
        {"model", answers_as.empty() ? request["model"].get<std::string>() : answers_as},
        {"choices", {choice}}};
    if (with_usage) {
      body["usage"] = {{"prompt_tokens", 10},
                       {"completion_tokens", 2},
                       {"prompt_tokens_details", {{"cached_tokens", 4}}}};
    }
    return body.dump();
  }

  std::string model_;
  std::mutex mutex_;
  std::deque<Fault> faults_;
  std::deque<Fault> model_faults_;
  std::atomic<int> at_once_ = 0;
  std::atomic<size_t> answered_ = 0;
};

}  // namespace selene::testing
