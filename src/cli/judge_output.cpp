#include "cli/judge_output.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// With its folders' links resolved, also where the file is not there yet.
fs::path canonical_name(const fs::path& path) {
  std::error_code failed;
  return fs::weakly_canonical(fs::absolute(link_target(path)), failed);
}

}  // namespace

void Counts::add(const Json& judgment) {
  if (judgment.contains("skipped")) {
    ++skipped;
    return;
  }
  ++judged;
  if (judgment.at("label").is_null()) ++unreadable;
  if (judgment.at("probabilities").is_null()) ++without_probabilities;
  const Json& flags = judgment.at("flags");
  if (std::find(flags.begin(), flags.end(), "truncated") != flags.end()) ++truncated;
  for (const Json& part : judgment.value("parts", Json::array())) {
    const std::string judge = part.at("judge").get<std::string>();
    if (part.at("label").is_null()) {
      ++parts[judge].unreadable;
    } else if (part.at("probabilities").is_null()) {
      ++parts[judge].without_probabilities;
    }
  }
}

std::optional<Error> count_kept(const std::filesystem::path& part, size_t lines,
                                const data::InputRows& input, Counts& counts) {
  try {
    data::JsonlReader reader(part);
    data::InputRows::Reader samples(input);
    for (data::Row row; reader.next(row); ++counts.kept) {
      const std::vector<data::Sample> sample = samples.next(1);
      if (sample.empty()) return Error("more rows than the input has", reader.place());
      try {
        if (row.value.at("id") != data::id_to_json(sample[0].id, sample[0].id_is_integer)) {
          return Error(fmt::format("the judgment of another row: its id is {}, that of {} is '{}'",
                                   cut_to_columns(row.value.at("id").dump(), 60), samples.place(0),
                                   cut_to_columns(sample[0].id, 60)),
                       reader.place());
        }
        counts.add(row.value);
      } catch (const Json::exception& failure) {
        return Error(fmt::format("this is no judgment: {}", data::json_reason(failure)),
                     reader.place());
      }
    }
    if (counts.kept != lines) return Error("it has blank lines", part.string());
  } catch (const Error& failure) {
    return failure;
  }
  return std::nullopt;
}

Json to_json(const Counts& counts) {
  Json object = {{"rows", counts.rows},
                 {"judged", counts.judged},
                 {"unreadable", counts.unreadable},
                 {"without_probabilities", counts.without_probabilities},
                 {"skipped", counts.skipped},
                 {"truncated", counts.truncated},
                 {"from_before", counts.kept}};
  for (const auto& [judge, parts] : counts.parts) {
    object["parts"][judge] = {{"unreadable", parts.unreadable},
                              {"without_probabilities", parts.without_probabilities}};
  }
  return object;
}

Json to_json(const engine::Counters& counters) {
  return {{"prompt_tokens", counters.prompt_tokens},
          {"prompt_tokens_computed", counters.prompt_tokens_computed},
          {"scoring_tokens_computed", counters.scoring_tokens_computed},
          {"repeated_tokens_computed", counters.repeated_tokens_computed},
          {"generated_tokens", counters.generated_tokens},
          {"prefill_s", counters.prefill_s},
          {"decode_s", counters.decode_s},
          {"scoring_s", counters.scoring_s}};
}

Json to_json(std::span<const engine::ServerUse> servers) {
  Json list = Json::array();
  for (const engine::ServerUse& one : servers) {
    list.push_back({{"address", one.address},
                    {"requests", one.requests},
                    {"failures", one.failures},
                    {"retries", one.retries}});
  }
  return list;
}

std::string summary(const Counts& counts, std::int64_t ledger_hits, double seconds) {
  std::string text =
      fmt::format("{} row{}: {} judged, {} unreadable, {} skipped", counts.rows,
                  counts.rows == 1 ? "" : "s", counts.judged, counts.unreadable, counts.skipped);
  if (counts.without_probabilities > counts.unreadable)
    text += fmt::format(", {} without probabilities", counts.without_probabilities);
  if (counts.truncated > 0)
    text += fmt::format(", {} with a critique cut at --max-tokens", counts.truncated);
  for (const auto& [judge, parts] : counts.parts) {
    text += fmt::format(", of the parts by {} {} unreadable and {} without probabilities",
                        cut_to_columns(judge, 60), parts.unreadable, parts.without_probabilities);
  }
  if (counts.kept > 0) text += fmt::format(", {} of them from before", counts.kept);
  if (ledger_hits > 0)
    text += fmt::format(", {} request{} known from the ledger", ledger_hits,
                        ledger_hits == 1 ? "" : "s");
  return text + fmt::format("; {:.1f} s", seconds);
}

void check_not_input(const fs::path& out, std::span<const NamedFile> inputs) {
  const fs::path target = link_target(out);
  for (const char* suffix : {"", ".part", ".part.json", ".run.json"}) {
    const std::string written = target.string() + suffix;
    for (const auto& [what, file, is_made] : inputs) {
      std::error_code not_there;
      const bool same = fs::equivalent(written, file, not_there) ||
                        (is_made && canonical_name(written) == canonical_name(file));
      if (!same) continue;
      throw UsageError(fmt::format("the output would write over the {}", what), file,
                       "name another file");
    }
  }
}

ScratchLedger::ScratchLedger(const data::RowOutput& output)
    : path_(output.part_path().string() + ".ledger"), keep_(fs::exists(path_)) {}

ScratchLedger::~ScratchLedger() {
  if (keep_) return;
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path_ + suffix, ignored);
}

std::string interrupt_message(const Counts& counts, const data::RowOutput* output,
                              bool has_ledger) {
  std::string text = counts.done() == 0 ? "interrupted before a row was done"
                                        : fmt::format("interrupted: {} of {} rows are done",
                                                      counts.done(), counts.rows);
  if (output != nullptr) {
    text += counts.done() == 0 ? ", what is finished of later ones is kept"
                               : fmt::format(" and kept in {}, what is finished of later ones too",
                                             output->part_path().string());
    return text + "; the same command again goes on from there";
  }
  if (has_ledger) {
    return text + "; finished judgments are in the ledger, and the same command again reuses them";
  }
  return text + "; give --out FILE to keep what is finished";
}

}  // namespace selene::cli
