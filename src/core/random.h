// Random numbers that depend on nothing but their seed: the same on every machine, compiler and
// thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace selene {

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a sequence of 64-bit numbers from a 64-bit seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

  // As `numbers` calls of next() would.
  void skip(std::uint64_t numbers) { state_ += numbers * 0x9E3779B97F4A7C15ull; }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

// A seed from a seed and a name (FNV-1a, then mixed), e.g. of one sample: independent of what else
// is in the run.
std::uint64_t derive_seed(std::uint64_t seed, std::string_view name);

}  // namespace selene
