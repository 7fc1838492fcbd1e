#include "net/http_get.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <exception>
#include <memory>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/run_record.h"
#include "core/text.h"

namespace selene::net {
namespace {

constexpr int kMaxHops = 8;
constexpr long kLeastBytesPerSecond = 100;

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(char* text) const { curl_free(text); }
};

struct Origin {
  std::string scheme;
  std::string host;
  std::string port;
  bool operator==(const Origin&) const = default;
  bool loopback() const {
    return host == "localhost" || host == "[::1]" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
  }
};

Origin origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, CurlFree> parsed(curl_url());
  ensure(parsed != nullptr, "no memory for a URL");
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    throw Error(fmt::format("'{}' is not a URL", cut_to_columns(url, 200)));
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
      return std::string();
    return std::string(std::unique_ptr<char, CurlFree>(text).get());
  };
  return {part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
}

// https everywhere; http from this machine to itself only, and never after https.
void check_allowed(const Origin& origin, const Origin& first, const std::string& url) {
  if (origin.scheme == "https") return;
  if (origin.scheme == "http" && origin.loopback() && first.scheme == "http") return;
  throw Error("only https is fetched (http from this machine itself)", cut_to_columns(url, 200));
}

// The state of one hop, for libcurl's callbacks.
struct Hop {
  const HttpHandlers* handlers = nullptr;
  HttpResponse* response = nullptr;
  CURL* curl = nullptr;
  bool begun = false;
  bool ended = false;  // By a handler.
  std::exception_ptr thrown = nullptr;
  std::chrono::seconds stall{30};
  bool stalled = false;  // No data for that long.
  curl_off_t received = 0;
  std::chrono::steady_clock::time_point last_data = std::chrono::steady_clock::now();

  int status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }
  bool redirects() const {
    char* target = nullptr;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
    return target != nullptr && status() / 100 == 3;
  }
  // Passes the headers on, once. False when the transfer is to end.
  bool begin() {
    if (begun) return true;
    begun = true;
    response->status = status();
    ended = !handlers->begin(*response);
    return !ended;
  }
};

size_t on_header(char* data, size_t, size_t size, void* user) {
  auto& headers = static_cast<Hop*>(user)->response->hops.back();
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) headers.clear();  // After a 100 Continue.
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  headers[name] = trim(line.substr(colon + 1));
  return size;
}

// No exception may pass through libcurl: it is kept and thrown on after the transfer.
size_t on_body(char* data, size_t, size_t size, void* user) {
  Hop& hop = *static_cast<Hop*>(user);
  if (hop.redirects()) return size;
  try {
    if (hop.begin() && hop.handlers->part({data, size})) return size;
    hop.ended = true;
  } catch (...) {
    hop.thrown = std::current_exception();
  }
  return CURL_WRITEFUNC_ERROR;
}

// Called at least once a second. libcurl's own limit looks at an average speed, which takes seconds
// more to fall.
int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  Hop& hop = *static_cast<Hop*>(user);
  const auto now = std::chrono::steady_clock::now();
  if (received != hop.received) {
    hop.received = received;
    hop.last_data = now;
  }
  hop.stalled = now - hop.last_data > hop.stall;
  return interrupted() || hop.stalled ? 1 : 0;
}

std::unique_ptr<curl_slist, CurlFree> header_list(const HttpRequest& request, bool with_token) {
  std::vector<std::string> lines = request.headers;
  if (with_token && !request.token.empty())
    lines.push_back("Authorization: Bearer " + request.token);
  curl_slist* list = nullptr;
  for (const std::string& line : lines) list = curl_slist_append(list, line.c_str());
  return std::unique_ptr<curl_slist, CurlFree>(list);
}

std::string transport_failure(CURLcode code, const char* detail, const std::string& url,
                              const Hop& hop) {
  if (hop.stalled && !interrupted()) return fmt::format("no data for {} s", hop.stall.count());
  const std::string text = *detail != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      throw Error("interrupted");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      throw Error(fmt::format("the server's certificate is not trusted: {}", text), url,
                  "install ca-certificates, and check the clock and the proxy");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      throw Error(fmt::format("no connection: {}", text), url, "check the network");
    default:
      return fmt::format("the connection was lost: {}", text);
  }
}

void set_options(CURL* curl, const HttpRequest& request, Hop& hop, char* detail) {
  const auto stall = static_cast<long>(request.stall.count());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, ("selene/" + version()).c_str());
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L * 1024);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, stall);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &hop);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &hop);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &hop);
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = hops.back().find(name);
  return found == hops.back().end() ? "" : found->second;
}

std::string HttpResponse::header_of_any_hop(const std::string& name) const {
  for (const auto& headers : hops) {
    if (const auto found = headers.find(name); found != headers.end()) return found->second;
  }
  return "";
}

std::string http_get(const HttpRequest& request, const HttpHandlers& handlers) {
  const std::unique_ptr<CURL, CurlFree> curl(curl_easy_init());
  ensure(curl != nullptr, "libcurl cannot start");
  char detail[CURL_ERROR_SIZE] = "";
  HttpResponse response;
  Hop hop{.handlers = &handlers, .response = &response, .curl = curl.get(), .stall = request.stall};
  set_options(curl.get(), request, hop, detail);

  const Origin first = origin_of(request.url);
  std::string url = request.url;
  for (int i = 0; i < kMaxHops; ++i) {
    const Origin origin = origin_of(url);
    check_allowed(origin, first, url);
    const auto headers = header_list(request, origin == first);
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    // No proxy to this machine itself, whatever the environment says.
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, origin.loopback() ? "" : nullptr);
    response.hops.emplace_back();
    hop.last_data = std::chrono::steady_clock::now();
    const CURLcode code = curl_easy_perform(curl.get());
    if (hop.thrown) std::rethrow_exception(hop.thrown);
    if (hop.ended) return {};
    if (code != CURLE_OK) return transport_failure(code, detail, request.url, hop);
    if (!hop.redirects()) {
      hop.begin();  // A body without a byte.
      return {};
    }
    char* target = nullptr;
    curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &target);
    url = target;
  }
  throw Error(fmt::format("redirected more than {} times", kMaxHops), request.url);
}

}  // namespace selene::net
