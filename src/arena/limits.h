// How often somebody may do something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace selene::arena {

// At most `most` times in any minute for each name. Names that were quiet for a minute are
// forgotten.
class MinuteLimit {
 public:
  explicit MinuteLimit(std::size_t most) : most_(most) {}

  // Counts and returns true, or returns false. `now_ms` never goes back.
  bool allow(const std::string& name, std::int64_t now_ms) {
    if (now_ms - swept_ms_ > kMinuteMs) sweep(now_ms);
    std::deque<std::int64_t>& times = times_[name];
    while (!times.empty() && now_ms - times.front() >= kMinuteMs) times.pop_front();
    if (times.size() >= most_) return false;
    times.push_back(now_ms);
    return true;
  }

 private:
  static constexpr std::int64_t kMinuteMs = 60'000;

  void sweep(std::int64_t now_ms) {
    std::erase_if(times_, [&](const auto& entry) {
      return entry.second.empty() || now_ms - entry.second.back() >= kMinuteMs;
    });
    swept_ms_ = now_ms;
  }

  std::size_t most_;
  std::int64_t swept_ms_ = 0;
  std::unordered_map<std::string, std::deque<std::int64_t>> times_;
};

}  // namespace selene::arena
