// Work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace selene::text {

// work(worker) on `threads` threads at once, the workers numbered from 0; returns when all are
// done. Throws what one of them threw (the others end their own work first).
void in_parallel(size_t threads, const std::function<void(size_t worker)>& work);

// work(worker, begin, end) over batches of at most `batch` of the numbers below `count`, each batch
// for the next worker that is free.
void in_batches(size_t count, size_t batch, size_t threads,
                const std::function<void(size_t worker, size_t begin, size_t end)>& work);

}  // namespace selene::text
