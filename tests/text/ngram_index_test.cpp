#include "text/ngram_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/parallel.h"
#include "core/random.h"

namespace selene::text {
namespace {

std::optional<NgramIndex::Hit> find(const NgramIndex& index, std::string_view text) {
  return NgramIndex::Finder(index).find(text);
}

TEST(NgramIndex, FindsARunOfADocument) {
  NgramIndex index(3);
  index.add("The quick brown fox", 7);
  index.add("A quick brown dog; the quick brown fox again", 8);
  index.build(1);
  const auto hit = find(index, "They say: QUICK, brown fox!");
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->document, 7u);
  EXPECT_EQ(hit->ngram, "quick brown fox");
  EXPECT_EQ(find(index, "a quick brown cat, quick brown dog")->document, 8u);
  EXPECT_FALSE(find(index, "quick brown"));
  EXPECT_FALSE(find(index, "brown quick fox"));
  EXPECT_FALSE(find(index, ""));
}

TEST(NgramIndex, AWordIsAWholeWord) {
  NgramIndex index(2);
  index.add("car pets", 1);
  index.build(1);
  EXPECT_FALSE(find(index, "car pet"));
  EXPECT_FALSE(find(index, "scar pets"));
  EXPECT_FALSE(find(index, "carpets"));
  EXPECT_TRUE(find(index, "a car, pets"));
}

TEST(NgramIndex, RunsDoNotSpanDocuments) {
  NgramIndex index(2);
  index.add("a b", 1);
  index.add("", 2);
  index.add("c d", 3);
  index.build(1);
  EXPECT_FALSE(find(index, "b c"));
  EXPECT_EQ(find(index, "c d")->document, 3u);
  EXPECT_EQ(index.ngrams(), 2u);
}

TEST(NgramIndex, WithoutDocumentsFindsNothing) {
  NgramIndex index(2);
  index.add("alone", 1);
  index.build(2);
  EXPECT_EQ(index.ngrams(), 0u);
  EXPECT_FALSE(find(index, "a b c"));
}

TEST(NgramIndex, EqualDocumentsAreKeptOnce) {
  NgramIndex once(2);
  once.add("a b, c", 5);
  NgramIndex twice(2);
  for (const char* text : {"a b, c", "A b c!", "a b c"}) twice.add(text, 5);
  once.build(1);
  twice.build(1);
  EXPECT_EQ(twice.ngrams(), 2u);
  EXPECT_EQ(twice.memory(), once.memory());
}

// Words of 100 and a few rare ones, from 60 on of other scripts.
std::string text_of(Random& random, size_t words, std::uint64_t vocabulary) {
  std::string made;
  for (size_t i = 0; i < words; ++i) {
    const std::uint64_t word = random.next() % vocabulary;
    made += word % 10 == 9 ? fmt::format("Ärger{}京, ", word) : fmt::format("w{} ", word);
  }
  return made;
}

std::vector<std::string> plain_runs(std::string_view text, size_t size) {
  Words words;
  words.read(text);
  std::vector<std::string> runs;
  for (size_t i = 0; i + size <= words.size(); ++i) runs.emplace_back(words.run(i, size));
  return runs;
}

// Against a map of texts, built and searched by any number of threads.
TEST(NgramIndex, FindsWhatAMapOfRunsFinds) {
  constexpr size_t kSize = 3;
  for (const size_t threads : {1, 2, 4}) {
    Random random(5);
    NgramIndex index(kSize);
    std::map<std::string, std::uint32_t> plain;
    for (std::uint32_t document = 0; document < 500; ++document) {
      const std::string made = text_of(random, document % 20 == 0 ? 500 : 10, 40);
      index.add(made, document);
      for (std::string& run : plain_runs(made, kSize)) plain.try_emplace(std::move(run), document);
    }
    index.build(threads);
    EXPECT_EQ(index.ngrams(), plain.size());
    std::vector<std::string> texts;
    for (size_t i = 0; i < 2000; ++i) texts.push_back(text_of(random, 5, 60));
    std::vector<std::optional<NgramIndex::Hit>> hits(texts.size());
    std::vector<NgramIndex::Finder> finders(threads, NgramIndex::Finder(index));
    in_batches(texts.size(), 16, threads, [&](size_t worker, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) hits[i] = finders[worker].find(texts[i]);
    });
    size_t found = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::vector<std::string> runs = plain_runs(texts[i], kSize);
      const auto first = std::find_if(runs.begin(), runs.end(),
                                      [&](const std::string& run) { return plain.contains(run); });
      ASSERT_EQ(hits[i].has_value(), first != runs.end()) << texts[i];
      if (!hits[i]) continue;
      ++found;
      EXPECT_EQ(hits[i]->ngram, *first);
      EXPECT_EQ(hits[i]->document, plain.at(*first));
    }
    EXPECT_GT(found, 200u);
    EXPECT_LT(found, 1800u);
  }
}

}  // namespace
}  // namespace selene::text
