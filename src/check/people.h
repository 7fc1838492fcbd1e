// Labels that people gave, apart from the answers: a JSONL file of {id, check, label, answer},
// appended to as they are given. The last row of an answer and a check counts; `answer` is the
// digest of what was labelled.
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

struct LabelsFile {
  PeopleLabels labels;
  size_t stale = 0;  // Labels left out, since their answer's text is another now.
};

// Of the answer's input and response.
std::string answer_digest(const Answer& answer);

// Throws Error with file and line: a missing field, an unknown answer or judged check, a label that
// the check does not have.
LabelsFile read_labels(const std::filesystem::path& path, const ChecksFile& checks,
                       const Answers& answers);

}  // namespace selene::check
