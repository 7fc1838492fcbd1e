// A benchmark of six pairs in two groups, and rows of a run over it.
#pragma once

#include <string>

#include "bench/scored.h"
#include "bench/spec.h"
#include "temporary_folder.h"

namespace selene::bench {

inline const std::string kSmallYaml = R"(name: small
title: Small
licence: none
source:
  files: [{file: rows.jsonl}]
  select: SELECT * FROM read_json('rows.jsonl', format = 'newline_delimited')
task: pairwise
criteria: Which is better?
better_first: true
metric: accuracy
)";

inline const std::string kSmallRows =
    R"({"id": "a", "input": "1+1?", "response_a": "2, of course", "response_b": "3", "label": "A", "group_name": "sums"}
{"id": "b", "input": "2+2?", "response_a": "4", "response_b": "it is 5", "label": "A", "group_name": "sums"}
{"id": "c", "input": "3+3?", "response_a": "6", "response_b": "7", "label": "A", "group_name": "sums"}
{"id": "d", "input": "capital of France?", "response_a": "Paris", "response_b": "Rome!", "label": "A", "group_name": "places"}
{"id": "e", "input": "capital of Italy?", "response_a": "Rome", "response_b": "Paris", "label": "A", "group_name": "places"}
{"id": "f", "input": "capital of Spain?", "response_a": "Madrid", "response_b": "Lisbon", "label": "A", "group_name": "places"}
)";

inline Spec small_spec(const std::string& more = "") {
  return parse_spec(kSmallYaml + more, "small.yaml");
}

// An item of `group` with a truth and the verdict of each order, by index of A and B; -1: none.
inline ScoredItem scored_item(std::string id, std::uint32_t group, int truth, int ab, int ba,
                              int label) {
  ScoredItem item;
  item.id = std::move(id);
  item.group = group;
  item.truth = truth;
  item.label_ab = ab;
  item.label_ba = ba;
  item.label = label;
  item.state = label < 0 ? State::Unreadable : State::Judged;
  return item;
}

// Each item a cluster of its own.
inline void number_clusters(Scored& scored) {
  for (size_t i = 0; i < scored.items.size(); ++i)
    scored.items[i].cluster = static_cast<std::uint32_t>(i);
  scored.clusters = scored.items.size();
}

}  // namespace selene::bench
