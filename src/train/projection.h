// One matrix of a layer, or several side by side that take the same input (q, k, v; gate, up), with
// the adapters on them.
#pragma once

#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "train/kernels.h"
#include "train/model.h"

namespace selene::train {

template <typename G>
constexpr at::ScalarType scalar_type() {
  if constexpr (std::is_same_v<G, double>) return at::kDouble;
  if constexpr (std::is_same_v<G, float>) return at::kFloat;
  return at::kBFloat16;
}

template <typename G>
class Projection {
 public:
  using A = Compute<G>;
  static constexpr bool kCopies = !std::is_same_v<G, A>;  // Products are done in a copy.

  // An adapter on the rows from `begin` on.
  struct Lora {
    std::string name;  // Of the weight that it is for.
    std::int64_t begin = 0;
    std::int64_t rows = 0;
    double scale = 0;  // alpha / rank
    at::Tensor a, b;   // rank x in, rows x rank
    at::Tensor a_gradient, b_gradient;
    at::Tensor a_copy, b_copy;  // As G.
  };

  Projection() = default;
  // `weight` is rows x in, of A.
  Projection(at::Tensor weight, bool trained) : weight_(std::move(weight)) {
    if (trained) gradient_ = at::zeros_like(weight_);
    refresh();
    if (kCopies && !trained) weight_.reset();  // The copy is all there is.
  }

  void add_lora(Lora lora) {
    loras_.push_back(std::move(lora));
    refresh();
  }
  std::vector<Lora>& loras() { return loras_; }
  const std::vector<Lora>& loras() const { return loras_; }
  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& gradient() const { return gradient_; }
  bool trained() const { return gradient_.defined(); }
  // The weight as A, also where the copy alone is kept.
  at::Tensor values() const { return weight_.defined() ? weight_ : copy_.to(scalar_type<A>()); }

  // Takes over changed weights.
  void refresh() {
    if (weight_.defined()) copy_ = kCopies ? weight_.to(scalar_type<G>()) : weight_;
    for (Lora& lora : loras_) {
      lora.a_copy = kCopies ? lora.a.to(scalar_type<G>()) : lora.a;
      lora.b_copy = kCopies ? lora.b.to(scalar_type<G>()) : lora.b;
    }
  }

  // x: tokens x in.
  at::Tensor forward(const at::Tensor& x, bool adapters) const {
    at::Tensor y = at::mm(x, copy_.t());
    if (!adapters) return y;
    for (const Lora& lora : loras_) {
      const at::Tensor low = at::mm(x, lora.a_copy.t());
      y.narrow(1, lora.begin, lora.rows).addmm_(low, lora.b_copy.t(), 1, lora.scale);
    }
    return y;
  }

  at::Tensor input_gradient(const at::Tensor& d_y) const {
    at::Tensor d_x = at::mm(d_y, copy_);
    for (const Lora& lora : loras_) {
      const at::Tensor low = at::mm(d_y.narrow(1, lora.begin, lora.rows), lora.b_copy);
      d_x.addmm_(low, lora.a_copy, 1, lora.scale);
    }
    return d_x;
  }

  void add_gradients(const at::Tensor& x, const at::Tensor& d_y) {
    if (gradient_.defined()) add_product(d_y, x, 1, gradient_);
    for (Lora& lora : loras_) {
      const at::Tensor d_part = d_y.narrow(1, lora.begin, lora.rows);
      add_product(d_part, at::mm(x, lora.a_copy.t()), lora.scale, lora.b_gradient);
      add_product(at::mm(d_part, lora.b_copy), x, lora.scale, lora.a_gradient);
    }
  }

 private:
  // to += scale * left' right
  static void add_product(const at::Tensor& left, const at::Tensor& right, double scale,
                          at::Tensor& to) {
    if constexpr (kCopies) {
      const at::Tensor product = at::mm(left.t(), right);
      if (scale == 1)
        add<G>(product.numel(), product.data_ptr<G>(), to.data_ptr<A>());
      else
        to.add_(product, scale);
    } else {
      to.addmm_(left.t(), right, 1, scale);
    }
  }

  at::Tensor weight_, copy_, gradient_;
  std::vector<Lora> loras_;
};

}  // namespace selene::train
