// The rows of a command's input, checked as a whole before anything is done with them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/jsonl.h"
#include "data/sample.h"

namespace selene::data {

// Standard input, and any other input that is no regular file, is copied to a temporary file first,
// so that it can be read twice as a file can.
class InputRows {
 public:
  // `path` "-": standard input. `fields` replace or add fields of every row (the command line's
  // flags).
  InputRows(const std::string& path, nlohmann::ordered_json fields);
  // One row, made of `fields` alone.
  explicit InputRows(nlohmann::ordered_json fields);
  // Rows that are text already; `name` is what errors call them.
  static InputRows from_text(std::string_view text, std::string name);

  // Reads every row; throws the first Error with its place: also a repeated id and an input without
  // rows. Returns the number of rows.
  size_t check_all() const;
  // SHA-256 of the file and the replacing fields: the same digest, the same samples.
  std::string digest() const;
  const std::string& name() const { return name_; }

  // Streams the samples in order, at most `count` at a time; empty at the end.
  class Reader {
   public:
    explicit Reader(const InputRows& rows);
    std::vector<Sample> next(size_t count);
    // Passes over `count` samples.
    void skip(size_t count);
    // "file:line" of a sample that next() gave last.
    std::string place(size_t index) const;

   private:
    const InputRows& rows_;
    JsonlReader reader_;
    std::vector<std::string> places_;
  };

 private:
  InputRows() = default;
  Sample to_sample(const Row& row) const;

  std::string name_;
  std::filesystem::path path_;
  nlohmann::ordered_json fields_;
  std::shared_ptr<void> spool_;  // The temporary file, where there is one.
};

}  // namespace selene::data
