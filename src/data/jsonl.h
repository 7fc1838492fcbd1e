// Rows of JSON, one object a line (JSON Lines), from a file of any size; every error names file and
// line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

namespace selene::data {

// One parsed row. `line` counts from 1.
struct Row {
  size_t line = 0;
  nlohmann::ordered_json value;
};

// What the JSON library says of a failure, without its own prefix.
std::string json_reason(const nlohmann::ordered_json::exception& failure);

// Parses one JSON object. Refuses, with an Error without a place: malformed JSON, invalid UTF-8, a
// repeated key, nesting deeper than 64, anything that is not an object.
nlohmann::ordered_json parse_object(std::string_view text);

// Streams the rows of a file; blank lines are passed over, a UTF-8 byte-order mark and CRLF are
// accepted. One line may have at most kMaxLineBytes. Not thread-safe.
class JsonlReader {
 public:
  static constexpr size_t kMaxLineBytes = size_t{256} << 20;

  // `name` is what errors call the file (a spooled standard input has no name of its own). Throws
  // Error when the file cannot be opened.
  explicit JsonlReader(std::filesystem::path path, std::string name = {});

  // False at the end of the file.
  bool next(Row& row);
  // "file:line" of the row last read.
  std::string place() const;
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  std::ifstream file_;
  std::string name_;
  std::string text_;
  size_t line_ = 0;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace selene::data
