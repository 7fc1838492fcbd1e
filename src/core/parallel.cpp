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
  std::mutex mutex;
  std::size_t failed_at = count;
  std::exception_ptr failure;
  std::atomic<bool> stop{false};
  in_batches(count, chunk, std::min(chunks, most),
             [&](std::size_t, std::size_t begin, std::size_t end) {
               if (stop) return;
               for (std::size_t i = begin; i < end; ++i) {
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
             });
  if (failure) std::rethrow_exception(failure);
}

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

}  // namespace selene
