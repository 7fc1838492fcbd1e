// Small matrix products and exponentials in vector registers, for kernels.cpp alone: what attention
// does too often, and on pieces too small, for a BLAS that starts threads of its own.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace selene::train {

// Numbers of one type in 64 bytes. The compiler splits them where the CPU's registers are smaller.
template <typename A>
struct Vector {
  typedef A type __attribute__((vector_size(64)));
  static constexpr std::int64_t lanes = 64 / sizeof(A);
};

// Lines that products read may be read past their end by less than this.
inline constexpr std::int64_t kPadding = 64;
inline std::int64_t padded(std::int64_t count) {
  return (count + kPadding - 1) / kPadding * kPadding;
}

template <typename A>
inline typename Vector<A>::type load(const A* from) {
  typename Vector<A>::type x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <typename A>
inline void store(A* to, const typename Vector<A>::type& x) {
  std::memcpy(to, &x, sizeof x);
}

// Compilers otherwise read it from memory anew for each product with it, which halves the speed.
template <typename Numbers>
inline void keep_in_register([[maybe_unused]] Numbers& x) {
#ifdef __AVX512F__
  asm("" : "+v"(x));
#endif
}

// Element (row, k) stands at first[row * of_row + k * of_k].
template <typename A>
struct Left {
  const A* first;
  std::int64_t of_row;
  std::int64_t of_k;
};

// R rows by V vectors of the product.
template <typename A, int R, int V>
inline void tile(std::int64_t depth, const Left<A>& left, const A* right, std::int64_t right_line,
                 A* out, std::int64_t out_line, bool adds) {
  using Numbers = typename Vector<A>::type;
  constexpr std::int64_t lanes = Vector<A>::lanes;
  Numbers sums[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      sums[r][v] = adds ? load(out + r * out_line + v * lanes) : Numbers{};
  for (std::int64_t k = 0; k < depth; ++k) {
    Numbers b[V];
    for (int v = 0; v < V; ++v) {
      b[v] = load(right + k * right_line + v * lanes);
      keep_in_register(b[v]);
    }
    for (int r = 0; r < R; ++r) {
      const A a = left.first[r * left.of_row + k * left.of_k];
      for (int v = 0; v < V; ++v) sums[r][v] += a * b[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(out + r * out_line + v * lanes, sums[r][v]);
}

template <typename A, int V>
inline void tiles(std::int64_t rows, std::int64_t depth, Left<A> left, const A* right,
                  std::int64_t right_line, A* out, std::int64_t out_line, bool adds) {
  std::int64_t r = 0;
  const auto at = [&](std::int64_t row) {
    return Left<A>{left.first + row * left.of_row, left.of_row, left.of_k};
  };
  for (; r + 4 <= rows; r += 4)
    tile<A, 4, V>(depth, at(r), right, right_line, out + r * out_line, out_line, adds);
  for (; r < rows; ++r)
    tile<A, 1, V>(depth, at(r), right, right_line, out + r * out_line, out_line, adds);
}

// out (rows x columns) = left (rows x depth) times right (depth x columns), or is added to. Whole
// vectors are read and written: lines of `right` and, unless columns is a multiple of the vector,
// of `out` have room for kPadding more numbers, which are overwritten.
template <typename A>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, const Left<A>& left,
              const A* right, std::int64_t right_line, A* out, std::int64_t out_line, bool adds) {
  constexpr std::int64_t lanes = Vector<A>::lanes;
  std::int64_t c = 0;
  for (; c + 4 * lanes <= columns; c += 4 * lanes)
    tiles<A, 4>(rows, depth, left, right + c, right_line, out + c, out_line, adds);
  for (; c < columns; c += lanes)
    tiles<A, 1>(rows, depth, left, right + c, right_line, out + c, out_line, adds);
}

// The sum of products, added up in a fixed order.
template <typename A>
A dot(std::int64_t count, const A* x, const A* y) {
  using Numbers = typename Vector<A>::type;
  constexpr std::int64_t lanes = Vector<A>::lanes;
  Numbers sums{};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) sums += load(x + i) * load(y + i);
  A sum = 0;
  for (std::int64_t l = 0; l < lanes; ++l) sum += sums[l];
  for (; i < count; ++i) sum += x[i] * y[i];
  return sum;
}

template <typename A>
A largest(std::int64_t count, const A* x) {
  constexpr std::int64_t lanes = Vector<A>::lanes;
  A most = x[0];
  std::int64_t i = 0;
  if (count >= lanes) {
    auto all = load(x);
    for (i = lanes; i + lanes <= count; i += lanes) {
      const auto next = load(x + i);
      all = next > all ? next : all;
    }
    for (std::int64_t l = 0; l < lanes; ++l) most = std::max(most, all[l]);
  }
  for (; i < count; ++i) most = std::max(most, x[i]);
  return most;
}

// exp(x) of floats, within 2 units in the last place from -87 on, 0 below (Cephes' expf: the
// argument is reduced by multiples of log 2, then a polynomial of degree 5; Moshier 1984).
inline Vector<float>::type exponential(Vector<float>::type x) {
  using Numbers = Vector<float>::type;
  typedef std::int32_t Integers __attribute__((vector_size(64)));
  const Numbers lowest = Numbers{} - 87.0f;
  const auto kept = x >= lowest;  // False of NaN and -inf as well.
  const auto is_nan = x != x;
  Numbers y = kept ? x : lowest;
  y = y > 88.0f ? Numbers{} + 88.0f : y;
  // Rounds to the nearest integer: adding 1.5 * 2^23 leaves no bit for a fraction.
  const Numbers shifted = y * 1.44269504088896341f + 12582912.0f;
  const Numbers n = shifted - 12582912.0f;
  Numbers r = y - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Numbers p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Integers power = (std::bit_cast<Integers>(shifted) - 0x4B400000 + 127) << 23;
  Numbers result = p * std::bit_cast<Numbers>(power);
  result = kept ? result : Numbers{};
  return is_nan ? x : result;
}

// x becomes exp(scale * x - shift); returns the sum. Padding of `count` up to a whole vector is
// neither read nor written.
inline float exponentials(std::int64_t count, float scale, float shift, float* x) {
  using Numbers = Vector<float>::type;
  constexpr std::int64_t lanes = Vector<float>::lanes;
  Numbers sums{};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Numbers y = exponential(load(x + i) * scale - shift);
    store(x + i, y);
    sums += y;
  }
  if (i < count) {
    float rest[lanes];
    for (std::int64_t l = 0; l < lanes; ++l)
      rest[l] = i + l < count ? x[i + l] * scale - shift : -1000.0f;
    const Numbers y = exponential(load(rest));
    for (std::int64_t l = 0; i + l < count; ++l) x[i + l] = y[l];
    sums += y;
  }
  float sum = 0;
  for (std::int64_t l = 0; l < lanes; ++l) sum += sums[l];
  return sum;
}
inline double exponentials(std::int64_t count, double scale, double shift, double* x) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    x[i] = std::exp(x[i] * scale - shift);
    sum += x[i];
  }
  return sum;
}

}  // namespace selene::train
