#include "engine/server_health.h"

#include <algorithm>

namespace selene::engine {

std::chrono::milliseconds Backoff::before_attempt(int failures, Random& random) const {
  const double whole = std::min(static_cast<double>(most.count()),
                                static_cast<double>(first.count()) *
                                    static_cast<double>(1 << std::clamp(failures - 1, 0, 20)));
  return std::chrono::milliseconds(static_cast<long long>(whole * (0.5 + 0.5 * random.uniform())));
}

void ServerHealth::succeeded() {
  failures_ = 0;
  overloads_ = 0;
  allowed_ = std::min(allowed_ + 1, most_in_flight_);
}

void ServerHealth::failed(TimePoint now, TimePoint started, std::string_view why,
                          std::optional<std::chrono::seconds> retry_after) {
  last_failure_ = why;
  if (failures_ > 0 && started <= failed_at_) return;
  ++failures_;
  failed_at_ = now;
  allowed_ = 1;
  rests_until_ =
      now + std::max<std::chrono::milliseconds>(retry_after.value_or(std::chrono::seconds(0)),
                                                backoff_.before_attempt(failures_, random_));
}

void ServerHealth::overloaded(TimePoint now, TimePoint started,
                              std::optional<std::chrono::seconds> retry_after) {
  allowed_ = std::max(1, allowed_ / 2);
  std::chrono::milliseconds rest = retry_after.value_or(std::chrono::seconds(0));
  if (overloads_ == 0 || started > overloaded_at_) {
    overloaded_at_ = now;
    rest = std::max(rest, backoff_.before_attempt(++overloads_, random_));
  }
  rests_until_ = std::max(rests_until_, now + rest);
}

}  // namespace selene::engine
