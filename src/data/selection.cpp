#include "data/selection.h"

#include <algorithm>

#include "core/digest.h"
#include "data/yaml_map.h"

namespace selene::data {
namespace {

template <std::string SourceFile::*Text>
void read_file_text(SourceFile& file, const Entry& entry) {
  file.*Text = entry.text();
}

constexpr Key<SourceFile> kFileKeys[] = {{"file", read_file_text<&SourceFile::file>},
                                         {"address", read_file_text<&SourceFile::address>},
                                         {"sha256", read_file_text<&SourceFile::sha256>},
                                         {"xlsx", read_file_text<&SourceFile::xlsx>}};

// A name below the data folder.
void check_relative(const std::string& name, const std::string& place) {
  const std::filesystem::path path(name);
  const bool leaves =
      std::any_of(path.begin(), path.end(), [](const auto& p) { return p == ".."; });
  if (name.empty() || path.is_absolute() || leaves)
    throw Error(fmt::format("'{}' is no file below the data folder", cut_to_columns(name, 80)),
                place);
}

SourceFile read_source_file(const YAML::Node& node, const std::string& file) {
  const std::string place = yaml_place(node, file);
  SourceFile source;
  read_keys(source, entries_of(node, "an entry of 'files'", file), kFileKeys);
  check_relative(source.file, place);
  if (!source.xlsx.empty()) check_relative(source.xlsx, place);
  const bool is_digest = source.sha256.size() == 64 &&
                         source.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!source.sha256.empty() && !is_digest) throw Error("'sha256' must be 64 hex digits", place);
  return source;
}

void read_files(Selection& selection, const Entry& entry) {
  if (!entry.value.IsSequence() || entry.value.size() == 0)
    throw Error("'files' must be a list of files", entry.place);
  for (const YAML::Node& file : entry.value)
    selection.files.push_back(read_source_file(file, entry.file));
}

constexpr Key<Selection> kSelectionKeys[] = {
    {"files", read_files},
    {"select", [](Selection& selection, const Entry& entry) { selection.sql = entry.text(); }}};

std::string file_list(const std::vector<std::string>& files) {
  if (files.size() <= 3) return fmt::format("{}", fmt::join(files, ", "));
  return fmt::format("{}, {} and {} more", files[0], files[1], files.size() - 2);
}

std::vector<std::string> missing_files(const Selection& selection,
                                       const std::filesystem::path& folder) {
  std::vector<std::string> missing;
  for (const SourceFile& file : selection.files) {
    if (!std::filesystem::is_regular_file(folder / file.file)) missing.push_back(file.file);
  }
  return missing;
}

}  // namespace

Selection read_selection(const Entry& entry) {
  Selection selection;
  read_keys(selection, entries_of(entry.value, fmt::format("'{}'", entry.key), entry.file),
            kSelectionKeys);
  if (selection.files.empty() || selection.sql.empty())
    throw Error(fmt::format("'{}' needs 'files' and 'select'", entry.key), entry.place);
  return selection;
}

const Selection* present_selection(const Selection& source, const std::optional<Selection>& local,
                                   const std::filesystem::path& folder, std::string& reason) {
  const std::vector<std::string> missing = missing_files(source, folder);
  if (missing.empty()) return &source;
  if (local && missing_files(*local, folder).empty()) return &*local;
  reason = fmt::format("data not present: {}", file_list(missing));
  return nullptr;
}

std::vector<std::string> revision_warnings(const Selection& selection,
                                           const std::filesystem::path& folder,
                                           std::string_view owner) {
  std::vector<std::string> warnings;
  for (const SourceFile& file : selection.files) {
    const std::string& name = file.xlsx.empty() ? file.file : file.xlsx;
    if (file.sha256.empty() || !std::filesystem::exists(folder / name)) continue;
    const std::string digest = sha256_file_cached(folder / name);
    if (digest == file.sha256) continue;
    warnings.push_back(fmt::format("{} is of another revision: its SHA-256 is {}, the {}'s {}",
                                   name, digest, owner, file.sha256));
  }
  return warnings;
}

}  // namespace selene::data
