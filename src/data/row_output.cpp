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
std::string first_difference(const Json& old_work, const Json& new_work) {
  if (!old_work.is_object()) return "its .part.json cannot be read";
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
Json read_work(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return nullptr;
  const Json work = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  return work.is_discarded() ? Json(nullptr) : work;  // A discarded value equals everything.
}

fs::path checked_target(const fs::path& path, bool overwrite) {
  const fs::path target = link_target(path);
  std::error_code ignored;  // Where it cannot be told, making OUT.part says why.
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status)) throw Error("the output is a folder", path.string(), "name a file");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error("the output is not a regular file", path.string(),
                "leave out --out and redirect standard output to it");
  }
  if (fs::exists(status) && !overwrite)
    throw Error("the output file exists", path.string(), "give --overwrite or another --out");
  return target;
}

}  // namespace

RowOutput::RowOutput(const fs::path& path, bool overwrite)
    : path_(checked_target(path, overwrite)),
      overwrite_(overwrite),
      lock_(std::make_unique<FileLock>(part_path())) {}

RowOutput::~RowOutput() {
  std::error_code ignored;
  if (lock_ == nullptr || fs::file_size(part_path(), ignored) > 0) return;
  fs::remove(work_path(), ignored);
  fs::remove(part_path(), ignored);
}

void RowOutput::begin(const Json& work) {
  const Json old_work = read_work(work_path());
  const bool same = old_work == work;
  WholeRows kept = count_whole_rows(part_path());
  if (!same && kept.rows > 0 && !overwrite_) {
    throw Error(
        fmt::format("this file was begun by other work ({})", first_difference(old_work, work)),
        part_path().string(), "give --overwrite to start anew, or another --out");
  }
  if (!same) kept = {};
  rows_kept_ = kept.rows;
  file_ = std::make_unique<AppendFile>(part_path(), kept.bytes);
  // After the cut: a kill leaves no row beside the description of other work.
  if (!same) write_file_atomically(work_path(), work.dump(1) + "\n");
}

void RowOutput::append(const Json& row) { file_->append(row.dump() + "\n"); }

void RowOutput::sync() { file_->sync(); }

void RowOutput::finish(RunRecord& record) {
  file_->sync();
  record.write(record_path());
  rename_synced(part_path(), path_);
  lock_.reset();
  fs::remove(work_path());
}

fs::path RowOutput::part_path() const { return with_suffix(path_, ".part"); }
fs::path RowOutput::work_path() const { return with_suffix(path_, ".part.json"); }
fs::path RowOutput::record_path() const { return with_suffix(path_, ".run.json"); }

}  // namespace selene::data
