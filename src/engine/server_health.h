// How much one server of a fleet is given to do: nothing while it rests after a failure, one
// request to try it again after that, then one more with each success. The clock is the caller's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"

namespace selene::engine {

using TimePoint = std::chrono::steady_clock::time_point;

// Exponential backoff with jitter: before attempt n + 1 between half and all of `first` * 2^(n-1),
// at most `most`.
struct Backoff {
  std::chrono::milliseconds first{500};
  std::chrono::milliseconds most{30'000};

  std::chrono::milliseconds before_attempt(int failures, Random& random) const;
};

class ServerHealth {
 public:
  ServerHealth(int most_in_flight, Backoff backoff, std::string_view name)
      : most_in_flight_(most_in_flight),
        allowed_(most_in_flight),
        backoff_(backoff),
        random_(derive_seed(0, name)) {}

  // Requests that it may have in flight.
  int allowed(TimePoint now) const { return now < rests_until_ ? 0 : allowed_; }
  TimePoint rests_until() const { return rests_until_; }
  // In a row, those that came from one incident counted once.
  int failures() const { return failures_; }
  const std::string& last_failure() const { return last_failure_; }

  void succeeded();
  // A request that was started at `started` failed: the server rests, the longer the more often it
  // has failed.
  void failed(TimePoint now, TimePoint started, std::string_view why,
              std::optional<std::chrono::seconds> retry_after);
  // A request that was started at `started` was answered that there are too many, which is no
  // failure: the server has less to do, and rests, the longer the more often in a row.
  void overloaded(TimePoint now, TimePoint started,
                  std::optional<std::chrono::seconds> retry_after);

 private:
  int most_in_flight_;
  int allowed_;
  Backoff backoff_;
  Random random_;
  int failures_ = 0;
  int overloads_ = 0;  // In a row, counted as failures are.
  TimePoint rests_until_{};
  TimePoint failed_at_{};
  TimePoint overloaded_at_{};
  std::string last_failure_;
};

}  // namespace selene::engine
