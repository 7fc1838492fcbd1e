#include "net/http_client.h"

#include <curl/curl.h>
#include <signal.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "core/run_record.h"
#include "net/url.h"

namespace selene::net {
namespace {

using Clock = std::chrono::steady_clock;
using Failure = HttpClient::Failure;

constexpr size_t kMaxHeaderBytes = 256 << 10;
constexpr long kKeptConnections = 1024;
constexpr curl_off_t kLongestRetryAfter = 366L * 24 * 3600;

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MultiFree {  // CURL and CURLM are both void.
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// Keeps a SIGPIPE from ending the process: TLS writes to a connection that the server has closed
// raise it.
class PipeSignalBlock {
 public:
  PipeSignalBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    was_pending_ = pending();
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalBlock() {
    if (int taken = 0; !was_pending_ && pending()) sigwait(&pipe_, &taken);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;

 private:
  static bool pending() {
    sigset_t signals;
    sigpending(&signals);
    return sigismember(&signals, SIGPIPE) == 1;
  }
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

struct Transfer {
  HttpClient::Request request;
  HttpClient::Answer answer;
  std::unique_ptr<curl_slist, CurlFree> headers;
  std::unique_ptr<CURL, CurlFree> curl;
  size_t header_bytes = 0;
  bool too_large = false;
  char detail[CURL_ERROR_SIZE] = "";
};

size_t on_header(char*, size_t, size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.header_bytes += size;
  transfer.too_large = transfer.header_bytes > kMaxHeaderBytes;
  return transfer.too_large ? 0 : size;
}

size_t on_body(char* data, size_t, size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.too_large = size > transfer.request.max_bytes - transfer.answer.body.size();
  if (transfer.too_large) return CURL_WRITEFUNC_ERROR;
  transfer.answer.body.append(data, size);
  return size;
}

std::unique_ptr<curl_slist, CurlFree> header_list(const HttpClient::Request& request) {
  std::vector<std::string> lines{"Accept: application/json"};
  if (!request.body.empty()) {
    lines.emplace_back("Content-Type: application/json");
    lines.emplace_back("Expect:");  // A long body is sent at once, not after a "100 Continue".
  }
  if (!request.token.empty()) lines.push_back("Authorization: Bearer " + request.token);
  curl_slist* list = nullptr;
  for (const std::string& line : lines) list = curl_slist_append(list, line.c_str());
  return std::unique_ptr<curl_slist, CurlFree>(list);
}

void set_options(Transfer& transfer, const Url& url) {
  CURL* curl = transfer.curl.get();
  const HttpClient::Request& request = transfer.request;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer.detail);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, ("selene/" + version()).c_str());
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.max_bytes));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer.headers.get());
  if (url.loopback()) curl_easy_setopt(curl, CURLOPT_PROXY, "");  // Whatever the environment says.
  if (!request.body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
  }
}

Failure failure_of(CURLcode code, const Transfer& transfer) {
  if (transfer.too_large || code == CURLE_FILESIZE_EXCEEDED) return Failure::TooLarge;
  switch (code) {
    case CURLE_OK:
      return Failure::None;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
      return Failure::Connect;
    case CURLE_OPERATION_TIMEDOUT:
      return Failure::Timeout;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Failure::Cut;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Failure::Tls;
    default:
      return Failure::Other;
  }
}

std::string failure_text(Failure failure, CURLcode code, const Transfer& transfer) {
  const std::string detail =
      transfer.detail[0] != '\0' ? transfer.detail : curl_easy_strerror(code);
  switch (failure) {
    case Failure::None:
      return {};
    case Failure::Connect:
      return fmt::format("no connection: {}", detail);
    case Failure::Timeout:
      return fmt::format("no whole answer in time: {}", detail);
    case Failure::Cut:
      return fmt::format("the connection was lost: {}", detail);
    case Failure::TooLarge:
      return fmt::format("the answer is larger than {} bytes", transfer.request.max_bytes);
    case Failure::Tls:
      return fmt::format("the server's certificate is not trusted: {}", detail);
    case Failure::Other:
      return fmt::format("no HTTP answer: {}", detail);
  }
  return detail;
}

}  // namespace

// Transfers are owned here and known to libcurl by their address.
struct HttpClient::State {
  std::unique_ptr<CURLM, MultiFree> multi{curl_multi_init()};
  std::map<std::uint64_t, std::unique_ptr<Transfer>> transfers;

  std::vector<Answer> take_done() {
    std::vector<Answer> answers;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) {
        answers.push_back(finish(message->easy_handle, message->data.result));
      }
    }
    return answers;
  }

  Answer finish(CURL* curl, CURLcode code) {
    void* user = nullptr;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &user);
    Transfer& transfer = *static_cast<Transfer*>(user);
    Answer answer = std::move(transfer.answer);
    answer.failure = failure_of(code, transfer);
    answer.failure_text = failure_text(answer.failure, code, transfer);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    if (retry_after > 0) {
      answer.retry_after = std::chrono::seconds(std::min(retry_after, kLongestRetryAfter));
    }
    remove(answer.id);
    return answer;
  }

  void remove(std::uint64_t id) {
    const auto found = transfers.find(id);
    if (found == transfers.end()) return;
    curl_multi_remove_handle(multi.get(), found->second->curl.get());
    transfers.erase(found);
  }
};

HttpClient::HttpClient() : state_(std::make_unique<State>()) {
  ensure(state_->multi != nullptr, "libcurl cannot start");
  curl_multi_setopt(state_->multi.get(), CURLMOPT_MAXCONNECTS, kKeptConnections);
}

HttpClient::~HttpClient() {
  const PipeSignalBlock block;
  for (auto& [id, transfer] : state_->transfers) {
    curl_multi_remove_handle(state_->multi.get(), transfer->curl.get());
  }
  state_.reset();
}

void HttpClient::start(std::uint64_t id, Request request) {
  ensure(!state_->transfers.contains(id), "a request of this id is in flight");
  const Url url = parse_url(request.url);
  const bool secret = !request.token.empty() || url.has_user;
  if (secret && url.scheme == "http" && !url.loopback() && !request.token_over_http) {
    throw Error("a key is not sent over plain http to another machine", url.shown(), "use https");
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->answer.id = id;
  transfer->headers = header_list(transfer->request);
  transfer->curl.reset(curl_easy_init());
  ensure(transfer->curl != nullptr, "libcurl cannot start");
  set_options(*transfer, url);
  ensure(curl_multi_add_handle(state_->multi.get(), transfer->curl.get()) == CURLM_OK,
         "libcurl takes no more requests");
  state_->transfers.emplace(id, std::move(transfer));
}

std::vector<HttpClient::Answer> HttpClient::wait(std::chrono::milliseconds timeout) {
  const PipeSignalBlock block;
  const auto end = Clock::now() + timeout;
  for (;;) {
    int running = 0;
    ensure(curl_multi_perform(state_->multi.get(), &running) == CURLM_OK,
           "libcurl's transfers failed");
    std::vector<Answer> answers = state_->take_done();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (!answers.empty() || left <= 0) return answers;
    curl_multi_poll(state_->multi.get(), nullptr, 0,
                    static_cast<int>(std::min<long long>(left, 1000)), nullptr);
  }
}

void HttpClient::cancel(std::uint64_t id) {
  const PipeSignalBlock block;
  state_->remove(id);
}

void HttpClient::cancel_all() {
  const PipeSignalBlock block;
  while (!state_->transfers.empty()) state_->remove(state_->transfers.begin()->first);
}

size_t HttpClient::in_flight() const { return state_->transfers.size(); }

}  // namespace selene::net
