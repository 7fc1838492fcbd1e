// Judgments, which come in any order, passed on in the order of their rows.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>

#include "data/judgment.h"

namespace selene::data {

class InOrder {
 public:
  using Pass = std::function<void(size_t row, const Judgment& judgment)>;
  // Nothing is passed on before `first_row`.
  InOrder(size_t first_row, Pass pass) : next_(first_row), pass_(std::move(pass)) {}

  // Each row once. Passes it on, and those that waited for it, as soon as the order allows.
  void add(size_t row, Judgment judgment) {
    waiting_.emplace(row, std::move(judgment));
    for (auto it = waiting_.find(next_); it != waiting_.end(); it = waiting_.find(next_)) {
      pass_(next_++, it->second);
      waiting_.erase(it);
    }
  }
  size_t next() const { return next_; }

 private:
  size_t next_;
  Pass pass_;
  std::map<size_t, Judgment> waiting_;
};

}  // namespace selene::data
