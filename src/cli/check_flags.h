// What the commands of `selene check` share.
#pragma once

#include <string>

#include "check/answers.h"
#include "check/checks_file.h"

namespace selene::cli {

// A --map value; throws UsageError. Empty: no mapping.
check::ColumnMap read_map(const std::string& map);

// The answers under the checks file's mapping, or the flag's where it is given; every column that
// the checks read is there.
check::Answers read_mapped_answers(const std::string& path, const std::string& map,
                                   const check::ChecksFile& checks);

}  // namespace selene::cli
