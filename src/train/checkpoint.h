// Checkpoints: all that a run needs to go on to the same bits, written whole or not at all.
//
// A checkpoint is step-N.safetensors (each parameter as NAME, its moments as NAME.mean and
// NAME.square, in the type they are computed in) and step-N.json, written after it, which says that
// it is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "train/model.h"
#include "train/optimizer.h"

namespace selene::train {

class Checkpoints {
 public:
  // `identity` names the run (a digest of what its numbers depend on).
  Checkpoints(std::filesystem::path folder, std::string identity, std::size_t keep);

  // The last whole one's state; nothing where there is none. Throws Error when it is of another
  // run.
  std::optional<nlohmann::ordered_json> find_last() const;
  // Reads the one at this step. Throws Error when it does not fit the model or is damaged.
  void load(std::int64_t step, Model& model, Optimizer& optimizer) const;
  // Then removes older ones but for the last `keep` and the step `best`.
  void save(std::int64_t step, nlohmann::ordered_json state, const Model& model,
            const Optimizer& optimizer, std::optional<std::int64_t> best) const;
  // The steps of the whole ones, ascending.
  std::vector<std::int64_t> steps() const;
  // Into a parameter each, moments left as they are: the best model at the end.
  void load_weights(std::int64_t step, Model& model) const;

 private:
  std::filesystem::path file(std::int64_t step, const char* ending) const;

  std::filesystem::path folder_;
  std::string identity_;
  std::size_t keep_;
};

}  // namespace selene::train
