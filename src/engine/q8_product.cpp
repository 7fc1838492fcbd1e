#include "engine/q8_product.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "engine/omp_thread.h"

// In a package, which is compiled for older CPUs, this file alone is for one with AVX-512 VNNI, and
// used where that is found. What the headers define stays as it is: the linker may take it from
// here for other files.
#if defined(SELENE_PACKAGE)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vnni")
#endif

#if defined(SELENE_PACKAGE) || (defined(__AVX512VNNI__) && defined(__AVX512BW__))

#include <immintrin.h>

namespace selene::engine {
namespace {

constexpr std::int64_t kBlockBytes = 34;  // The scale (F16), then the values.
constexpr int kColumns = 8;               // Taken at once.

// A block of a panel: eight registers, each of four values of 16 rows, and the rows' scales.
struct alignas(64) PanelBlock {
  unsigned char values[8][64];
  float scales[kQ8PanelRows];
};

void quantize_column(const float* x, std::int64_t depth, std::int8_t* to, float* scales,
                     std::int32_t* starts) {
  for (std::int64_t b = 0; b < depth / kQ8Block; ++b) {
    const __m512 low = _mm512_loadu_ps(x + b * kQ8Block);
    const __m512 high = _mm512_loadu_ps(x + b * kQ8Block + 16);
    const __m512 sizes = _mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high));
    const float largest = _mm512_reduce_max_ps(sizes);
    const __m512 inverse = _mm512_set1_ps(largest > 0 ? 127 / largest : 0);
    const __m512i q_low = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
    const __m512i q_high = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
    auto* at = reinterpret_cast<__m128i*>(to + b * kQ8Block);
    _mm_storeu_si128(at, _mm512_cvtsepi32_epi8(q_low));
    _mm_storeu_si128(at + 1, _mm512_cvtsepi32_epi8(q_high));
    scales[b] = largest / 127;
    starts[b] = -128 * _mm512_reduce_add_epi32(_mm512_add_epi32(q_low, q_high));
  }
}

// Eight rows of eight 32-bit words, turned; row i of the result goes to to + 64 * i.
void store_turned(const __m256i (&row)[8], unsigned char* to) {
  __m256i pair[8];
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
  }
  __m256i quad[8];
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_unpacklo_epi64(pair[i], pair[i + 2]);
    quad[i + 1] = _mm256_unpackhi_epi64(pair[i], pair[i + 2]);
    quad[i + 2] = _mm256_unpacklo_epi64(pair[i + 1], pair[i + 3]);
    quad[i + 3] = _mm256_unpackhi_epi64(pair[i + 1], pair[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    const __m256i low = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x20);
    const __m256i high = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x31);
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + 64 * i), low);
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + 64 * (i + 4)), high);
  }
}

// `next` is the panel that this thread takes after this one: asked for now, it is there in time.
void make_panel(const char* weights, const char* next, std::int64_t row_bytes, std::int64_t blocks,
                PanelBlock* to) {
  const __m256i plus_128 = _mm256_set1_epi8(static_cast<char>(0x80));
  for (std::int64_t b = 0; b < blocks; ++b) {
    constexpr std::int64_t kLine = 64;
    for (std::int64_t at = 0; at < kQ8PanelRows * kBlockBytes; at += kLine)
      __builtin_prefetch(next + b * kQ8PanelRows * kBlockBytes + at);
    alignas(32) std::uint16_t scales[kQ8PanelRows];
    for (int half = 0; half < 2; ++half) {
      __m256i row[8];
      for (int i = 0; i < 8; ++i) {
        const char* block = weights + (8 * half + i) * row_bytes + b * kBlockBytes;
        std::memcpy(&scales[8 * half + i], block, sizeof(std::uint16_t));
        const auto* values = reinterpret_cast<const __m256i*>(block + sizeof(std::uint16_t));
        row[i] = _mm256_xor_si256(_mm256_loadu_si256(values), plus_128);
      }
      store_turned(row, to[b].values[0] + 32 * half);
    }
    const __m256i halves = _mm256_load_si256(reinterpret_cast<const __m256i*>(scales));
    _mm512_store_ps(to[b].scales, _mm512_cvtph_ps(halves));
  }
}

// 16 rows by N columns.
template <int N>
void product(const PanelBlock* panel, std::int64_t blocks, const std::int8_t* x,
             const float* scales, const std::int32_t* starts, char* out, std::int64_t out_column) {
  __m512 sum[N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) sum[j] = _mm512_setzero_ps();
  for (std::int64_t b = 0; b < blocks; ++b) {
    __m512i weights[8];
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) weights[g] = _mm512_load_si512(panel[b].values[g]);
    const __m512 row_scales = _mm512_load_ps(panel[b].scales);
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) {
      const std::int8_t* column = x + (j * blocks + b) * kQ8Block;
      __m512i whole = _mm512_set1_epi32(starts[j * blocks + b]);
#pragma GCC unroll 8
      for (int g = 0; g < 8; ++g) {
        std::int32_t four;
        std::memcpy(&four, column + 4 * g, sizeof four);
        whole = _mm512_dpbusd_epi32(whole, weights[g], _mm512_set1_epi32(four));
      }
      const __m512 scale = _mm512_mul_ps(row_scales, _mm512_set1_ps(scales[j * blocks + b]));
      sum[j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), scale, sum[j]);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j)
    _mm512_storeu_ps(reinterpret_cast<float*>(out + j * out_column), sum[j]);
}

}  // namespace

bool has_q8_product() {
#if defined(SELENE_PACKAGE)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vnni");
#else
  return true;
#endif
}

void q8_product(const Q8ProductInput& in, int threads, Q8Scratch& scratch) {
  const std::int64_t blocks = in.depth / kQ8Block;
  const auto at_least = [](auto& vector, std::int64_t size) {
    vector.resize(std::max(vector.size(), static_cast<size_t>(size)));
  };
  at_least(scratch.x, in.columns * in.depth);
  at_least(scratch.scales, in.columns * blocks);
  at_least(scratch.starts, in.columns * blocks);
  at_least(scratch.panels, threads);
  for (auto& panel : scratch.panels)
    at_least(panel, (blocks + 1) * static_cast<std::int64_t>(sizeof(PanelBlock)));
#pragma omp parallel num_threads(threads)
  {
#pragma omp for schedule(static)
    for (std::int64_t j = 0; j < in.columns; ++j) {
      quantize_column(reinterpret_cast<const float*>(in.x + j * in.x_column), in.depth,
                      scratch.x.data() + j * in.depth, scratch.scales.data() + j * blocks,
                      scratch.starts.data() + j * blocks);
    }
    void* memory = scratch.panels[omp_thread()].data();
    size_t space = static_cast<size_t>(blocks + 1) * sizeof(PanelBlock);
    auto* panel = static_cast<PanelBlock*>(std::align(
        alignof(PanelBlock), static_cast<size_t>(blocks) * sizeof(PanelBlock), memory, space));
#pragma omp for schedule(dynamic)
    for (std::int64_t row = 0; row < in.rows; row += kQ8PanelRows) {
      const char* weights = in.weights + row * in.weights_row;
      make_panel(weights, weights + threads * kQ8PanelRows * in.weights_row, in.weights_row, blocks,
                 panel);
      std::int64_t j = 0;
      const auto take = [&](auto kernel, std::int64_t count) {
        for (; j + count <= in.columns; j += count) {
          kernel(panel, blocks, scratch.x.data() + j * in.depth, scratch.scales.data() + j * blocks,
                 scratch.starts.data() + j * blocks,
                 in.out + j * in.out_column + row * static_cast<std::int64_t>(sizeof(float)),
                 in.out_column);
        }
      };
      take(product<kColumns>, kColumns);
      take(product<4>, 4);
      take(product<1>, 1);
    }
  }
}

}  // namespace selene::engine

#else

namespace selene::engine {

bool has_q8_product() { return false; }
void q8_product(const Q8ProductInput&, int, Q8Scratch&) {}

}  // namespace selene::engine

#endif

#if defined(SELENE_PACKAGE)
#pragma GCC pop_options
#endif
