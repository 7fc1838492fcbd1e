#define XXH_INLINE_ALL
#include "text/shingles.h"

#include <algorithm>

#include <xxhash.h>

#include "core/error.h"
#include "text/words.h"

namespace selene::text {

RunHasher::RunHasher(size_t size) : out_(1), ring_(size) {
  ensure(size > 0, "a run has words");
  for (size_t i = 0; i < size; ++i) out_ *= kBase;
}

std::uint64_t RunHasher::hash_of(std::string_view word) {
  return XXH3_64bits(word.data(), word.size());
}

// The sum's low bits are those of sums of low bits alone (the finaliser of MurmurHash3).
std::uint64_t RunHasher::mix(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDull;
  hash ^= hash >> 33;
  hash *= 0xC4CEB9FE1A85EC53ull;
  return hash ^ (hash >> 33);
}

void Shingler::shingles(std::string_view text, std::vector<std::uint64_t>& set) {
  set.clear();
  words_of(text, words_);
  hasher_.runs(words_, [&](std::uint64_t hash, size_t, size_t) {
    set.push_back(hash);
    return true;
  });
  if (set.empty() && !words_.empty()) set.push_back(XXH3_64bits(words_.data(), words_.size()));
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
}

size_t shared(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, size_t least) {
  size_t same = 0;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (same + std::min(a.size() - i, b.size() - j) < least) return 0;
    same += a[i] == b[j];
    const bool first = a[i] <= b[j];
    const bool second = b[j] <= a[i];
    i += first;
    j += second;
  }
  return same;
}

double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  if (a.empty() && b.empty()) return 1;
  const size_t same = shared(a, b);
  return static_cast<double>(same) / static_cast<double>(a.size() + b.size() - same);
}

}  // namespace selene::text
