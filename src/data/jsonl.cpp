#include "data/jsonl.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxDepth = 64;

constexpr const char* kOneObjectALine = "write one object {…} a line";
constexpr const char* kSaveAsUtf8 = "save the file as UTF-8";

// "…at line 1, column 9: syntax error…" without the line (ours is the file's).
std::string syntax_message(const Json::parse_error& failure) {
  std::string text = json_reason(failure);
  for (const char* prefix : {"parse error at line 1, ", "parse error at "}) {
    if (text.starts_with(prefix)) text.erase(0, std::string_view(prefix).size());
  }
  return "malformed JSON at " + text;
}

// What other files begin with that are taken for JSONL.
struct OtherFormat {
  std::string_view begin;
  const char* what;
  const char* remedy;
};
constexpr OtherFormat kOtherFormats[] = {
    {"\xFF\xFE", "this is UTF-16, not UTF-8", kSaveAsUtf8},
    {"\xFE\xFF", "this is UTF-16, not UTF-8", kSaveAsUtf8},
    {"\x1F\x8B", "this is a gzip file, not JSONL", "decompress it first: gunzip"},
    {"\x28\xB5\x2F\xFD", "this is a zstd file, not JSONL", "decompress it first: unzstd"},
    {"PK\x03\x04", "this is a zip file, not JSONL", "decompress it first: unzip"}};

void refuse_other_formats(std::string_view first_line, const std::string& place) {
  for (const OtherFormat& other : kOtherFormats) {
    if (first_line.starts_with(other.begin)) throw Error(other.what, place, other.remedy);
  }
}

// Builds the value, and refuses what the library lets pass: a key twice in one object, deep
// nesting, and integers that it would round to a double. Throws Error, and the library's own
// exceptions.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t& value) override { return add(std::move(value)); }

  bool number_float(double value, const std::string& text) override {
    if (text.find_first_of(".eE") == std::string::npos && !open_.empty()) {
      throw Error(fmt::format("the integer {} of the field '{}' has more than 64 bits",
                              cut_to_columns(text, 40), cut_to_columns(field(), 60)),
                  "", "write it as a string");
    }
    return add(value);
  }

  bool start_object(size_t) override { return begin(Json::object()); }
  bool start_array(size_t) override { return begin(Json::array()); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }

  bool key(std::string& name) override {
    Json::object_t& object = *open_.back()->get_ptr<Json::object_t*>();
    const auto [member, added] = object.emplace(name, nullptr);
    if (!added) {
      throw Error(fmt::format("the key '{}' stands twice in one object", cut_to_columns(name, 60)),
                  "", "keep one of the two");
    }
    return true;
  }

  bool parse_error(size_t, const std::string&, const Json::exception& failure) override {
    if (const auto* syntax = dynamic_cast<const Json::parse_error*>(&failure)) throw *syntax;
    if (const auto* range = dynamic_cast<const Json::out_of_range*>(&failure)) throw *range;
    throw Error(json_reason(failure));
  }

 private:
  // The innermost key whose value is read.
  std::string field() const {
    for (auto level = open_.rbegin(); level != open_.rend(); ++level) {
      if ((*level)->is_object() && !(*level)->empty())
        return (*level)->get_ptr<const Json::object_t*>()->back().first;
    }
    return "";
  }

  // Where the next value belongs: only the innermost list or object grows, and the others stay
  // where they are.
  Json& place() {
    if (open_.empty()) return root_;
    if (open_.back()->is_array()) {
      open_.back()->push_back(nullptr);
      return open_.back()->back();
    }
    return open_.back()->get_ptr<Json::object_t*>()->back().second;
  }

  template <typename Value>
  bool add(Value&& value) {
    place() = std::forward<Value>(value);
    return true;
  }

  bool begin(Json container) {
    if (open_.size() >= kMaxDepth) {
      throw Error(fmt::format("JSON nested deeper than {}", kMaxDepth), "",
                  "write the inner part as a string");
    }
    Json& value = place();
    value = std::move(container);
    open_.push_back(&value);
    return true;
  }

  bool end() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
};

// getline that stops at a limit instead of filling the memory. False at the end of the file.
bool read_line(std::ifstream& file, std::string& line, const std::string& place) {
  using Traits = std::char_traits<char>;
  line.clear();
  std::filebuf& bytes = *file.rdbuf();  // A character at a time, it is far quicker than the stream.
  try {
    for (Traits::int_type c = bytes.sbumpc(); c != Traits::eof(); c = bytes.sbumpc()) {
      if (c == '\n') return true;
      if (line.size() == JsonlReader::kMaxLineBytes) {
        throw Error(fmt::format("a line longer than {} MiB", JsonlReader::kMaxLineBytes >> 20),
                    place, "is this really a JSONL file, one object a line?");
      }
      line.push_back(Traits::to_char_type(c));
    }
  } catch (const std::ios_base::failure&) {
    throw Error("reading failed", place);
  }
  return !line.empty();
}

}  // namespace

std::string json_reason(const Json::exception& failure) {
  const std::string_view text = failure.what();
  return cut_to_columns(trim(text.substr(text.find(']') + 1)), 300);
}

Json parse_object(std::string_view text) {
  // The library takes a zero byte for the end of the text and would pass over what follows.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw Error(fmt::format("malformed JSON: byte {} of the line is zero", zero + 1), "",
                "if this is UTF-16, save the file as UTF-8");
  }
  Json value;
  try {
    Builder builder;
    Json::sax_parse(text.begin(), text.end(), &builder);
    value = builder.take();
  } catch (const Json::parse_error& failure) {
    if (!is_valid_utf8(text)) {
      throw Error(fmt::format("invalid UTF-8 at byte {} of the line", valid_utf8_prefix(text) + 1),
                  "", kSaveAsUtf8);
    }
    throw Error(syntax_message(failure), "", kOneObjectALine);
  } catch (const Json::out_of_range& failure) {  // 1e999
    throw Error(fmt::format("malformed JSON: {}", cut_to_columns(json_reason(failure), 100)));
  }
  if (!value.is_object()) {
    throw Error(fmt::format("a row must be a JSON object, this is {}", value.type_name()), "",
                kOneObjectALine);
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
    if (!read_line(file_, text_, place())) return false;
    bytes_read_ += text_.size() + 1;
    std::string_view text = text_;
    if (line_ == 1) refuse_other_formats(text, place());
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
