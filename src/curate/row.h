// A row on its way from a source to training pairs, and the pair that it becomes.
//
// Between two passes rows stand in files, a JSON object a line (docs/formats.md, "Curation").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/judgment.h"
#include "data/sample.h"
#include "engine/engine.h"

namespace selene::curate {

// What a step changed.
struct Change {
  std::string step;
  std::string what;
};

// A text that argues for a label. Of pairwise rows "{A}" and "{B}" in it name the responses as the
// row has them now, so that it stays true when the sides change places.
struct Critique {
  std::string label;  // Empty: for another than the known one, it is not said which.
  std::string text;
  std::string origin;  // "source", or what wrote it: the name of the teacher.
};

// A chosen and a rejected judgment of one sample: the unit of training.
struct Pair {
  std::string kind;  // critique, verdict
  std::string template_name;
  std::vector<engine::Message> prompt;
  std::string chosen;  // The assistant's whole answers.
  std::string rejected;
  std::string label;
  std::string rejected_label;
  std::string chosen_origin;  // Of the critiques (Critique::origin); empty where there are none.
  std::string rejected_origin;
  std::string word, rejected_word;  // The labels as the template writes them.
  // Of the template: with these the answers can be scored as a judge's own.
  std::string mark;
  std::vector<std::string> words;  // Of all labels of the sample.
  std::string template_digest;
  // Of the reward step: what the scorer gives chosen and rejected.
  std::optional<double> chosen_score;
  std::optional<double> rejected_score;
  std::string split;  // train, validation, test; empty before the split.
};

struct Row {
  std::string id;       // "source/id"; of a pair with "#n" behind it. No two of a recipe are equal.
  std::string source;   // Its name.
  data::Sample sample;  // With the known label, and a group.
  std::vector<Critique> critiques;  // For the known label and for others.
  std::optional<double> agreement;  // Share of the annotators who gave the label.
  std::string topic;
  data::Distribution judged;  // The judge's own, where a step asked it.
  std::vector<Change> history;
  std::optional<Pair> pair;  // After the step that makes pairs.

  const std::string& label() const { return *sample.label; }
};

nlohmann::ordered_json to_json(const Row& row);
// Of a line that to_json() made. Throws Error where it is none.
Row row_from_json(const nlohmann::ordered_json& json);

// [{"role": …, "content": …}, …]
nlohmann::ordered_json messages_json(const std::vector<engine::Message>& messages);

// The same with A and B changed places, also in what `critiques` name.
void swap_sides(Row& row);
// A critique's text for a prompt that shows the responses as the row has them.
std::string shown(const Row& row, std::string_view critique);

// The texts that are judged: input, context, response or responses, reference.
std::vector<std::string_view> judged_texts(const data::Sample& sample);
// One line of at most `columns` columns that tells rows apart: the input, then the responses.
std::string excerpt(const data::Sample& sample, size_t columns);

}  // namespace selene::curate
