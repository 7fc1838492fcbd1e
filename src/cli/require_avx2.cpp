// Only in a package (SELENE_PACKAGE), whose kernels are compiled for x86-64-v3: says so on a CPU
// that lacks it, where the program would end with SIGILL.
#include <unistd.h>

#include <string_view>

namespace {

// Before all other constructors, as ggml has some and these are compiled for that CPU too.
[[gnu::constructor(101)]] void require_avx2() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) return;
  constexpr std::string_view kMessage =
      "error: this package of selene needs a processor with AVX2 and FMA (x86-64-v3: Intel "
      "Haswell, "
      "AMD Excavator or newer); on this one, build it from its source: make judge\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::_exit(1);
}

}  // namespace
