#include "net/url.h"

#include <curl/curl.h>

#include <memory>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::net {
namespace {

struct CurlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  return std::unique_ptr<char, CurlFree>(text).get();
}

[[noreturn]] void refuse(const std::string& text) {
  // What is before an '@' may be a password.
  const size_t at = text.rfind('@');
  const std::string shown = at == std::string::npos ? text : "…" + text.substr(at);
  throw Error(fmt::format("'{}' is not an http or https URL", cut_to_columns(shown, 200)), "",
              "write it like http://127.0.0.1:8080");
}

}  // namespace

bool Url::loopback() const {
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string Url::shown() const {
  const bool usual_port = port == (scheme == "https" ? "443" : "80");
  return scheme + "://" + host + (usual_port ? "" : ":" + port) + (path == "/" ? "" : path);
}

Url parse_url(const std::string& text) {
  const std::unique_ptr<CURLU, CurlFree> parsed(curl_url());
  ensure(parsed != nullptr, "no memory for a URL");
  if (curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) refuse(text);
  Url url;
  url.scheme = part_of(parsed.get(), CURLUPART_SCHEME);
  if (url.scheme != "http" && url.scheme != "https") refuse(text);
  url.host = part_of(parsed.get(), CURLUPART_HOST);
  url.port = part_of(parsed.get(), CURLUPART_PORT);
  url.path = part_of(parsed.get(), CURLUPART_PATH);
  url.has_user =
      !(part_of(parsed.get(), CURLUPART_USER) + part_of(parsed.get(), CURLUPART_PASSWORD)).empty();
  url.has_query = !part_of(parsed.get(), CURLUPART_QUERY).empty();
  return url;
}

}  // namespace selene::net
