#include "check/promptfoo_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "check/answers.h"
#include "core/error.h"
#include "core/text.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostBytes = 1 << 20;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_name(std::string_view text) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
  };
  constexpr std::string_view kConstants[] = {"true", "false", "none", "null"};
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), is_part) &&
         std::find(std::begin(kConstants), std::end(kConstants), text) == std::end(kConstants);
}

}  // namespace

std::optional<PlainTemplate> PlainTemplate::parse(std::string_view text) {
  PlainTemplate result;
  while (!text.empty()) {
    const auto opens = [&](size_t at) {
      return text[at] == '{' && at + 1 < text.size() &&
             (text[at + 1] == '{' || text[at + 1] == '%' || text[at + 1] == '#');
    };
    size_t at = 0;
    while (at < text.size() && !opens(at)) ++at;
    if (at > 0) result.pieces_.push_back({std::string(text.substr(0, at)), false});
    text.remove_prefix(at);
    if (text.empty()) break;
    const size_t end = text.find("}}");
    if (text[1] != '{' || end == std::string_view::npos) return std::nullopt;
    const std::string_view name = trim(text.substr(2, end - 2));
    if (!is_name(name)) return std::nullopt;
    result.pieces_.push_back({std::string(name), true});
    text.remove_prefix(end + 2);
  }
  return result;
}

bool PlainTemplate::has_variables() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& p) { return p.is_variable; });
}

std::string PlainTemplate::only_variable() const {
  return pieces_.size() == 1 && pieces_[0].is_variable ? pieces_[0].text : "";
}

std::string PlainTemplate::missing_in(const Json& vars) const {
  for (const Piece& piece : pieces_) {
    if (piece.is_variable && !vars.contains(piece.text)) return piece.text;
  }
  return "";
}

std::string PlainTemplate::render(const Json& vars) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (!piece.is_variable) {
      text += piece.text;
    } else if (const auto found = vars.find(piece.text); found != vars.end()) {
      text += field_text(*found);
    }
    if (text.size() > kMostBytes)
      throw Error("a text of more than 1 MB, with its variables filled in");
  }
  return text;
}

std::optional<std::vector<std::string>> split_list(std::string_view text) {
  std::vector<std::string> fields;
  size_t i = 0;
  while (true) {
    while (i < text.size() && (is_space(text[i]) || text[i] == ',')) ++i;
    if (i == text.size()) return fields;
    if (text[i] != '"') {
      const size_t comma = std::min(text.find(',', i), text.size());
      fields.emplace_back(trim(text.substr(i, comma - i)));
      i = comma;
      continue;
    }
    std::string field;
    bool closed = false;
    for (++i; i < text.size() && !closed; ++i) {
      const char next = i + 1 < text.size() ? text[i + 1] : '\0';
      if ((text[i] == '\\' && (next == '"' || next == '\\')) || (text[i] == '"' && next == '"')) {
        field += text[++i];
      } else if (text[i] == '"') {
        closed = true;
      } else {
        field += text[i];
      }
    }
    while (i < text.size() && is_space(text[i])) ++i;
    if (!closed || (i < text.size() && text[i] != ',')) return std::nullopt;
    fields.push_back(std::move(field));
  }
}

std::string yaml_flow(const Json& value) {
  std::string text = value.dump();
  // YAML allows no DEL, which JSON takes as it is.
  for (size_t at = text.find('\x7f'); at != std::string::npos; at = text.find('\x7f', at))
    text.replace(at, 1, "\\u007f");
  return text;
}

void NotCarried::add(const YAML::Node& node, std::string_view what) {
  parts_.push_back({node.Mark().line, fmt::format("{}: {}", data::yaml_place(node, file_),
                                                  cut_to_columns(what, 200))});
}

std::vector<std::string> NotCarried::by_line() const {
  std::vector<Part> sorted = parts_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Part& a, const Part& b) { return a.line < b.line; });
  std::vector<std::string> texts;
  for (Part& part : sorted) {
    // What the default test has is met again in each test.
    if (std::find(texts.begin(), texts.end(), part.text) == texts.end())
      texts.push_back(std::move(part.text));
  }
  return texts;
}

}  // namespace selene::check
