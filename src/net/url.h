// The parts of an http or https URL that decide what may be sent there, and how it is shown.
#pragma once

#include <string>

namespace selene::net {

struct Url {
  std::string scheme;     // http or https.
  std::string host;       // An IPv6 address in brackets.
  std::string port;       // Always there.
  std::string path;       // At least "/".
  bool has_user = false;  // A user name or a password.
  bool has_query = false;

  bool operator==(const Url&) const = default;
  // This machine itself.
  bool loopback() const;
  // Without user name, password, query and fragment: these can be secrets.
  std::string shown() const;
};

// Throws Error when it is no http or https URL.
Url parse_url(const std::string& text);

}  // namespace selene::net
