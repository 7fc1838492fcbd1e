// A JSONL file that is written row by row and survives a kill: rows go to OUT.part in order; at the
// end it is synced and renamed to OUT, with OUT.run.json beside it. The same work again goes on
// from OUT.part, which one process alone may write.
//
// What "the same work" is stands in OUT.part.json, written before the first row: everything that a
// row depends on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/run_record.h"

namespace selene::data {

class RowOutput {
 public:
  // Makes and locks OUT.part. A symbolic link is followed: OUT is the file that it leads to. Throws
  // Error when OUT cannot be (output_target), when an OUT.run.json is another program's and
  // `overwrite` is false, or when another process writes it.
  RowOutput(const std::filesystem::path& path, bool overwrite);
  // Removes an OUT.part that holds nothing.
  ~RowOutput();
  RowOutput(const RowOutput&) = delete;
  RowOutput& operator=(const RowOutput&) = delete;

  // Once, before rows are appended: keeps the rows of OUT.part that belong to `work`. Those of
  // other work are dropped with `overwrite`, without it an Error.
  void begin(const nlohmann::ordered_json& work);
  // Whole rows that were there already.
  size_t rows_kept() const { return rows_kept_; }
  // Begins anew with `overwrite`; without it, throws `why` the rows that were kept are none.
  void drop_rows(const Error& why);
  void append(const nlohmann::ordered_json& row);
  // Syncs what was appended, for a run that stops here and will be taken up later.
  void sync();
  // Syncs, writes OUT.run.json, renames. Throws Error, and leaves OUT.part, where an OUT has
  // appeared and `overwrite` is false.
  void finish(RunRecord& record);

  std::filesystem::path part_path() const;
  std::filesystem::path record_path() const;

 private:
  std::filesystem::path work_path() const;
  // Throws `why`, with what to do, unless rows may be dropped.
  void refuse_part(const Error& why) const;

  std::filesystem::path path_;
  bool overwrite_;
  std::unique_ptr<FileLock> lock_;
  size_t rows_kept_ = 0;
  std::unique_ptr<AppendFile> file_;
};

}  // namespace selene::data
