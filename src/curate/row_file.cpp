#include "curate/row_file.h"

#include <fstream>

#include "core/error.h"

namespace selene::curate {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string row_line(const Row& row) { return to_json(row).dump() + "\n"; }

Row row_of_line(const std::string& line) {
  try {
    return row_from_json(Json::parse(line));
  } catch (const Json::exception&) {
    throw Error("a file between passes is damaged", "", "do all again: --from load");
  }
}

struct RowReader::State {
  std::vector<fs::path> files;
  size_t next = 0;
  std::ifstream file;
};

RowReader::RowReader(std::vector<fs::path> files) : state_(std::make_unique<State>()) {
  state_->files = std::move(files);
}
RowReader::~RowReader() = default;

std::vector<std::string> RowReader::lines(std::size_t count) {
  std::vector<std::string> lines;
  State& state = *state_;
  while (lines.size() < count) {
    std::string line;
    if (state.file.is_open() && std::getline(state.file, line)) {
      lines.push_back(std::move(line));
      continue;
    }
    if (state.file.is_open() && state.file.bad())
      throw Error("reading failed", state.files[state.next - 1].string());
    state.file.close();
    state.file.clear();
    if (state.next == state.files.size()) break;
    state.file.open(state.files[state.next], std::ios::binary);
    if (!state.file) throw Error("cannot read", state.files[state.next].string());
    ++state.next;
  }
  return lines;
}

}  // namespace selene::curate
