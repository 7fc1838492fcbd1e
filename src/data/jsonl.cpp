#include "data/jsonl.h"

#include <cerrno>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;

// "…at line 1, column 9: syntax error…" without the library's own prefix and line (ours is the
// file's).
std::string syntax_message(const Json::parse_error& failure) {
  std::string text = failure.what();
  for (const char* prefix :
       {"[json.exception.parse_error.101] ", "parse error at line 1, ", "parse error at "}) {
    if (text.starts_with(prefix)) text.erase(0, std::string_view(prefix).size());
  }
  return "malformed JSON at " + cut_to_columns(text, 300);
}

// getline that stops at a limit instead of filling the memory. False at the end of the file.
bool read_line(std::ifstream& file, std::string& line, const std::string& place) {
  line.clear();
  for (int c = file.get(); c != std::char_traits<char>::eof(); c = file.get()) {
    if (c == '\n') return true;
    if (line.size() == JsonlReader::kMaxLineBytes) {
      throw Error(fmt::format("a line longer than {} MiB", JsonlReader::kMaxLineBytes >> 20), place,
                  "is this really a JSONL file, one object a line?");
    }
    line.push_back(static_cast<char>(c));
  }
  return !line.empty();
}

}  // namespace

Json parse_object(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&keys](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= kMaxDepth) throw Error(fmt::format("JSON nested deeper than {}", kMaxDepth));
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end ||
               event == Json::parse_event_t::array_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) {
        throw Error(
            fmt::format("the key '{}' stands twice in one object", cut_to_columns(key, 60)));
      }
    }
    return true;
  };
  // The library takes a zero byte for the end of the text and would pass over what follows.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw Error(fmt::format("malformed JSON: byte {} of the line is zero", zero + 1));
  }
  Json value;
  try {
    value = Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::parse_error& failure) {
    if (!is_valid_utf8(text)) {
      throw Error(fmt::format("invalid UTF-8 at byte {} of the line", valid_utf8_prefix(text) + 1),
                  "", "save the file as UTF-8");
    }
    throw Error(syntax_message(failure));
  } catch (const Json::out_of_range& failure) {  // 1e999
    const std::string_view text_of = failure.what();
    throw Error(fmt::format("malformed JSON: {}",
                            cut_to_columns(text_of.substr(text_of.find(']') + 1), 100)));
  }
  if (!value.is_object()) {
    throw Error(fmt::format("a row must be a JSON object, this is {}", value.type_name()), "",
                "write one object {…} a line");
  }
  return value;
}

JsonlReader::JsonlReader(std::filesystem::path path, std::string name)
    : file_(path, std::ios::binary), name_(name.empty() ? path.string() : std::move(name)) {
  if (!file_) throw Error(fmt::format("cannot read: {}", errno_text(errno)), name_);
  if (std::filesystem::is_directory(path)) throw Error("cannot read: this is a folder", name_);
}

bool JsonlReader::next(Row& row) {
  for (;;) {
    ++line_;
    if (!read_line(file_, text_, place())) {
      if (file_.bad()) throw Error("reading failed", place());
      return false;
    }
    bytes_read_ += text_.size() + 1;
    std::string_view text = text_;
    if (line_ == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (trim(text).empty()) continue;
    try {
      row.value = parse_object(text);
    } catch (const Error& failure) {
      throw failure.at(place());
    }
    row.line = line_;
    return true;
  }
}

std::string JsonlReader::place() const { return fmt::format("{}:{}", name_, line_); }

}  // namespace selene::data
