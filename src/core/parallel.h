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

}  // namespace selene
