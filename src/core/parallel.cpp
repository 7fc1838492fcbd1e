#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace selene {

int machine_threads() {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& work) {
  const auto most = static_cast<std::size_t>(std::max(threads, 1));
  // Few at a time, so that what one takes long for holds up no others.
  const std::size_t chunk = std::clamp<std::size_t>(count / (most * 8), 1, 16);
  const std::size_t chunks = (count + chunk - 1) / chunk;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::size_t failed_at = count;
  std::exception_ptr failure;
  std::atomic<bool> stop{false};
  const auto run = [&] {
    while (!stop) {
      const std::size_t first = next.fetch_add(chunk);
      if (first >= count) return;
      for (std::size_t i = first; i < std::min(count, first + chunk); ++i) {
        try {
          work(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          stop = true;
          if (i >= failed_at) return;
          failed_at = i;
          failure = std::current_exception();
          return;
        }
      }
    }
  };
  std::vector<std::thread> others;
  const std::size_t wanted = std::min(chunks, most);
  for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace selene
