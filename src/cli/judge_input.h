// What `selene judge` judges: rows of a file, and the flags that are fields of a row.
#pragma once

#include <cstddef>
#include <string>

#include <CLI/App.hpp>

#include "core/error.h"
#include "data/input_rows.h"

namespace selene::cli {

struct RowFlags {
  std::string file;  // "-": standard input. Empty: the flags are the only row.
  std::string task, input, context, response, response_a, response_b, reference, criteria, labels;
};

void add_row_flags(CLI::App& command, RowFlags& flags);

// Throws UsageError when there is nothing to judge, or for labels that cannot be.
data::InputRows open_rows(const CLI::App& command, const RowFlags& flags);

// InputRows::check_all(); what is wrong with a row made of flags is wrong usage.
size_t check_rows(const data::InputRows& rows, const RowFlags& flags);
// Throws `failure`, an error of the row at `place`, likewise.
[[noreturn]] void throw_row_error(const Error& failure, const std::string& place,
                                  const RowFlags& flags);

}  // namespace selene::cli
