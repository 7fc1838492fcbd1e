// A JSONL file that is written row by row and survives a kill: rows go to OUT.part in order; at the
// end it is synced and renamed to OUT, with OUT.run.json beside it. The same work again goes on
// from OUT.part.
//
// What "the same work" is stands in OUT.part.json, written before the first row: everything that a
// row depends on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/run_record.h"

namespace selene::data {

class RowOutput {
 public:
  // Throws Error when OUT exists, or an OUT.part of other work does, and `overwrite` is false.
  RowOutput(std::filesystem::path path, const nlohmann::ordered_json& work, bool overwrite);

  // Only the first check of the constructor, for before the work itself is known (before a model is
  // loaded).
  static void check_new(const std::filesystem::path& path, bool overwrite);

  // Whole rows that were there already.
  size_t rows_kept() const { return rows_kept_; }
  void append(const nlohmann::ordered_json& row);
  // Syncs what was appended, for a run that stops here and will be taken up later.
  void sync();
  // Syncs, writes OUT.run.json, renames.
  void finish(RunRecord& record);

  std::filesystem::path part_path() const;
  std::filesystem::path record_path() const;

 private:
  std::filesystem::path work_path() const;

  std::filesystem::path path_;
  size_t rows_kept_ = 0;
  std::unique_ptr<AppendFile> file_;
};

}  // namespace selene::data
