#include "arena/vote_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "table/table.h"

namespace selene::arena {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kFormats{"ours", "lmarena", "judge-arena"};
constexpr std::size_t kWidth = 60;
constexpr const char* kColumns =
    "ours has judge_a, judge_b and outcome, LMArena's model_a, model_b and winner (with tstamp), "
    "Judge Arena's the same with timestamp";

// Why a row is no vote.
struct Skipped {
  std::string reason;
};

std::string shown(const Json& value) {
  return cut_to_columns(value.is_string() ? value.get<std::string>() : value.dump(), kWidth);
}

std::string text_of(const Json& row, const char* name) {
  const auto at = row.find(name);
  if (at == row.end() || at->is_null()) return {};
  return at->is_string() ? at->get<std::string>() : at->dump();
}

std::string judge_of(const Json& row, const char* name) {
  const std::string judge = text_of(row, name);
  if (trim(judge).empty()) throw Skipped{fmt::format("no {}", name)};
  return judge;
}

Outcome outcome_of(const Json& row, const char* name,
                   std::span<const std::pair<std::string_view, Outcome>> known) {
  const auto at = row.find(name);
  if (at == row.end() || at->is_null()) throw Skipped{fmt::format("no {}", name)};
  const std::string text = text_of(row, name);
  for (const auto& [word, outcome] : known)
    if (word == text) return outcome;
  throw Skipped{fmt::format("unknown {} '{}'", name, shown(*at))};
}

// Seconds since 1970, or a date and time.
std::int64_t time_of(const Json& row, const char* name) {
  constexpr double kMostSeconds = 1e11;  // The year 5138: beyond it these are milliseconds.
  const auto at = row.find(name);
  if (at == row.end() || at->is_null()) return 0;
  if (at->is_number()) {
    const auto seconds = at->get<double>();
    if (seconds >= 0 && seconds < kMostSeconds) return std::llround(seconds * 1000);
  } else if (at->is_string()) {
    if (const auto time_ms = time_from_text(at->get<std::string>())) return *time_ms;
  }
  throw Skipped{fmt::format("{} is no time: '{}'", name, shown(*at))};
}

constexpr std::pair<std::string_view, Outcome> kOurOutcomes[] = {
    {"A", Outcome::A}, {"B", Outcome::B}, {"tie", Outcome::Tie}, {"both_bad", Outcome::BothBad}};
constexpr std::pair<std::string_view, Outcome> kLmArenaOutcomes[] = {
    {"model_a", Outcome::A},
    {"model_b", Outcome::B},
    {"tie", Outcome::Tie},
    {"tie (bothbad)", Outcome::BothBad},
    {"both_bad", Outcome::BothBad}};
constexpr std::pair<std::string_view, Outcome> kJudgeArenaOutcomes[] = {
    {"A", Outcome::A}, {"B", Outcome::B}, {"Tie", Outcome::Tie}};

Vote our_vote(const Json& row) {
  Vote vote;
  vote.id = text_of(row, "id");
  if (vote.id.size() != 64 || vote.id.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Skipped{"the id is no vote's"};
  vote.judge_a = judge_of(row, "judge_a");
  vote.judge_b = judge_of(row, "judge_b");
  vote.outcome = outcome_of(row, "outcome", kOurOutcomes);
  vote.time_ms = time_of(row, "time");
  const auto taken = row.find("taken_ms");
  if (taken != row.end() && !taken->is_null()) {
    if (!taken->is_number_integer() || taken->get<std::int64_t>() < 0)
      throw Skipped{fmt::format("taken_ms is no time: '{}'", shown(*taken))};
    vote.taken_ms = taken->get<std::int64_t>();
  }
  vote.voter = text_of(row, "voter");
  vote.session = text_of(row, "session");
  vote.category = text_of(row, "category");
  vote.sample = text_of(row, "sample");
  vote.judgment_a = text_of(row, "judgment_a");
  vote.judgment_b = text_of(row, "judgment_b");
  vote.source = text_of(row, "source");
  vote.removed = text_of(row, "removed");
  return vote;
}

// What both foreign formats have.
Vote foreign_vote(const Json& row, std::span<const std::pair<std::string_view, Outcome>> outcomes,
                  const char* time) {
  Vote vote;
  vote.judge_a = judge_of(row, "model_a");
  vote.judge_b = judge_of(row, "model_b");
  vote.outcome = outcome_of(row, "winner", outcomes);
  vote.time_ms = time_of(row, time);
  vote.source = "import";
  return vote;
}

Vote lmarena_vote(const Json& row) {
  const auto blind = row.find("anony");
  if (blind != row.end() && blind->is_boolean() && !blind->get<bool>())
    throw Skipped{"the names were shown (anony is false)"};
  Vote vote = foreign_vote(row, kLmArenaOutcomes, "tstamp");
  vote.voter = text_of(row, "judge");
  const auto category = row.find("category");
  vote.category = category != row.end() && category->is_string() ? category->get<std::string>()
                                                                 : text_of(row, "language");
  return vote;
}

Vote judge_arena_vote(const Json& row) {
  Vote vote = foreign_vote(row, kJudgeArenaOutcomes, "timestamp");
  vote.voter = text_of(row, "judge_id");
  return vote;
}

VoteFormat format_of(const Json& row, const std::string& place) {
  const auto has = [&](std::initializer_list<const char*> names) {
    return std::all_of(names.begin(), names.end(), [&](const char* n) { return row.contains(n); });
  };
  if (has({"judge_a", "judge_b", "outcome"})) return VoteFormat::Ours;
  if (has({"model_a", "model_b", "winner"}))
    return has({"timestamp"}) && !has({"tstamp"}) ? VoteFormat::JudgeArena : VoteFormat::LmArena;
  std::vector<std::string> columns;
  for (const auto& [name, value] : row.items()) columns.push_back(name);
  throw Error(fmt::format("these columns are no votes: {}",
                          cut_to_columns(fmt::format("{}", fmt::join(columns, ", ")), 100)),
              place, kColumns);
}

// The rows of a file with their places.
void each_row(const std::filesystem::path& file,
              const std::function<void(const Json& row, const std::string& place)>& visit) {
  const std::string extension = file.extension().string();
  const std::pair<std::string_view, std::string_view> kReaders[] = {
      {".parquet", "read_parquet"}, {".csv", "read_csv"}, {".json", "read_json"}};
  for (const auto& [ending, reader] : kReaders) {
    if (extension != ending) continue;
    const std::filesystem::path whole = std::filesystem::absolute(file).lexically_normal();
    if (!path_exists(whole)) throw Error("there is no such file", file.string());
    table::Rows rows(
        fmt::format("SELECT * FROM {}({})", reader, table::quoted_file(whole.filename().string())),
        whole.parent_path(), file.string());
    Json row;
    for (std::size_t number = 1; rows.next(row); ++number)
      visit(row, fmt::format("{}: row {}", file.string(), number));
    return;
  }
  data::JsonlReader reader(file);
  for (data::Row row; reader.next(row);) visit(row.value, reader.place());
}

// Reads, checks and orders the votes of one file.
class Importer {
 public:
  Importer(Store& store, const ImportOptions& options) : store_(store), format_(options.format) {
    for (auto& [id, name] : store.judges()) judges_.insert(std::move(name));
    add_judges_ = options.add_judges || judges_.empty();
  }

  void take(const Json& row, const std::string& place) {
    if (!format_) format_ = format_of(row, place);
    ++result_.rows;
    try {
      votes_.push_back(read(row));
    } catch (const Skipped& skipped) {
      Imported::Skip& skip = result_.skipped[skipped.reason];
      if (skip.rows++ == 0) skip.first = place;
    }
  }

  Imported finish() {
    result_.format = format_.value_or(VoteFormat::Ours);
    if (result_.format != VoteFormat::Ours)
      std::stable_sort(votes_.begin(), votes_.end(),
                       [](const Vote& x, const Vote& y) { return x.time_ms < y.time_ms; });
    result_.added = store_.add_votes(votes_);
    result_.known = votes_.size() - result_.added;
    return std::move(result_);
  }

 private:
  Vote read(const Json& row) {
    Vote vote = format_ == VoteFormat::Ours      ? our_vote(row)
                : format_ == VoteFormat::LmArena ? lmarena_vote(row)
                                                 : judge_arena_vote(row);
    for (const std::string& judge : {vote.judge_a, vote.judge_b}) {
      if (!add_judges_ && !judges_.contains(judge))
        throw Skipped{fmt::format("the arena has no judge '{}'", cut_to_columns(judge, kWidth))};
    }
    if (format_ == VoteFormat::Ours) return vote;
    // A row that stands in the file twice is two votes.
    const std::string digest = sha256(row.dump());
    const std::size_t time = seen_[digest]++;
    vote.id = time == 0 ? digest : sha256(fmt::format("{} {}", digest, time));
    if (!vote.voter.empty()) vote.voter = store_.voter_hash(vote.voter);
    return vote;
  }

  Store& store_;
  std::optional<VoteFormat> format_;
  bool add_judges_ = false;
  std::set<std::string> judges_;
  std::unordered_map<std::string, std::size_t> seen_;
  std::vector<Vote> votes_;
  Imported result_;
};

std::string_view foreign_word(Outcome outcome,
                              std::span<const std::pair<std::string_view, Outcome>> words) {
  for (const auto& [word, meant] : words)
    if (meant == outcome) return word;
  return "Tie";  // Judge Arena has no other word for a pair that is bad on both sides.
}

Json row_of(const Vote& vote, VoteFormat format) {
  if (format == VoteFormat::LmArena)
    return {{"model_a", vote.judge_a},
            {"model_b", vote.judge_b},
            {"winner", foreign_word(vote.outcome, kLmArenaOutcomes)},
            {"judge", vote.voter},
            {"tstamp", static_cast<double>(vote.time_ms) / 1000},
            {"anony", true},
            {"category", vote.category}};
  if (format == VoteFormat::JudgeArena)
    return {{"timestamp", time_text(vote.time_ms)},
            {"model_a", vote.judge_a},
            {"model_b", vote.judge_b},
            {"winner", foreign_word(vote.outcome, kJudgeArenaOutcomes)},
            {"judge_id", vote.voter}};
  return to_json(vote);
}

std::vector<table::Column> columns_of(VoteFormat format) {
  using enum table::ColumnType;
  if (format == VoteFormat::LmArena)
    return {{"model_a", Text}, {"model_b", Text},  {"winner", Text},  {"judge", Text},
            {"tstamp", Real},  {"anony", Boolean}, {"category", Text}};
  if (format == VoteFormat::JudgeArena)
    return {{"timestamp", Text},
            {"model_a", Text},
            {"model_b", Text},
            {"winner", Text},
            {"judge_id", Text}};
  return {{"id", Text},       {"judge_a", Text},     {"judge_b", Text},    {"outcome", Text},
          {"time", Text},     {"taken_ms", Integer}, {"voter", Text},      {"session", Text},
          {"category", Text}, {"sample", Text},      {"judgment_a", Text}, {"judgment_b", Text},
          {"source", Text},   {"removed", Text}};
}

}  // namespace

VoteFormat vote_format(std::string_view name) {
  for (std::size_t i = 0; i < kFormats.size(); ++i)
    if (kFormats[i] == name) return static_cast<VoteFormat>(i);
  throw Error(fmt::format("unknown format '{}'", name), "",
              fmt::format("known: {}", fmt::join(kFormats, ", ")));
}

Imported import_votes(Store& store, const std::filesystem::path& file,
                      const ImportOptions& options) {
  Importer importer(store, options);
  each_row(file, [&](const Json& row, const std::string& place) { importer.take(row, place); });
  return importer.finish();
}

std::size_t export_votes(Store& store, const std::filesystem::path& file, VoteFormat format,
                         bool overwrite) {
  const std::filesystem::path target = output_target(file, overwrite);
  std::size_t written = 0;
  const auto each = [&](const std::function<void(const Json&)>& append) {
    store.each_vote([&](const Vote& vote) {
      if (format != VoteFormat::Ours && (!vote.removed.empty() || vote.source == "panel")) return;
      append(row_of(vote, format));
      ++written;
    });
  };
  if (target.extension() == ".parquet") {
    table::ParquetWriter writer(target, columns_of(format));
    each([&](const Json& row) { writer.append(row); });
    writer.finish(overwrite);
  } else {
    AtomicFile out(target);
    each([&](const Json& row) { out.append(row.dump() + "\n"); });
    out.commit(overwrite);
  }
  return written;
}

}  // namespace selene::arena
