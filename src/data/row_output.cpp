#include "data/row_output.h"

#include <fstream>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::data {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path with_suffix(const fs::path& path, const char* suffix) { return path.string() + suffix; }

// The first thing in which two descriptions of work differ, as a JSON pointer.
std::string first_difference(const fs::path& old_path, const Json& old_work, const Json& new_work) {
  if (!fs::exists(old_path)) return fmt::format("there is no {}", old_path.filename().string());
  if (!old_work.is_object()) return fmt::format("{} cannot be read", old_path.filename().string());
  const Json changes = Json::diff(old_work, new_work);
  ensure(!changes.empty(), "two descriptions of work differ in nothing");
  return fmt::format("it differs at {}", changes.front().at("path").get<std::string>());
}

struct WholeRows {
  size_t rows = 0;
  std::uint64_t bytes = 0;
};

// A killed process can leave an unfinished last row: it is not counted.
WholeRows count_whole_rows(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  WholeRows whole;
  std::string buffer(1 << 16, '\0');
  std::uint64_t at = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    for (std::streamsize i = 0; i < file.gcount(); ++i) {
      ++at;
      if (buffer[static_cast<size_t>(i)] != '\n') continue;
      ++whole.rows;
      whole.bytes = at;
    }
  }
  return whole;
}

// Null where it cannot be read.
Json read_json(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return nullptr;
  const Json value = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(nullptr) : value;  // A discarded value equals everything.
}

}  // namespace

RowOutput::RowOutput(const fs::path& path, bool overwrite)
    : path_(output_target(path, overwrite)), overwrite_(overwrite) {
  // One of ours without its OUT is what a kill at the very end leaves, or a user who removed OUT.
  if (!overwrite_ && fs::exists(record_path()) && !read_json(record_path()).contains("selene")) {
    throw Error("this file is in the place of the output's record, and selene did not write it",
                record_path().string(), "give --overwrite or name another file");
  }
  lock_ = std::make_unique<FileLock>(part_path());
}

RowOutput::~RowOutput() {
  std::error_code ignored;
  if (lock_ == nullptr || fs::file_size(part_path(), ignored) > 0) return;
  fs::remove(work_path(), ignored);
  fs::remove(part_path(), ignored);
}

void RowOutput::begin(const Json& work) {
  const Json old_work = read_json(work_path());
  const bool same = old_work == work;
  WholeRows kept = count_whole_rows(part_path());
  if (!same && kept.rows > 0) {
    refuse_part(Error(fmt::format("this file was begun by other work ({})",
                                  first_difference(work_path(), old_work, work)),
                      part_path().string()));
  }
  if (!same) kept = {};
  rows_kept_ = kept.rows;
  file_ = std::make_unique<AppendFile>(part_path(), kept.bytes);
  // After the cut: a kill leaves no row beside the description of other work.
  if (!same) write_file_atomically(work_path(), work.dump(1) + "\n");
}

void RowOutput::drop_rows(const Error& why) {
  refuse_part(why);
  rows_kept_ = 0;
  file_ = std::make_unique<AppendFile>(part_path(), 0);
}

void RowOutput::refuse_part(const Error& why) const {
  if (!overwrite_)
    throw Error(why.message(), why.where(), "give --overwrite to start anew, or name another file");
}

void RowOutput::append(const Json& row) { file_->append(row.dump() + "\n"); }

void RowOutput::sync() { file_->sync(); }

void RowOutput::finish(RunRecord& record) {
  file_->sync();
  // Looked for before the record is written, which would stand beside a file that it is not of.
  const bool free = overwrite_ || !fs::exists(path_);
  if (free) record.write(record_path());
  if (overwrite_) {
    rename_synced(part_path(), path_);
  } else if (!free || !rename_to_new(part_path(), path_)) {
    throw Error(fmt::format("the output file has appeared during the run; all rows are in {}",
                            part_path().string()),
                path_.string(), "move it away or give --overwrite, and run the same command again");
  }
  lock_.reset();
  fs::remove(work_path());
}

fs::path RowOutput::part_path() const { return with_suffix(path_, ".part"); }
fs::path RowOutput::work_path() const { return with_suffix(path_, ".part.json"); }
fs::path RowOutput::record_path() const { return with_suffix(path_, ".run.json"); }

}  // namespace selene::data
