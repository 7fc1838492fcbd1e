#include "cli/pull_files.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/output.h"
#include "core/digest.h"
#include "core/error.h"
#include "net/download.h"
#include "table/xlsx.h"

namespace selene::cli {
namespace {

// Says whether the file is new.
bool pull_file(const data::SourceFile& file, const std::filesystem::path& path,
               const PullOptions& options) {
  if (std::filesystem::exists(path)) {
    if (file.sha256.empty() || sha256_file_cached(path) == file.sha256) return false;
    throw Error(fmt::format("this file is of another revision than the {}'s", options.owner),
                path.string(), "move it away and pull again");
  }
  if (file.address.empty())
    throw Error("it has no public address", file.file,
                fmt::format("the licence and the paper say where it is: {}", options.paper));
  std::filesystem::create_directories(path.parent_path());
  const net::Download got = net::download({.url = file.address,
                                           .destination = path,
                                           .sha256 = file.sha256,
                                           .token_env = options.token_env,
                                           .label = path.filename().string(),
                                           .silent = options.quiet});
  if (!got.verified) {
    std::fprintf(stderr, "warning: %s: not checked, its SHA-256 is not known to the %s; it is %s\n",
                 path.c_str(), options.owner.c_str(), got.sha256.c_str());
  }
  return true;
}

}  // namespace

void pull_files(const data::Selection& selection, const std::filesystem::path& folder,
                const PullOptions& options) {
  for (const data::SourceFile& file : selection.files) {
    // The file itself, or the workbook that it is made of.
    const std::filesystem::path path = folder / (file.xlsx.empty() ? file.file : file.xlsx);
    const bool is_new = pull_file(file, path, options);
    if (!file.xlsx.empty() && (is_new || !std::filesystem::exists(folder / file.file)))
      table::xlsx_to_jsonl(path, folder / file.file);
    put(fmt::format("  {}{}\n", path.string(), is_new ? "" : " (was here)"));
  }
}

}  // namespace selene::cli
