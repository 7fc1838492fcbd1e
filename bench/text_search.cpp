// The work of bench/peers/near_duplicates and bench/peers/contamination: texts from a file, one
// JSON string a line; what was found to OUT, a line a text (-1: nothing); how long it took as JSON
// to standard output. Reading the file is not part of the time, nor is it of the peers'.
//
//   text_search near-duplicates TEXTS THRESHOLD WORDS THREADS OUT
//   text_search contamination DOCUMENTS TEXTS WORDS THREADS OUT
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/os.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "text/near_duplicates.h"
#include "text/ngram_index.h"
#include "text/shingles.h"

namespace {

using namespace selene;
using Clock = std::chrono::steady_clock;

std::vector<std::string> read_texts(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error("cannot be read", path);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);)
    texts.push_back(nlohmann::json::parse(line).get<std::string>());
  return texts;
}

// work(worker, begin, end) over batches of the numbers below `count`.
void in_parallel(size_t count, size_t threads,
                 const std::function<void(size_t, size_t, size_t)>& work) {
  constexpr size_t kBatch = 1024;
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> workers;
  for (size_t worker = 0; worker < threads; ++worker) {
    workers.emplace_back([&, worker] {
      for (size_t begin; (begin = next.fetch_add(kBatch)) < count;)
        work(worker, begin, std::min(count, begin + kBatch));
    });
  }
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int near_duplicates(char** arguments) {
  const std::vector<std::string> texts = read_texts(arguments[0]);
  const double threshold = std::stod(arguments[1]);
  const size_t words = std::stoul(arguments[2]);
  const size_t threads = std::stoul(arguments[3]);
  const auto start = Clock::now();
  std::vector<text::Shingler> shinglers(threads, text::Shingler(words));
  std::vector<std::vector<std::uint64_t>> sets(texts.size());
  in_parallel(texts.size(), threads, [&](size_t worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) shinglers[worker].shingles(texts[i], sets[i]);
  });
  text::ShingleCounts counts;
  for (const auto& set : sets) counts.add(set);
  text::NearDuplicates search(threshold, counts);
  std::vector<long> found(texts.size(), -1);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (const auto match = search.add(sets[i], static_cast<std::uint32_t>(i)))
      found[i] = static_cast<long>(match->row);
  }
  const double seconds = seconds_since(start);
  auto out = fmt::output_file(arguments[4]);
  for (const long row : found) out.print("{}\n", row);
  fmt::print("{{\"seconds\": {}, \"texts\": {}, \"kept\": {}, \"bytes\": {}}}\n", seconds,
             texts.size(), search.kept(), search.memory());
  return 0;
}

int contamination(char** arguments) {
  const std::vector<std::string> documents = read_texts(arguments[0]);
  const std::vector<std::string> texts = read_texts(arguments[1]);
  const size_t words = std::stoul(arguments[2]);
  const size_t threads = std::stoul(arguments[3]);
  const auto start = Clock::now();
  text::NgramIndex index(words);
  for (size_t i = 0; i < documents.size(); ++i)
    index.add(documents[i], static_cast<std::uint32_t>(i));
  const double indexed = seconds_since(start);
  std::vector<text::NgramIndex::Finder> finders(threads, text::NgramIndex::Finder(index));
  std::vector<std::string> found(texts.size());
  in_parallel(texts.size(), threads, [&](size_t worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (const auto hit = finders[worker].find(texts[i])) found[i] = hit->ngram;
    }
  });
  const double seconds = seconds_since(start);
  auto out = fmt::output_file(arguments[4]);
  for (const std::string& ngram : found) out.print("{}\n", ngram.empty() ? "-1" : ngram);
  fmt::print("{{\"seconds\": {}, \"indexing\": {}, \"texts\": {}, \"ngrams\": {}}}\n", seconds,
             indexed, texts.size(), index.ngrams());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string mode = argc == 7 ? argv[1] : "";
    if (mode == "near-duplicates") return near_duplicates(argv + 2);
    if (mode == "contamination") return contamination(argv + 2);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "text_search: {}\n", failure.what());
    return 1;
  }
  fmt::print(stderr, "usage: see bench/text_search.cpp\n");
  return 2;
}
