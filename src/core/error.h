// The only exception type of the project: the user or the world is wrong.
//
// An Error says what is wrong, where ("votes.jsonl:17") and what to do about it. It is caught in
// two places: the program's main (stderr, exit 1) and the HTTP wrapper. Expected outcomes (an
// unreadable verdict, a tie) are data, not errors; a bug is std::logic_error, thrown by ensure().
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace selene {

class Error : public std::runtime_error {
 public:
  // `where` and `remedy` may be empty. what() reads "where: what; remedy".
  explicit Error(std::string_view what, std::string_view where = {}, std::string_view remedy = {});

  // The same error with a place put before it, for a caller that knows the file and line.
  Error at(std::string_view where) const;

  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& remedy() const { return remedy_; }

 private:
  std::string message_;
  std::string where_;
  std::string remedy_;
};

// The command line itself is wrong: main prints the message and exits 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// An invariant of ours: throws std::logic_error when `condition` is false. Never reachable from
// input.
void ensure(bool condition, const char* message);

// The text of errno, e.g. "No space left on device".
std::string errno_text(int error_number);

}  // namespace selene
