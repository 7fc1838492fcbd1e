// The endpoint engine against a real llama-server with the default model: LLAMA_SERVER names the
// program.
#include "engine/endpoint_engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "core/error.h"
#include "default_model.h"
#include "engine/llama_engine.h"
#include "net/api_server.h"
#include "temporary_folder.h"

extern char** environ;

namespace selene::engine {
namespace {

using testing::message_of;

// A llama-server, ended with this.
class LlamaServer {
 public:
  LlamaServer(const std::string& program, const std::string& model) : url_(testing::dead_url()) {
    const std::string port = url_.substr(url_.rfind(':') + 1);
    std::vector<std::string> words{program, "-m",  model, "--port", port, "-c",
                                   "4096",  "-np", "2",   "-t",     "1",  "--no-webui"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&quiet, 1, 2);
    if (posix_spawn(&process_, program.c_str(), &quiet, nullptr, arguments.data(), environ) != 0) {
      process_ = 0;
    }
    posix_spawn_file_actions_destroy(&quiet);
  }
  ~LlamaServer() {
    if (process_ == 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  LlamaServer(const LlamaServer&) = delete;
  LlamaServer& operator=(const LlamaServer&) = delete;

  const std::string& url() const { return url_; }

 private:
  std::string url_;
  pid_t process_ = 0;
};

class EndpointEngineOfLlamaServer : public selene::testing::DefaultModelTest {
 protected:
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    DefaultModelTest::SetUp();
    if (IsSkipped()) return;
    const char* program = std::getenv("LLAMA_SERVER");
    if (program == nullptr) GTEST_SKIP() << "SKIPPED: LLAMA_SERVER does not name a llama-server";
    if (!server_) server_ = std::make_unique<LlamaServer>(program, path_.string());
    // It answers 503 while the model is loaded.
    EndpointOptions options;
    options.endpoints = {{server_->url(), "judge"}};
    options.retries = 10;
    options.backoff = std::chrono::milliseconds(100);
    remote_ = open_endpoint_engine(options);
    LlamaOptions in_process;
    in_process.model = path_;
    in_process.threads = 1;
    local_ = open_llama_engine(in_process);
  }

  static std::map<size_t, Result> run(Engine& engine, const std::vector<Request>& batch) {
    std::map<size_t, Result> results;
    engine.run(batch, {.results =
                           [&](std::span<Completed> completed) {
                             for (Completed& one : completed) {
                               results[one.request] = std::move(one.result);
                             }
                           },
                       .text = {},
                       .stop = {}});
    return results;
  }

  // Half the sum of the differences, at most, over all requests; prints each pair of distributions.
  // Of the last request the server lists beginnings of a character, which leave too much open.
  static double most_apart(const std::vector<Request>& batch, const std::map<size_t, Result>& a,
                           const std::map<size_t, Result>& b) {
    double most = 0;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (a.at(i).label_log_probs.empty() && i + 1 == batch.size()) continue;
      if (a.at(i).label_log_probs.empty() || b.at(i).label_log_probs.empty()) return 1;
      const auto p = softmax(a.at(i).label_log_probs);
      const auto q = softmax(b.at(i).label_log_probs);
      double apart = 0;
      for (size_t label = 0; label < p.size(); ++label) apart += std::abs(p[label] - q[label]) / 2;
      most = std::max(most, apart);
      fmt::print("{} of {}: server {:.4f}, in-process {:.4f}\n", i, fmt::join(batch[i].labels, "|"),
                 fmt::join(p, " "), fmt::join(q, " "));
    }
    return most;
  }

  static inline std::unique_ptr<LlamaServer> server_;
  std::unique_ptr<Engine> remote_;
  std::unique_ptr<Engine> local_;
};

std::vector<std::string> one_to(int highest) {
  std::vector<std::string> labels;
  for (int i = 1; i <= highest; ++i) labels.push_back(std::to_string(i));
  return labels;
}

// Label sets with one token each, with several, with one that begins another, and with one that is
// not among the first hundred.
std::vector<Request> verdict_requests() {
  const std::pair<std::string, std::vector<std::string>> questions[] = {
      {"Is the capital of France Paris? Say Yes or No.", {"Yes", "No"}},
      {"Is 2 + 2 equal to 5? Say Yes or No.", {"Yes", "No"}},
      {"Which is the better greeting, A: \"Hello!\" or B: \"Go away!\"? Say A or B.", {"A", "B"}},
      {"Rate the sentence \"The cat sat on the mat.\" from 1 to 5.", one_to(5)},
      {"Rate the sentence \"me cat hat mat\" from 1 to 10. A very good one gets a 10.", one_to(10)},
      {"Is the earth flat? Say Yes, No or Not sure.", {"Yes", "No", "Not sure"}},
      {"Is the sky blue? Say Yes.", {"Yes", "Zebra"}},
      {"Ist der Himmel grün? Antworte mit Ja oder „Nein“.", {"Ja", "„Nein“"}},
  };
  std::vector<Request> requests;
  for (const auto& [question, labels] : questions) {
    Request request;
    request.messages = {{"user", question + " End with **Result:** and your verdict."}};
    request.mark = "**Result:**";
    request.labels = labels;
    requests.push_back(request);
  }
  return requests;
}

std::vector<Request> critique_requests() {
  std::vector<Request> requests = verdict_requests();
  for (Request& request : requests) {
    request.answer_start = "**Reasoning:**";
    request.max_tokens = 24;
    request.stop = request.mark;
  }
  return requests;
}

TEST_F(EndpointEngineOfLlamaServer, SaysWhatItIs) {
  EXPECT_EQ(remote_->id().name, "judge");
  EXPECT_NE(remote_->id().model.find("n_params 134515008"), std::string::npos)
      << remote_->id().model;
  EXPECT_EQ(remote_->id().version, "openai-chat 2, llama-server");
}

TEST_F(EndpointEngineOfLlamaServer, VerdictsAreCloseToThoseInProcess) {
  const auto batch = verdict_requests();
  const auto results = run(*remote_, batch);
  ASSERT_EQ(results.size(), batch.size());
  for (const auto& [index, result] : results) {
    EXPECT_EQ(result.unreadable, "") << index;
    EXPECT_EQ(result.text, "") << index;
  }
  EXPECT_LT(most_apart(batch, results, run(*local_, batch)), 0.1);
}

TEST_F(EndpointEngineOfLlamaServer, CritiquesAreWrittenAndTheirVerdictsRead) {
  auto batch = critique_requests();
  const auto results = run(*remote_, batch);
  ASSERT_EQ(results.size(), batch.size());
  for (const auto& [index, result] : results) {
    EXPECT_EQ(result.unreadable, "") << index;
    EXPECT_NE(result.text, "") << index;
    EXPECT_EQ(result.text.find("**Reasoning:**"), std::string::npos) << result.text;
    EXPECT_EQ(result.text.find("**Result:**"), std::string::npos) << result.text;
    EXPECT_GT(result.generated_tokens, 0);
    EXPECT_LE(result.generated_tokens, 24);
    EXPECT_TRUE(result.truncated || result.generated_tokens < 24);
    fmt::print("{}: {}\n", index, result.text);
    // Scored again in-process, after the same critique.
    batch[index].answer_start = answer_body(batch[index], result.text);
    batch[index].max_tokens = 0;
  }
  EXPECT_LT(most_apart(batch, results, run(*local_, batch)), 0.1);
  EXPECT_LT(most_apart(batch, run(*remote_, batch), run(*local_, batch)), 0.1);
}

TEST_F(EndpointEngineOfLlamaServer, CountsCachedTokens) {
  const auto batch = critique_requests();
  const auto results = run(*remote_, batch);
  const Counters counters = remote_->counters();
  std::int64_t prompt_tokens = 0;
  for (const auto& [index, result] : results) prompt_tokens += result.prompt_tokens;
  EXPECT_EQ(counters.prompt_tokens, prompt_tokens);
  EXPECT_LT(counters.prompt_tokens_computed, counters.prompt_tokens);
  // The label is asked for where the critique is still in the cache: little more than the mark is
  // new.
  EXPECT_LT(counters.scoring_tokens_computed, static_cast<std::int64_t>(batch.size()) * 40);
}

TEST_F(EndpointEngineOfLlamaServer, GeneratesText) {
  Request request;
  request.messages = {{"user", "Say hello."}};
  request.max_tokens = 16;
  const auto results = run(*remote_, {request});
  EXPECT_NE(results.at(0).text, "");
  EXPECT_TRUE(results.at(0).label_log_probs.empty());
}

TEST_F(EndpointEngineOfLlamaServer, ATooLongRequestIsUnreadable) {
  auto batch = verdict_requests();
  for (int i = 0; i < 3000; ++i) batch[0].messages[0].content += " word";
  const auto results = run(*remote_, batch);
  EXPECT_NE(results.at(0).unreadable.find("context size"), std::string::npos)
      << results.at(0).unreadable;
  EXPECT_EQ(results.at(1).unreadable, "");
}

TEST_F(EndpointEngineOfLlamaServer, LabelsAreReadFromTextAlone) {
  EndpointOptions options;
  options.endpoints = {{server_->url(), "judge"}};
  options.ask_log_probs = false;
  const auto engine = open_endpoint_engine(options);
  const auto batch = verdict_requests();
  for (const auto& [index, result] : run(*engine, batch)) {
    EXPECT_TRUE(result.label_read) << index << ": " << result.unreadable;
    EXPECT_TRUE(result.label_log_probs.empty());
  }
}

}  // namespace
}  // namespace selene::engine
