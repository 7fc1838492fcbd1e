#include "cli/check_flags.h"

#include "core/error.h"

namespace selene::cli {

check::ColumnMap read_map(const std::string& map) {
  try {
    return check::parse_map(map);
  } catch (const Error& failure) {
    throw UsageError(failure.message(), "--map", failure.remedy());
  }
}

check::Answers read_mapped_answers(const std::string& path, const std::string& map,
                                   const check::ChecksFile& checks) {
  check::Answers answers = map.empty() ? check::read_answers(path, checks.map, checks.map_place)
                                       : check::read_answers(path, read_map(map));
  check::check_columns(checks, answers);
  return answers;
}

}  // namespace selene::cli
