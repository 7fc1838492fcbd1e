#define XXH_INLINE_ALL
#include "text/shingles.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <xxhash.h>

#include "core/error.h"

namespace selene::text {
namespace {

constexpr std::uint64_t kBase = 0x9E3779B97F4A7C15ull;  // Odd.

// The last step of MurmurHash3: every bit of the result hangs on every bit of the argument.
std::uint64_t mix(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDull;
  hash ^= hash >> 33;
  hash *= 0xC4CEB9FE1A85EC53ull;
  return hash ^ (hash >> 33);
}

// Of a length: what keeps that many bytes of the first and the second eight.
using Mask = std::array<std::uint64_t, 2>;
constexpr std::array<Mask, 17> kMasks = [] {
  const auto low_bytes = [](size_t count) {
    return count >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * count)) - 1;
  };
  std::array<Mask, 17> masks{};
  for (size_t length = 0; length <= 16; ++length)
    masks[length] = {low_bytes(length), low_bytes(length > 8 ? length - 8 : 0)};
  return masks;
}();

// Almost every word has 16 bytes or fewer; these are hashed without a branch on their length, and
// no two of at most eight bytes have one hash.
std::uint64_t hash_of(std::string_view word) {
  static_assert(Words::kSlack >= 16);
  if (word.size() > 16) return XXH3_64bits(word.data(), word.size());
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::memcpy(&first, word.data(), 8);
  std::memcpy(&second, word.data() + 8, 8);
  const Mask& mask = kMasks[word.size()];
  return mix((first & mask[0]) + mix(second & mask[1]) * kBase + kBase);
}

}  // namespace

RunHasher::RunHasher(size_t size) : size_(size), out_(1) {
  ensure(size > 0, "a run has words");
  for (size_t i = 0; i < size; ++i) out_ *= kBase;
}

std::span<const std::uint64_t> RunHasher::runs(const Words& words) {
  const size_t count = words.size();
  if (count < size_) return {};
  words_.resize(count);
  runs_.resize(count - size_ + 1);
  for (size_t i = 0; i < count; ++i) words_[i] = hash_of(words[i]);
  std::uint64_t sum = 0;  // Of hash * kBase^(words after it).
  for (size_t i = 0; i < size_; ++i) sum = sum * kBase + words_[i];
  runs_[0] = mix(sum);
  for (size_t i = size_; i < count; ++i) {
    sum = sum * kBase + words_[i] - words_[i - size_] * out_;
    runs_[i - size_ + 1] = mix(sum);  // The sum's low bits are those of sums of low bits alone.
  }
  return runs_;
}

void Shingler::shingles(std::string_view text, std::vector<std::uint64_t>& set) {
  words_.read(text);
  const auto runs = hasher_.runs(words_);
  set.assign(runs.begin(), runs.end());
  if (const std::string_view all = words_.text(); set.empty() && !all.empty())
    set.push_back(XXH3_64bits(all.data(), all.size()));
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

double jaccard(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  if (a.empty() && b.empty()) return 1;
  const size_t same = shared(a, b);
  return static_cast<double>(same) / static_cast<double>(a.size() + b.size() - same);
}

}  // namespace selene::text
