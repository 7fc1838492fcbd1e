// The number of the thread at hand in an OpenMP team; 0 from a compiler without OpenMP, such as the
// clang that builds the fuzzers, where a parallel region is one thread.
#pragma once

#include <cstddef>
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace selene::engine {

inline size_t omp_thread() {
#if defined(_OPENMP)
  return static_cast<size_t>(omp_get_thread_num());
#else
  return 0;
#endif
}

}  // namespace selene::engine
