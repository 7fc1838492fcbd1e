// src/table of a build without DuckDB: everything says what is missing.
#include "core/error.h"
#include "table/records.h"
#include "table/table.h"

namespace selene::table {
namespace {

[[noreturn]] void refuse(std::string_view where) {
  throw Error("this build of selene has no DuckDB, which tables need", where,
              "make tables gets it and builds again");
}

}  // namespace

bool is_available() { return false; }
std::string version() { return ""; }
std::string quoted_file(std::string_view file) { refuse(file); }

struct Rows::State {
  std::vector<std::string> columns;
};
Rows::Rows(std::string_view, const std::filesystem::path&, std::string name) { refuse(name); }
Rows::~Rows() = default;
Rows::Rows(Rows&&) noexcept = default;
const std::vector<std::string>& Rows::columns() const { return state_->columns; }
bool Rows::next(nlohmann::ordered_json&) { return false; }
std::vector<BadLine> Rows::rejects() const { return {}; }

std::vector<BadLine> screen_json_lines(const std::filesystem::path& file,
                                       const std::filesystem::path&) {
  refuse(file.string());
}

std::optional<RecordSelect> with_records(std::string_view) { refuse(""); }
std::optional<std::vector<std::uint64_t>> lines_of_records(const std::filesystem::path& file, bool,
                                                           std::uint64_t,
                                                           std::span<const std::uint64_t>,
                                                           std::span<const BadLine>) {
  refuse(file.string());
}

struct ParquetWriter::State {};
ParquetWriter::ParquetWriter(std::filesystem::path path, std::vector<Column>) {
  refuse(path.string());
}
ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
void ParquetWriter::append(const nlohmann::ordered_json&) {}
void ParquetWriter::finish(bool) {}

}  // namespace selene::table
