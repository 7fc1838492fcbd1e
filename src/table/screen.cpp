#include "table/screen.h"

#include <zlib.h>

#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "table/records.h"
#include "table/whole_file.h"

namespace selene::table {
namespace {

constexpr size_t kMostBytes = size_t{256} << 20;

// zlib reads a file that is not compressed as it is.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& file)
      : file_(file), opened_(gzopen(file.c_str(), "rb"), &gzclose), bytes_(1 << 18) {
    if (!opened_) throw Error("cannot read", file.string());
  }

  bool next(std::string& line) {
    line.clear();
    for (;;) {
      const std::string_view rest(bytes_.data() + at_, have_ - at_);
      const size_t end = rest.find('\n');
      if (line.size() + rest.size() > kMostBytes)
        throw Error("a line is longer than 256 MiB", file_.string());
      line += rest.substr(0, end);
      if (end != std::string_view::npos) {
        at_ += end + 1;
        return true;
      }
      const int read = gzread(opened_.get(), bytes_.data(), static_cast<unsigned>(bytes_.size()));
      at_ = 0;
      have_ = read > 0 ? static_cast<size_t>(read) : 0;
      if (read < 0) throw Error("the file is damaged or cut short", file_.string(), "get it again");
      if (read == 0) return !line.empty();
    }
  }

 private:
  std::filesystem::path file_;
  std::unique_ptr<gzFile_s, decltype(&gzclose)> opened_;
  std::vector<char> bytes_;
  size_t at_ = 0;
  size_t have_ = 0;
};

}  // namespace

std::vector<BadLine> screen_json_lines(const std::filesystem::path& file,
                                       const std::filesystem::path& out) {
  check_whole(file);
  Lines lines(file);
  // Compressed or not, as the file is: its name says so to DuckDB.
  const bool compressed = out.extension() == ".gz";
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> kept(
      gzopen(out.c_str(), compressed ? "wb1" : "wbT"), &gzclose);
  const auto write = [&](std::string_view bytes) {
    if (kept && gzwrite(kept.get(), bytes.data(), static_cast<unsigned>(bytes.size())) ==
                    static_cast<int>(bytes.size()))
      return;
    throw Error("cannot write", out.string(), "is there space on the disk?");
  };
  std::vector<BadLine> bad;
  std::string buffer;
  std::uint64_t number = 0;
  for (std::string line; lines.next(line);) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (trim(line).empty()) continue;
    try {
      data::parse_object(line);
      buffer += line;
      buffer += '\n';
    } catch (const Error& failure) {
      bad.push_back({.file = file.string(), .line = number, .reason = failure.message()});
    }
    if (buffer.size() < size_t{1} << 20) continue;
    write(buffer);
    buffer.clear();
  }
  if (!buffer.empty()) write(buffer);
  return bad;
}

std::optional<std::vector<std::uint64_t>> lines_of_records(const std::filesystem::path& file,
                                                           bool header, std::uint64_t count,
                                                           std::span<const std::uint64_t> records,
                                                           std::span<const BadLine> without) {
  Lines lines(file);
  std::vector<std::uint64_t> found;
  std::uint64_t number = 0, record = 0;
  bool is_names = header;
  auto left_out = without.begin();
  for (std::string line; lines.next(line);) {
    ++number;
    if (left_out != without.end() && left_out->line == number) {
      ++left_out;
      continue;
    }
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (trim(line).empty()) continue;
    if (is_names) {
      is_names = false;
      continue;
    }
    ++record;
    if (found.size() < records.size() && records[found.size()] == record) found.push_back(number);
  }
  // As many lines as records, each of which has one at least: then each has one.
  if (record != count || found.size() != records.size()) return std::nullopt;
  return found;
}

}  // namespace selene::table
