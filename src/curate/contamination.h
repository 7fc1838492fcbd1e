// The texts of the benchmarks, to look for their runs of words in other texts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "curate/step.h"
#include "text/ngram_index.h"

namespace selene::curate {

class BenchmarkTexts {
 public:
  // What else is to be done with each text of an item, while they are read.
  using Look = std::function<void(std::uint32_t item, std::string_view text)>;

  // Reads the benchmarks once. `words`: the length of a run.
  BenchmarkTexts(std::span<const Benchmark> benchmarks, size_t words, int threads,
                 const Look& look = {});

  size_t words() const { return words_; }

  struct About {
    std::string name;
    std::uint64_t items = 0;
    std::string missing;
  };
  const std::vector<About>& about() const { return about_; }
  std::uint64_t runs() const { return runs_.ngrams(); }
  // "rewardbench 17", of the numbers from 0 in the order of benchmarks and items.
  std::string item(std::uint32_t number) const;

  // The first run of a text that an item has too, as "rewardbench 17: the words of the run". From
  // any number of threads.
  std::optional<std::string> shared_run(std::span<const std::string_view> texts) const;

 private:
  struct Item {
    std::uint32_t benchmark;
    std::string id;
  };
  size_t words_;
  std::vector<About> about_;
  std::vector<Item> items_;
  text::NgramIndex runs_;
};

}  // namespace selene::curate
