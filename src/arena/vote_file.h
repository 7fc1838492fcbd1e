// Files of votes, in and out: ours, LMArena's battles and Judge Arena's votes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "arena/store.h"

namespace selene::arena {

enum class VoteFormat {
  Ours,        // docs/formats.md, "Vote"
  LmArena,     // model_a, model_b, winner (model_a, model_b, tie, tie (bothbad)), judge, tstamp
  JudgeArena,  // timestamp, model_a, model_b, winner (A, B, Tie), judge_id
};

// ours, lmarena, judge-arena. Throws Error naming them.
VoteFormat vote_format(std::string_view name);

struct ImportOptions {
  std::optional<VoteFormat> format{};  // Else the columns of the first row tell.
  bool add_judges =
      false;  // Else votes for judges that the arena has not are skipped, unless it has none.
};

struct Imported {
  struct Skip {
    std::size_t rows = 0;
    std::string first;  // "votes.jsonl:17"
  };
  VoteFormat format = VoteFormat::Ours;
  std::size_t rows = 0;
  std::size_t added = 0;
  std::size_t known = 0;                // Votes that were there already.
  std::map<std::string, Skip> skipped;  // By the reason.
};

// Adds the votes of a file (JSONL; with tables also Parquet, JSON and CSV), all or none. Foreign
// votes go in by their time; their ids are the digests of their rows, so that a file adds nothing a
// second time. A row that is no vote is skipped and counted by its reason; an unknown outcome is
// never taken for a tie. Throws Error for a file that cannot be read and for columns that are no
// votes.
Imported import_votes(Store& store, const std::filesystem::path& file,
                      const ImportOptions& options = {});

// Writes all votes, in JSONL or, where the name ends so, in Parquet. Ours has those with a
// tombstone too, with their reason; others leave them out. Returns how many were written.
std::size_t export_votes(Store& store, const std::filesystem::path& file, VoteFormat format,
                         bool overwrite);

}  // namespace selene::arena
