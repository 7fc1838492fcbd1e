// Symmetric matrices of a few hundred rows, as the ratings need them: (n, n), row-major.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace selene::arena {

// A = U^T U of a positive definite matrix. Rows are worked on as a whole, which compilers make
// vector instructions of without changing the order of sums.
class Cholesky {
 public:
  // Looks at the upper triangle of `matrix`. False from ok() where it is not positive definite.
  Cholesky(std::vector<double> matrix, std::size_t n);

  bool ok() const { return ok_; }
  std::size_t size() const { return n_; }
  // x of A x = b, in place.
  void solve(std::span<double> b) const;
  std::vector<double> inverse() const;
  // U, with zeros below: z U of independent standard normal z has the covariance A.
  const std::vector<double>& upper() const { return upper_; }

 private:
  std::vector<double> upper_;
  std::size_t n_ = 0;
  bool ok_ = true;
};

// A B, both (n, n).
std::vector<double> product(std::span<const double> a, std::span<const double> b, std::size_t n);

}  // namespace selene::arena
