// A set of 64-bit keys in little memory: open addressing, at most three quarters full, so 11 to 22
// bytes a key.
#pragma once

#include <cstdint>
#include <vector>

namespace selene::curate {

class Keys {
 public:
  // False where the key was there. Keys are hashes: their bits say where they stand.
  bool insert(std::uint64_t key) {
    if (4 * (used_ + 1) > 3 * slots_.size()) grow();
    if (key == 0) key = 1;  // 0 marks an empty slot.
    std::uint64_t& slot = find(key);
    if (slot == key) return false;
    slot = key;
    ++used_;
    return true;
  }
  std::uint64_t size() const { return used_; }

 private:
  std::uint64_t& find(std::uint64_t key) {
    const std::uint64_t mask = slots_.size() - 1;
    std::uint64_t at = (key * 0x9E3779B97F4A7C15ull) >> shift_;
    while (slots_[at] != 0 && slots_[at] != key) at = (at + 1) & mask;
    return slots_[at];
  }
  void grow() {
    std::vector<std::uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    --shift_;
    for (const std::uint64_t key : old) {
      if (key != 0) find(key) = key;
    }
  }

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(1024);
  int shift_ = 54;
  std::uint64_t used_ = 0;
};

}  // namespace selene::curate
