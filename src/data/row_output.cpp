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

}  // namespace

void RowOutput::check_new(const fs::path& path, bool overwrite) {
  if (fs::is_directory(path)) throw Error("the output is a folder", path.string(), "name a file");
  if (!overwrite && fs::exists(path)) {
    throw Error("the output file exists", path.string(), "give --overwrite or another --out");
  }
}

RowOutput::RowOutput(fs::path path, const Json& work, bool overwrite) : path_(std::move(path)) {
  check_new(path_, overwrite);
  WholeRows kept;
  if (!overwrite && fs::exists(part_path())) {
    Json old_work;
    if (std::ifstream file(work_path()); file)
      old_work = Json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (old_work.is_discarded())
      old_work = nullptr;  // A discarded value compares as equal to everything.
    if (old_work != work) {
      throw Error(
          fmt::format("this file was begun by other work ({})", first_difference(old_work, work)),
          part_path().string(), "give --overwrite to start anew, or another --out");
    }
    kept = count_whole_rows(part_path());
  } else {
    write_file_atomically(work_path(), work.dump(1) + "\n");
  }
  rows_kept_ = kept.rows;
  file_ = std::make_unique<AppendFile>(part_path(), kept.bytes);
}

void RowOutput::append(const Json& row) { file_->append(row.dump() + "\n"); }

void RowOutput::sync() { file_->sync(); }

void RowOutput::finish(RunRecord& record) {
  file_->sync();
  record.write(record_path());
  rename_synced(part_path(), path_);
  fs::remove(work_path());
}

fs::path RowOutput::part_path() const { return with_suffix(path_, ".part"); }
fs::path RowOutput::work_path() const { return with_suffix(path_, ".part.json"); }
fs::path RowOutput::record_path() const { return with_suffix(path_, ".run.json"); }

}  // namespace selene::data
