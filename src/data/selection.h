// Files of a data folder and the SELECT that makes rows of them: where benchmarks and the sources
// of a recipe come from. The format is docs/formats.md, "Selection".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace selene::data {

struct Entry;

// A file of the data folder.
struct SourceFile {
  std::string file;     // Relative to the data folder.
  std::string address;  // The public copy, to be pulled; empty: none.
  std::string sha256;   // Of that revision; empty: not known.
  std::string xlsx;     // Made of this spreadsheet (table/xlsx.h); empty: a file as it is.
};

// A set of files and the select that makes rows of them.
struct Selection {
  std::vector<SourceFile> files;
  std::string sql;
};

// The value of a key such as `source`. Throws Error that names file, line and key.
Selection read_selection(const Entry& entry);

// The selection whose files are all in `folder`: the source's, else the local copy's. Null where
// neither's are; `reason` then says what is missing.
const Selection* present_selection(const Selection& source, const std::optional<Selection>& local,
                                   const std::filesystem::path& folder, std::string& reason);

// "a/b.jsonl is of another revision: …", a line a file; `owner` is whose revision it should be.
std::vector<std::string> revision_warnings(const Selection& selection,
                                           const std::filesystem::path& folder,
                                           std::string_view owner);

}  // namespace selene::data
