#include "text/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace selene::text {

void in_parallel(size_t threads, const std::function<void(size_t worker)>& work) {
  if (threads <= 1) return work(0);
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> workers;
    for (size_t worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        try {
          work(worker);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!failure) failure = std::current_exception();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void in_batches(size_t count, size_t batch, size_t threads,
                const std::function<void(size_t worker, size_t begin, size_t end)>& work) {
  std::atomic<size_t> next = 0;
  in_parallel(threads, [&](size_t worker) {
    for (size_t begin; (begin = next.fetch_add(batch)) < count;)
      work(worker, begin, std::min(count, begin + batch));
  });
}

}  // namespace selene::text
