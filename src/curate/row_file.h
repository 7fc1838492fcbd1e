// Files of rows between passes, a row a line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "curate/row.h"

namespace selene::curate {

std::string row_line(const Row& row);
// Of a line without its end. Throws Error where it is none.
Row row_of_line(const std::string& line);

// Reads the rows of a file that a pass wrote.
class RowReader {
 public:
  explicit RowReader(std::vector<std::filesystem::path> files);
  ~RowReader();
  // A line each, without its end; fewer at the end, and then none.
  std::vector<std::string> lines(std::size_t count);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::curate
