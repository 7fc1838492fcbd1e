#include "arena/symmetric.h"

#include <cmath>
#include <utility>

namespace selene::arena {
namespace {

// to[begin..end) -= factor * from[begin..end)
void subtract(double* to, const double* from, double factor, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) to[i] -= factor * from[i];
}

}  // namespace

Cholesky::Cholesky(std::vector<double> matrix, std::size_t n) : upper_(std::move(matrix)), n_(n) {
  for (std::size_t k = 0; k < n_; ++k) {
    double* row = &upper_[k * n_];
    for (std::size_t i = 0; i < k; ++i) row[i] = 0;
    if (!(row[k] > 0)) {
      ok_ = false;
      return;
    }
    const double root = std::sqrt(row[k]);
    for (std::size_t i = k; i < n_; ++i) row[i] /= root;
    for (std::size_t i = k + 1; i < n_; ++i) subtract(&upper_[i * n_], row, row[i], i, n_);
  }
}

void Cholesky::solve(std::span<double> b) const {
  for (std::size_t k = 0; k < n_; ++k) {
    const double* row = &upper_[k * n_];
    b[k] /= row[k];
    subtract(b.data(), row, b[k], k + 1, n_);
  }
  for (std::size_t k = n_; k-- > 0;) {
    const double* row = &upper_[k * n_];
    double sum = b[k];
    for (std::size_t i = k + 1; i < n_; ++i) sum -= row[i] * b[i];
    b[k] = sum / row[k];
  }
}

// All unit vectors at once: each step is one on whole rows.
std::vector<double> Cholesky::inverse() const {
  std::vector<double> x(n_ * n_, 0);
  for (std::size_t i = 0; i < n_; ++i) x[i * n_ + i] = 1;
  for (std::size_t k = 0; k < n_; ++k) {
    const double* row = &upper_[k * n_];
    for (std::size_t j = 0; j <= k; ++j) x[k * n_ + j] /= row[k];
    for (std::size_t i = k + 1; i < n_; ++i) subtract(&x[i * n_], &x[k * n_], row[i], 0, k + 1);
  }
  for (std::size_t k = n_; k-- > 0;) {
    const double* row = &upper_[k * n_];
    for (std::size_t i = k + 1; i < n_; ++i) subtract(&x[k * n_], &x[i * n_], row[i], 0, n_);
    for (std::size_t j = 0; j < n_; ++j) x[k * n_ + j] /= row[k];
  }
  return x;
}

std::vector<double> product(std::span<const double> a, std::span<const double> b, std::size_t n) {
  std::vector<double> c(n * n, 0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k) subtract(&c[i * n], &b[k * n], -a[i * n + k], 0, n);
  return c;
}

}  // namespace selene::arena
