// A finished run over the small benchmark, as files: two pairs in one order, one of them wrong.
#pragma once

#include "bench/small_benchmark.h"
#include "temporary_folder.h"

namespace selene::bench {

inline std::filesystem::path write_small_run(const selene::testing::TemporaryFolder& folder,
                                             const std::string& name, const std::string& judge) {
  const auto row = [&](const char* id, const char* truth, const char* critique) {
    return R"({"id": ")" + std::string(id) + R"(", "task": "pairwise", "label": "A", )" +
           R"("probabilities": {"A": 0.75, "B": 0.25}, "critique": ")" + critique +
           R"(", "judge": {"name": ")" + judge +
           R"(", "template": "pairwise", "mode": "critique"}, "extra": {"bench": {"group": ")" +
           id + R"(", "truth": ")" + truth + R"(", "lengths": [4, 9]}}})" + "\n";
  };
  folder.file(name + "/small.yaml", kSmallYaml);
  folder.file(name + "/small.jsonl",
              row("right", "A", "A is right.") + row("wrong", "B", "A is longer."));
  return folder / name;
}

}  // namespace selene::bench
