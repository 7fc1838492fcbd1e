// The folder of a small finished curation, invented: two sources that are there and one that is
// not, with steps for critiques, pairs, scores and the mix.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "temporary_folder.h"

namespace selene::testing {

using Json = nlohmann::ordered_json;

inline Json small_sources() {
  return Json::parse(R"([
    {"name": "creak", "title": "CREAK", "licence": "MIT",
     "attribution": "Onoe et al., CREAK, 2021", "paper": "arXiv 2109.01653", "labels_by": "human",
     "note": "", "rows": 1200, "pairs": {"train": 1400, "validation": 80, "test": 80},
     "revision_files": [{"file": "train.json", "address": "https://example.org/train.json",
                         "sha256": "ab12"}]},
    {"name": "saf", "title": "Short answers", "licence": "CC BY-SA 4.0",
     "attribution": "Filighera et al., 2022", "paper": "", "labels_by": "model",
     "note": "Some grades were written by GPT-4.", "revision_files": [], "rows": 100,
     "pairs": {"train": 60, "validation": 10, "test": 0}},
    {"name": "gone", "title": "Gone", "licence": "MIT", "attribution": "Nobody", "paper": "",
     "labels_by": "human", "note": "", "revision_files": [], "rows": 0,
     "pairs": {"train": 0, "validation": 0, "test": 0},
     "not_present": "gone.json is not in the data folder"}])");
}

inline Json small_steps() {
  return Json::parse(R"([
    {"step": "load", "unit": "rows", "sources": {
       "creak": {"in": 1200, "out": 1190, "dropped": {"label outside of the labels": 10},
                 "changed": {}},
       "saf": {"in": 100, "out": 100, "dropped": {}, "changed": {}}},
     "examples": {"kept": [], "dropped": {}}},
    {"step": "clean", "unit": "rows", "sources": {
       "creak": {"in": 1190, "out": 1190, "dropped": {}, "changed": {"control characters": 4}},
       "saf": {"in": 100, "out": 100, "dropped": {}, "changed": {}}},
     "examples": {"kept": [], "dropped": {}}},
    {"step": "contamination", "unit": "rows", "sources": {
       "creak": {"in": 1190, "out": 1000,
                 "dropped": {"near copy of an item": 10, "13 words of a benchmark": 180},
                 "changed": {}},
       "saf": {"in": 100, "out": 95, "dropped": {"13 words of a benchmark": 5}, "changed": {}}},
     "examples": {
       "kept": [{"order": 1, "id": "creak/train_1", "text": "Ice is | cold", "detail": ""}],
       "dropped": {"13 words of a benchmark": [
         {"order": 2, "id": "creak/train_2", "text": "The <b>capital</b> of France",
          "detail": "mt-bench, item 4"}]}}},
    {"step": "critiques", "unit": "rows", "sources": {
       "creak": {"in": 1000, "out": 1000, "dropped": {}, "changed": {}},
       "saf": {"in": 95, "out": 95, "dropped": {}, "changed": {}}},
     "examples": {"kept": [], "dropped": {}},
     "facts": {"teacher": "small.gguf", "asked": 200, "written": 198, "kept": 41,
       "fell": {"no answer": 2, "empty": 8, "says it was told": 30, "another verdict": 119},
       "true": {"asked": 100, "written": 99, "kept": 31,
         "fell": {"no answer": 1, "empty": 4, "says it was told": 10, "another verdict": 54}},
       "wrong": {"asked": 100, "written": 99, "kept": 10,
         "fell": {"no answer": 1, "empty": 4, "says it was told": 20, "another verdict": 65}},
       "examples": [
         {"id": "creak/train_1", "label": "Yes", "text": "Ice melts at 0 C, so it is cold.",
          "fell_to": ""},
         {"id": "saf/1", "label": "3", "text": "As instructed, the grade is 3.",
          "fell_to": "says it was told"}]}},
    {"step": "pairs", "unit": "rows", "sources": {
       "creak": {"in": 1000, "out": 1000, "dropped": {}, "changed": {}, "made": 2000},
       "saf": {"in": 95, "out": 95, "dropped": {}, "changed": {}, "made": 95}},
     "examples": {"kept": [], "dropped": {}}},
    {"step": "reward", "unit": "pairs", "sources": {
       "creak": {"in": 2000, "out": 1800, "dropped": {"margin below 0.1": 200}, "changed": {}},
       "saf": {"in": 95, "out": 95, "dropped": {}, "changed": {}}},
     "examples": {"kept": [], "dropped": {}},
     "facts": {"scorer": "judge", "bins": [0.0, 0.25, 0.5, 0.75, 1.0],
       "before": {"chosen": [95, 200, 800, 1000], "rejected": [900, 900, 195, 100]},
       "after": {"chosen": [5, 190, 700, 1000], "rejected": [890, 890, 100, 15]}}},
    {"step": "mix", "unit": "pairs", "sources": {
       "creak": {"in": 1800, "out": 1560, "dropped": {"over the cap of its source": 240},
                 "changed": {}},
       "saf": {"in": 95, "out": 70, "dropped": {"over the share of its task": 25}, "changed": {}}},
     "examples": {"kept": [], "dropped": {}},
     "facts": {"weight of creak": 0.5, "caps": {"creak": 1560}}}])");
}

inline Json small_funnel() {
  Json funnel = {{"recipe", "small"}, {"title", "A small mix"}, {"seed", 7}};
  funnel["sources"] = small_sources();
  funnel["steps"] = small_steps();
  funnel["benchmarks"] = Json::parse(R"([
    {"name": "mt-bench", "items": 80}, {"name": "feedback-bench", "items": 1000},
    {"name": "judge-bench", "items": null, "missing": "no file of it is here"}])");
  funnel["overlaps"] = {{"checked", 1630}, {"found", 0}};
  funnel["pairs"] = {{"train", 1460}, {"validation", 90}, {"test", 80}};
  funnel["by"] = Json::parse(R"({
    "task": {"absolute": 70, "classification": 1560}, "kind": {"critique": 400, "verdict": 1230},
    "template": {"absolute": 70, "classification": 1560}, "topic": {},
    "label": {"absolute": {"3": 40, "5": 30}, "classification": {"No": 780, "Yes": 780}}})");
  return funnel;
}

// `row` is "SOURCE/ID".
inline Json small_pair(const std::string& row, int number = 1) {
  const std::string source = row.substr(0, row.find('/'));
  Json pair = Json::parse(R"({"id": "", "source": "", "task": "classification",
    "prompt": [{"role": "user", "content": "Is it true?\n\nIce is cold."}],
    "chosen": [{"role": "assistant", "content":
      "**Reasoning:** Ice melts at 0 C, so it is cold to the hand.\n\n**Result:** Yes"}],
    "rejected": [{"role": "assistant", "content":
      "**Reasoning:** Ice is a solid, and solids keep their shape whatever the weather, so that nobody can say.\n\n**Result:** No"}],
    "label": "Yes", "rejected_label": "No", "kind": "critique", "group": "ice",
    "scores": {"chosen": 0.9, "rejected": 0.125},
    "provenance": {"source": "", "id": "",
      "steps": [["clean", "2 control characters taken out"], ["mix", "weight 0.5"]],
      "template": "classification", "seed": 7, "chosen_origin": "source",
      "rejected_origin": "small.gguf", "row": ""}})");
  pair["id"] = row + "#" + std::to_string(number);
  pair["source"] = pair["provenance"]["source"] = source;
  pair["provenance"]["id"] = row.substr(source.size() + 1);
  pair["provenance"]["row"] = row;
  return pair;
}

// `places` are the step, the reason and the detail.
inline Json small_drop(const std::string& id, const std::vector<std::string>& places) {
  Json drop = Json::parse(R"({"id": "", "source": "", "step": "", "reason": "", "detail": "",
    "history": [["clean", "1 control character taken out"]],
    "text": "The capital of France | Paris"})");
  drop["id"] = id;
  drop["source"] = id.substr(0, id.find('/'));
  drop["step"] = places.at(0);
  drop["reason"] = places.at(1);
  drop["detail"] = places.at(2);
  return drop;
}

inline void write_lines(const TemporaryFolder& folder, const std::string& name,
                        const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) text += row.dump() + "\n";
  folder.file(name, text);
}

inline void write_small_curation(const TemporaryFolder& folder) {
  folder.file("funnel.json", small_funnel().dump());
  write_lines(folder, "train.jsonl",
              {small_pair("creak/train_1"), small_pair("creak/train_3"), small_pair("saf/7")});
  write_lines(folder, "validation.jsonl", {small_pair("creak/7"), small_pair("creak/train_3", 2)});
  write_lines(folder, "test.jsonl", {});
  write_lines(folder, "dropped.jsonl",
              {small_drop("creak/train_2",
                          {"contamination", "13 words of a benchmark", "mt-bench, item 4"}),
               small_drop("creak/train_1#2", {"reward", "margin below 0.1", "0.02"})});
  folder.file(
      "rejected.jsonl",
      R"({"source": "creak", "file": "train.json", "line": null, "row": 12, "id": "train_9",)"
      R"( "reason": "label 'Maybe' outside of the labels"})"
      "\n");
  folder.file(
      "contamination.jsonl",
      R"({"id": "creak/train_2", "benchmark": "mt-bench", "item": "4", "words": "the capital"})"
      "\n"
      R"({"id": "creak/train_2", "benchmark": "mt-bench", "item": "5", "words": "of france"})"
      "\n"
      R"({"id": "creak/8", "benchmark": "mt-bench", "item": "a", "similarity": "0.88"})"
      "\n");
}

}  // namespace selene::testing
