// An arena with so many judges and samples, every judge's judgment of each.
#pragma once

#include <fmt/format.h>

#include "arena/store.h"
#include "core/digest.h"

namespace selene::testing {

inline void fill_pool(arena::Store& store, int judges, int samples,
                      const std::string& critique = "It says so.") {
  std::vector<data::Sample> rows;
  for (int s = 0; s < samples; ++s) {
    data::Sample sample;
    sample.id = fmt::format("{}", s);
    sample.task = data::Task::Classification;
    sample.input = fmt::format("What is {}+1?", s);
    sample.response = "It depends.";
    sample.labels = {"Yes", "No"};
    sample.extra["category"] = s % 2 == 0 ? "even" : "odd";
    sample.extra["model"] = "a name that nobody may see";
    rows.push_back(sample);
  }
  store.add_samples(rows);
  for (int j = 0; j < judges; ++j) {
    const arena::RowId judge = store.add_judge(fmt::format("judge {}", j), "{}");
    for (const arena::StoredSample& sample : store.samples()) {
      data::Judgment judgment;
      judgment.id = sample.name;
      judgment.task = data::Task::Classification;
      judgment.label = j % 2 == 0 ? "Yes" : "No";
      judgment.critique = critique;
      judgment.key = sha256(fmt::format("{} {}", j, sample.name));
      store.add_judgments(judge, std::vector<arena::Store::Judged>{{sample.id, &judgment}});
    }
  }
}

}  // namespace selene::testing
