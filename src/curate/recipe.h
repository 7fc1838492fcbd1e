// A recipe (YAML): sources, steps in order, mix and split. The format is docs/formats.md, "Recipe".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "curate/step.h"
#include "data/sample.h"
#include "data/selection.h"

namespace selene::curate {

// A data set: where its rows come from and what may be done with them.
struct Source {
  std::string name;
  std::string title;
  std::string licence;
  std::string attribution;
  std::string paper;
  std::string labels_by;  // human, model, objective, generated
  std::string note;
  bool gated = false;  // The public files need an account's token.
  // Where the rows have no column of that name.
  std::optional<data::Task> task;
  std::vector<std::string> labels;
  std::string criteria;
  bool better_first =
      false;              // Pairwise: the rows hold the better response first: the side is drawn.
  bool critiques = true;  // False: its critiques are not used.
  std::string groups;     // Sources of one value share their groups; empty: its own name.
  data::Selection source;
  std::optional<data::Selection> local;
  std::string place;  // "file:line"
};

struct NamedStep {
  std::string name;
  std::string options;  // As YAML: what its results depend on.
  std::unique_ptr<Step> step;
  std::string place;  // "file:line"
};

struct Recipe {
  std::string name;
  std::string place;  // Its file, for errors.
  std::string text;   // Its bytes.
  std::string title;
  std::string about;
  std::uint64_t seed = 0;
  std::vector<Source> sources;
  std::vector<NamedStep> steps;  // `mix` and `split` are the last.
};

// Throws Error that names file, line and key. `seed` replaces the recipe's.
Recipe parse_recipe(std::string_view yaml, const std::filesystem::path& path,
                    std::optional<std::uint64_t> seed = {});
Recipe load_recipe(const std::filesystem::path& path, std::optional<std::uint64_t> seed = {});

}  // namespace selene::curate
