// Work on many things at once.
#pragma once

#include <cstddef>
#include <functional>

namespace selene {

// Cores of this machine, at least 1.
int machine_threads();

// `work(i)` for each i below `count`, on `threads` threads at most, in no order. Throws what the
// least i threw, when all have ended; none is begun after a failure.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

// work(worker) on `threads` threads at once, the workers numbered from 0; returns when all are
// done. Throws what one of them threw (the others end their own work first).
void in_parallel(std::size_t threads, const std::function<void(std::size_t worker)>& work);

// work(worker, begin, end) over batches of at most `batch` of the numbers below `count`, each batch
// for the next worker that is free.
void in_batches(
    std::size_t count, std::size_t batch, std::size_t threads,
    const std::function<void(std::size_t worker, std::size_t begin, std::size_t end)>& work);

}  // namespace selene
