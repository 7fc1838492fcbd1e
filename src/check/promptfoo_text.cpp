#include "check/promptfoo_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "check/answers.h"
#include "core/error.h"
#include "core/text.h"
#include "judge/yaml_values.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostBytes = 1 << 20;
constexpr int kDeepest = 64;
constexpr size_t kMostValues = 100'000;

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

Json plain_scalar(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const Json value = Json::parse(text, nullptr, false);
  if (!value.is_number()) return text;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) return text;
    if (number == std::floor(number) && std::abs(number) < 1e15)
      return static_cast<std::int64_t>(number);
  }
  return value;
}

Json to_json(const YAML::Node& node, std::string_view file, int depth, size_t& values) {
  if (depth > kDeepest) throw Error("nested too deep", place_in(file, node));
  if (++values > kMostValues)
    throw Error(fmt::format("a value of more than {} parts", kMostValues), place_in(file, node));
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const YAML::Node& item : node) list.push_back(to_json(item, file, depth + 1, values));
    return list;
  }
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node)
      object[judge::yaml_key(entry.first)] = to_json(entry.second, file, depth + 1, values);
    return object;
  }
  if (!node.IsScalar()) return nullptr;
  return node.Tag() == "!" ? Json(node.Scalar()) : plain_scalar(node.Scalar());
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

Json yaml_to_json(const YAML::Node& node, std::string_view file) {
  size_t values = 0;
  return to_json(node, file, 0, values);
}

std::string yaml_flow(const Json& value) {
  std::string text = value.dump();
  // YAML allows no DEL, which JSON takes as it is.
  for (size_t at = text.find('\x7f'); at != std::string::npos; at = text.find('\x7f', at))
    text.replace(at, 1, "\\u007f");
  return text;
}

void NotCarried::add(const YAML::Node& node, std::string_view what) {
  parts_.push_back(
      {node.Mark().line, fmt::format("{}: {}", place_in(file_, node), cut_to_columns(what, 200))});
}

std::vector<std::string> NotCarried::by_line() const {
  std::vector<Part> sorted = parts_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Part& a, const Part& b) { return a.line < b.line; });
  std::vector<std::string> texts;
  for (Part& part : sorted) texts.push_back(std::move(part.text));
  return texts;
}

std::string place_in(std::string_view file, const YAML::Node& node) {
  return judge::yaml_place(node, file);
}

}  // namespace selene::check
