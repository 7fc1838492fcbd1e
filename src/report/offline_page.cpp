#include "report/offline_page.h"

#include <cstdint>

#include "core/digest.h"
#include "core/error.h"

namespace selene::report {
namespace {

using Json = nlohmann::ordered_json;

// RFC 4648, of the digest as bytes.
std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : hex) {
    bits = (bits << 4) | static_cast<std::uint32_t>(kHex.find(c));
    held += 4;
    if (held < 6) continue;
    held -= 6;
    out += kDigits[(bits >> held) & 63];
  }
  if (held > 0) out += kDigits[(bits << (6 - held)) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

}  // namespace

std::string script_json(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (text[i] == '<') {
      out += "\\u003c";
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string policy_digest(std::string_view text) { return base64_of_hex(sha256(text)); }

std::string_view between(std::string_view text, std::string_view start, std::string_view end) {
  const size_t from = text.find(start);
  ensure(from != std::string_view::npos, "the page has a part of this name");
  const size_t to = text.find(end, from + start.size());
  ensure(to != std::string_view::npos, "a part of the page has an end");
  return text.substr(from + start.size(), to - from - start.size());
}

std::string fill_holes(std::string_view page, std::span<const Hole> holes) {
  size_t size = page.size();
  for (const Hole& hole : holes) size += hole.text.size();
  std::string out;
  out.reserve(size);
  for (const Hole& hole : holes) {
    const size_t at = page.find(hole.name);
    ensure(at != std::string_view::npos, "the page has a hole of this name");
    out.append(page.substr(0, at)).append(hole.text);
    page.remove_prefix(at + hole.name.size());
  }
  return out.append(page);
}

}  // namespace selene::report
