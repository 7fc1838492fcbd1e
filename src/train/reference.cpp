#include "train/reference.h"

#include <cstring>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"

namespace selene::train {
namespace {

// The file: a line with the digest, then a record a row of pairs:
//   count (u32), then for each pair: index (u32), chosen (u32), rejected (u32) and as many doubles
// A record that a kill cut short is the last; it is overwritten.
template <typename Number>
void put(std::string& to, Number number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  bool take(Number& number) {
    if (bytes_.size() - at_ < sizeof number) return false;
    std::memcpy(&number, bytes_.data() + at_, sizeof number);
    at_ += sizeof number;
    return true;
  }
  bool take(std::size_t count, std::vector<double>& numbers) {
    if ((bytes_.size() - at_) / sizeof(double) < count) return false;
    numbers.resize(count);
    std::memcpy(numbers.data(), bytes_.data() + at_, count * sizeof(double));
    at_ += count * sizeof(double);
    return true;
  }
  std::size_t at() const { return at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

struct Record {
  std::uint32_t pair = 0;
  ReferenceScores scores;
};

// One record; false where it is not whole or not of these pairs.
bool read_record(Reader& reader, std::span<const TokenPair> pairs, std::vector<Record>& records) {
  std::uint32_t count = 0;
  if (!reader.take(count)) return false;
  records.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    Record record;
    std::uint32_t chosen = 0;
    std::uint32_t rejected = 0;
    if (!reader.take(record.pair) || !reader.take(chosen) || !reader.take(rejected)) return false;
    if (record.pair >= pairs.size() || chosen != pairs[record.pair].chosen.size() ||
        rejected != pairs[record.pair].rejected.size())
      return false;
    if (!reader.take(chosen, record.scores.chosen) ||
        !reader.take(rejected, record.scores.rejected))
      return false;
    records.push_back(std::move(record));
  }
  return true;
}

// What the file has of these pairs.
struct Kept {
  std::uint64_t bytes = 0;  // Up to the end of the last whole record.
  std::size_t pairs = 0;
};
Kept read_kept(const std::filesystem::path& file, const std::string& digest,
               std::span<const TokenPair> pairs, std::vector<ReferenceScores>& scores) {
  const std::string header = "selene reference 1 " + digest + "\n";
  if (!path_exists(file) || !read_file(file).starts_with(header)) {
    write_file_atomically(file, header);
    return {.bytes = header.size()};
  }
  const std::string bytes = read_file(file);
  Reader reader(bytes);
  std::string skipped(header.size(), ' ');
  for (char& byte : skipped) reader.take(byte);
  Kept kept{.bytes = reader.at()};
  std::vector<Record> records;
  while (read_record(reader, pairs, records)) {
    for (Record& record : records) {
      if (scores[record.pair].chosen.empty()) ++kept.pairs;
      scores[record.pair] = std::move(record.scores);
    }
    kept.bytes = reader.at();
  }
  return kept;
}

}  // namespace

std::vector<double> scores_of(const Branch& branch, std::span<const double> log_p) {
  std::vector<double> scores;
  scores.reserve(branch.targets.size());
  for (const std::int32_t target : branch.targets)
    scores.push_back(log_p[static_cast<std::size_t>(target)]);
  return scores;
}

std::vector<ReferenceScores> reference_scores(Model& model, std::span<const TokenPair> pairs,
                                              std::size_t row_tokens,
                                              const std::filesystem::path& file,
                                              const std::string& digest,
                                              const std::function<void(std::size_t done)>& progress,
                                              const std::function<bool()>& more) {
  std::vector<ReferenceScores> scores(pairs.size());
  const Kept kept = read_kept(file, digest, pairs, scores);
  std::size_t done = kept.pairs;
  std::vector<TokenPair> missing;
  std::vector<std::uint32_t> indexes;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!scores[i].chosen.empty()) continue;
    missing.push_back(pairs[i]);
    indexes.push_back(static_cast<std::uint32_t>(i));
  }
  progress(done);
  if (missing.empty()) return scores;
  AppendFile out(file, kept.bytes);
  for (const Row& row : pack(missing, row_tokens)) {
    if (!more()) return {};
    const std::vector<double> log_p = model.log_probabilities(row, /*keep=*/false);
    std::string record;
    put(record, static_cast<std::uint32_t>(row.pairs.size()));
    for (const PackedPair& packed : row.pairs) {
      ReferenceScores& of_pair = scores[indexes[packed.pair]];
      of_pair = {scores_of(packed.chosen, log_p), scores_of(packed.rejected, log_p)};
      put(record, indexes[packed.pair]);
      put(record, static_cast<std::uint32_t>(of_pair.chosen.size()));
      put(record, static_cast<std::uint32_t>(of_pair.rejected.size()));
      for (const double one : of_pair.chosen) put(record, one);
      for (const double one : of_pair.rejected) put(record, one);
    }
    out.append(record);
    done += row.pairs.size();
    progress(done);
  }
  return scores;
}

}  // namespace selene::train
