// The work of bench/peers/near_duplicates and bench/peers/contamination: texts from a file, one
// JSON string a line; what was found to OUT, a line a text (-1: nothing); how long it took as JSON
// to standard output. Reading the file is not part of the time, nor is it of the peers'.
//
//   text_search near-duplicates TEXTS THRESHOLD WORDS THREADS OUT
//   text_search contamination DOCUMENTS TEXTS WORDS THREADS OUT
//
// And how near duplicates grow with the rows, which are made of the file's texts as they are
// needed, never all in memory; one in twenty is a copy of another with at most two words changed:
//
//   text_search growth TEXTS ROWS WORDS THREADS SCRATCH
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/os.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/run_record.h"
#include "text/near_duplicate_join.h"
#include "text/ngram_index.h"
#include "text/shingles.h"

namespace {

using namespace selene;
using Clock = std::chrono::steady_clock;
using Matches = std::function<void(const text::NearDuplicateJoin::Match&)>;

constexpr size_t kBatch = 16384;
constexpr double kThreshold = 0.8;

std::vector<std::string> read_texts(const std::string& path, size_t most = ~size_t{0}) {
  std::ifstream file(path);
  if (!file) throw Error("cannot be read", path);
  std::vector<std::string> texts;
  for (std::string line; texts.size() < most && std::getline(file, line);)
    texts.push_back(nlohmann::json::parse(line).get<std::string>());
  return texts;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of all threads, so far.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Work {
  size_t rows;
  double threshold;
  size_t words;
  size_t threads;
  std::filesystem::path scratch;
};

// text_of(row) from several threads.
void find_near_duplicates(const Work& work, const std::function<std::string_view(size_t)>& text_of,
                          const Matches& on_match) {
  std::vector<text::Shingler> shinglers(work.threads, text::Shingler(work.words));
  std::vector<std::vector<std::uint64_t>> sets(std::min(kBatch, work.rows));
  text::NearDuplicateJoin join(work.scratch,
                               {.threshold = work.threshold, .threads = work.threads});
  for (size_t first = 0; first < work.rows; first += kBatch) {
    const size_t count = std::min(kBatch, work.rows - first);
    in_batches(count, 256, work.threads, [&](size_t worker, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) shinglers[worker].shingles(text_of(first + i), sets[i]);
    });
    for (size_t i = 0; i < count; ++i) join.add(sets[i]);
  }
  join.finish(on_match);
}

int near_duplicates(char** arguments) {
  const std::vector<std::string> texts = read_texts(arguments[0]);
  const std::filesystem::path out_path = arguments[4];
  const Work work{texts.size(), std::stod(arguments[1]), std::stoul(arguments[2]),
                  std::stoul(arguments[3]), out_path.parent_path()};
  std::vector<long> found(texts.size(), -1);
  const auto start = Clock::now();
  find_near_duplicates(
      work, [&](size_t row) { return std::string_view(texts[row]); },
      [&](const auto& match) { found[match.row] = match.earlier; });
  const double seconds = seconds_since(start);
  auto out = fmt::output_file(out_path.string());
  for (const long row : found) out.print("{}\n", row);
  fmt::print("{{\"seconds\": {}, \"texts\": {}}}\n", seconds, texts.size());
  return 0;
}

// Rows of two spans of texts, each row from its number alone.
class MadeTexts {
 public:
  explicit MadeTexts(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      std::vector<std::string_view> words;
      for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(' ', begin), text.size());
        if (end > begin) words.push_back(std::string_view(text).substr(begin, end - begin));
        begin = end + 1;
      }
      if (words.size() >= 4) texts_.push_back(std::move(words));
    }
  }

  std::string_view row(size_t number) const {
    thread_local std::string made;
    thread_local std::vector<std::string_view> words;
    words.clear();
    Random random(number * 2 + 1);
    const bool planted = is_planted(number);
    size_t original = number;
    while (is_planted(original)) original = random.next() % original;
    Random of_original(original * 2);
    add_span(of_original, words);
    add_span(of_original, words);
    for (std::uint64_t changes = planted ? random.next() % 3 : 0; changes > 0; --changes)
      words[random.next() % words.size()] = texts_[random.next() % texts_.size()][0];
    made.clear();
    for (const std::string_view word : words) made.append(word).push_back(' ');
    return made;
  }

 private:
  static bool is_planted(size_t number) { return number > 100 && Random(number).next() % 20 == 0; }
  void add_span(Random& random, std::vector<std::string_view>& words) const {
    const auto& text = texts_[random.next() % texts_.size()];
    const size_t length = std::min<size_t>(text.size(), 4 + random.next() % 27);
    const size_t start = random.next() % (text.size() - length + 1);
    words.insert(words.end(), text.begin() + static_cast<std::ptrdiff_t>(start),
                 text.begin() + static_cast<std::ptrdiff_t>(start + length));
  }

  std::vector<std::vector<std::string_view>> texts_;
};

int growth(char** arguments) {
  const std::vector<std::string> texts = read_texts(arguments[0]);
  const Work work{std::stoul(arguments[1]), kThreshold, std::stoul(arguments[2]),
                  std::stoul(arguments[3]), arguments[4]};
  const MadeTexts made(texts);
  const auto before = peak_memory_bytes();
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  size_t found = 0;
  find_near_duplicates(
      work, [&](size_t row) { return made.row(row); }, [&](const auto&) { ++found; });
  fmt::print(
      "{{\"rows\": {}, \"found\": {}, \"seconds\": {:.2f}, \"cpu_seconds\": {:.2f}, \"peak_mb\": "
      "{}, "
      "\"peak_mb_before\": {}}}\n",
      work.rows, found, seconds_since(start), cpu_seconds() - cpu_before,
      peak_memory_bytes() / 1000000, before / 1000000);
  return 0;
}

int contamination(char** arguments) {
  const std::vector<std::string> documents = read_texts(arguments[0]);
  const std::vector<std::string> texts = read_texts(arguments[1]);
  const size_t words = std::stoul(arguments[2]);
  const size_t threads = std::stoul(arguments[3]);
  std::vector<std::string> found(texts.size());
  const auto start = Clock::now();
  text::NgramIndex index(words);
  for (size_t i = 0; i < documents.size(); ++i)
    index.add(documents[i], static_cast<std::uint32_t>(i));
  const double added = seconds_since(start);
  index.build(threads);
  const double indexed = seconds_since(start);
  std::vector<text::NgramIndex::Finder> finders(threads, text::NgramIndex::Finder(index));
  in_batches(texts.size(), 1024, threads, [&](size_t worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (const auto hit = finders[worker].find(texts[i])) found[i] = hit->ngram;
    }
  });
  const double seconds = seconds_since(start);
  auto out = fmt::output_file(arguments[4]);
  for (const std::string& ngram : found) out.print("{}\n", ngram.empty() ? "-1" : ngram);
  fmt::print(
      "{{\"seconds\": {}, \"adding\": {}, \"indexing\": {}, \"texts\": {}, \"ngrams\": {}, "
      "\"bytes\": {}}}\n",
      seconds, added, indexed, texts.size(), index.ngrams(), index.memory());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string mode = argc == 7 ? argv[1] : "";
    if (mode == "near-duplicates") return near_duplicates(argv + 2);
    if (mode == "contamination") return contamination(argv + 2);
    if (mode == "growth") return growth(argv + 2);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "text_search: {}\n", failure.what());
    return 1;
  }
  fmt::print(stderr, "usage: see bench/text_search.cpp\n");
  return 2;
}
