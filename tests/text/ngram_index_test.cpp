#include "text/ngram_index.h"

#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include "core/random.h"
#include "text/words.h"

namespace selene::text {
namespace {

std::optional<NgramIndex::Hit> find(const NgramIndex& index, std::string_view text) {
  return NgramIndex::Finder(index).find(text);
}

TEST(NgramIndex, FindsARunOfADocument) {
  NgramIndex index(3);
  index.add("The quick brown fox", 7);
  index.add("A quick brown dog; the quick brown fox again", 8);
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
  EXPECT_FALSE(find(index, "b c"));
  EXPECT_EQ(find(index, "c d")->document, 3u);
  EXPECT_EQ(index.ngrams(), 2u);
}

// Against a set of texts, over many documents (the table grows several times within one).
TEST(NgramIndex, FindsWhatASetOfRunsFinds) {
  Random random(5);
  const auto text = [&](size_t words, std::uint64_t vocabulary) {
    std::string made;
    for (size_t i = 0; i < words; ++i) made += fmt::format("w{} ", random.next() % vocabulary);
    return made;
  };
  constexpr size_t kSize = 3;
  NgramIndex index(kSize);
  std::set<std::string> plain;
  const auto runs_of = [&](const std::string& document, const auto& each) {
    std::string words;
    words_of(document, words);
    RunHasher(kSize).runs(words, [&](std::uint64_t, size_t begin, size_t end) {
      each(words.substr(begin, end - begin));
      return true;
    });
  };
  for (std::uint32_t document = 0; document < 50; ++document) {
    const std::string made = text(document % 2 == 0 ? 2000 : 10, 60);
    index.add(made, document);
    runs_of(made, [&](std::string run) { plain.insert(std::move(run)); });
  }
  EXPECT_EQ(index.ngrams(), plain.size());
  size_t hits = 0;
  for (size_t i = 0; i < 2000; ++i) {
    const std::string made = text(5, 60);
    std::string first;
    runs_of(made, [&](const std::string& run) {
      if (first.empty() && plain.contains(run)) first = run;
    });
    const auto hit = find(index, made);
    ASSERT_EQ(hit.has_value(), !first.empty()) << made;
    if (hit) {
      EXPECT_EQ(hit->ngram, first);
    }
    hits += hit.has_value();
  }
  EXPECT_GT(hits, 200u);
  EXPECT_LT(hits, 1800u);
}

}  // namespace
}  // namespace selene::text
