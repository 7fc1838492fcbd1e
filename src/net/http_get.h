// One HTTP GET with libcurl. Redirects are followed hop by hop, so that every hop's headers can be
// looked at and a token goes to the first host only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace selene::net {

struct HttpResponse {
  int status = 0;
  std::vector<std::map<std::string, std::string>>
      hops;  // Headers of each hop, the last is the answer; lower case.

  // Empty when the header is not there.
  std::string header(const std::string& name) const;
  // From the first hop that has it.
  std::string header_of_any_hop(const std::string& name) const;
};

struct HttpRequest {
  std::string url;                     // https; http for a loopback host only.
  std::vector<std::string> headers{};  // "Name: value", on every hop.
  std::string token{};                 // A bearer token, or empty.
  std::chrono::seconds stall{30};      // Without data for this long, the transfer has failed.
};

// Both return false to end the transfer; what they throw is thrown on.
struct HttpHandlers {
  std::function<bool(const HttpResponse&)> begin;  // Status and headers, once.
  std::function<bool(std::string_view)> part;      // Then the body.
};

// Returns what failed in the connection (worth another attempt), or an empty text when the body is
// complete or a handler ended the transfer; an HTTP error status is not a failure here. Throws
// Error when the URL or the certificate is not acceptable or the host is not known, and on Ctrl-C.
std::string http_get(const HttpRequest& request, const HttpHandlers& handlers);

}  // namespace selene::net
