// Labels that people gave, apart from the answers: a JSONL file of {id, check, label}, appended to
// as they are given. The last row of an answer and a check counts.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "check/answers.h"
#include "check/checks_file.h"

namespace selene::check {

// (answer's id, check's name) → label.
using PeopleLabels = std::map<std::pair<std::string, std::string>, std::string>;

// Throws Error with file and line: a missing field, an unknown answer or judged check, a label that
// the check does not have.
PeopleLabels read_labels(const std::filesystem::path& path, const ChecksFile& checks,
                         const Answers& answers);

}  // namespace selene::check
