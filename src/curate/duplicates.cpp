// Steps that find rows that say the same: exactly, and nearly.
#include <algorithm>

#include <fmt/format.h>

#include "core/random.h"
#include "curate/keys.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "text/near_duplicate_join.h"
#include "text/scratch_file.h"
#include "text/shingles.h"
#include "text/words.h"

namespace selene::curate {
namespace {

// A number for what is asked about the texts: rows of different questions are different rows.
std::uint64_t question_of(const data::Sample& sample) {
  std::uint64_t hash = derive_seed(0, data::task_name(sample.task));
  hash = derive_seed(hash, sample.criteria.value_or(""));
  for (const std::string& label : sample.labels) hash = derive_seed(hash, label);
  return hash;
}

// The words of a text as one number: case, punctuation and layout do not count, unless it has
// nothing else.
std::uint64_t words_number(std::string_view text, text::Words& words) {
  words.read(text);
  return derive_seed(1, words.size() == 0 ? text : words.text());
}

// Two rows say the same where task, criteria and labels are equal, and of each text the words; of
// pairwise rows in either order. The first stays.
class ExactDuplicates : public Step {
 public:
  void begin(Resources&) override {
    seen_ = {};
    labelled_ = {};
  }

  void note(const Row& row, Notes& notes) const override {
    const data::Sample& sample = row.sample;
    thread_local text::Words words;
    std::uint64_t hash = question_of(sample);
    hash = derive_seed(hash ^ words_number(sample.input, words), "input");
    hash = derive_seed(hash ^ words_number(sample.context.value_or(""), words), "context");
    hash = derive_seed(hash ^ words_number(sample.reference.value_or(""), words), "reference");
    std::string label = row.label();
    if (sample.task == data::Task::Pairwise) {
      std::uint64_t a = words_number(sample.response_a, words);
      std::uint64_t b = words_number(sample.response_b, words);
      if (b < a) {
        std::swap(a, b);
        label = data::swapped_label(label);
      }
      hash = derive_seed(hash ^ a, "a");
      hash = derive_seed(hash ^ b, "b");
    } else {
      hash = derive_seed(hash ^ words_number(sample.response, words), "response");
    }
    notes = {hash, derive_seed(hash, label)};
  }

  std::optional<Drop> in_order(const Row&, const Notes& notes) override {
    const bool is_new = seen_.insert(notes[0]);
    const bool is_new_label = labelled_.insert(notes[1]);
    if (is_new) return std::nullopt;
    if (is_new_label) return Drop{"exact duplicate with another label", ""};
    return Drop{"exact duplicate", ""};
  }

 private:
  Keys seen_;
  Keys labelled_;
};

struct NearOptions {
  double similarity = 0.8;
  std::uint64_t words = 3;
};

constexpr data::Key<NearOptions> kNearKeys[] = {
    {"similarity",
     [](NearOptions& o, const data::Entry& entry) { o.similarity = entry.as<double>(); }},
    {"words",
     [](NearOptions& o, const data::Entry& entry) { o.words = entry.as<std::uint64_t>(); }},
};

// The Jaccard similarity of two rows is that of the shingles of their texts, the responses' and
// the input's apart. Of a long input only as many shingles count as the responses have (those of
// the least hashes, the same of like inputs), so that two answers to one long question are not
// near duplicates for its sake.
class NearDuplicateRows : public Step {
 public:
  explicit NearDuplicateRows(NearOptions options) : options_(options) {}

  bool waits() const override { return true; }

  void begin(Resources& resources) override {
    std::filesystem::create_directories(resources.scratch);
    matches_.clear();
    end_ = 0;
    ends_.reset();
    ids_.reset();
    ids_.emplace(resources.scratch / "near-duplicates.ids");
    ends_.emplace(resources.scratch / "near-duplicates.ends");
    join_ = std::make_unique<text::NearDuplicateJoin>(
        resources.scratch,
        text::NearDuplicateJoin::Options{.threshold = options_.similarity,
                                         .threads = static_cast<size_t>(resources.threads)});
  }

  void note(const Row& row, Notes& notes) const override {
    text::Shingler shingler(options_.words);
    const data::Sample& sample = row.sample;
    const std::uint64_t question = question_of(sample);
    std::vector<std::uint64_t> set;
    const auto add = [&](std::string_view text, const char* field, size_t most) {
      shingler.shingles(text, set);
      const std::uint64_t salt = derive_seed(question, field);
      for (std::uint64_t& shingle : set) shingle = mix(shingle ^ salt);
      if (set.size() > most) {
        std::nth_element(set.begin(), set.begin() + static_cast<std::ptrdiff_t>(most), set.end());
        set.resize(most);
      }
      notes.insert(notes.end(), set.begin(), set.end());
    };
    notes.clear();
    if (sample.task == data::Task::Pairwise) {
      add(sample.response_a, "response", SIZE_MAX);  // In either order.
      add(sample.response_b, "response", SIZE_MAX);
    } else {
      add(sample.response, "response", SIZE_MAX);
    }
    const size_t most = std::max<size_t>(4, notes.size());
    add(sample.input, "input", most);
    if (sample.context) add(*sample.context, "context", most);
    std::sort(notes.begin(), notes.end());
    notes.erase(std::unique(notes.begin(), notes.end()), notes.end());
  }

  std::optional<Drop> in_order(const Row& row, const Notes& notes) override {
    join_->add(notes);
    ids_->append(std::as_bytes(std::span(row.id)));
    end_ += row.id.size();
    const std::uint64_t end = end_;
    ends_->append(std::as_bytes(std::span(&end, 1)));

    return std::nullopt;
  }

  void decide() override {
    join_->finish([&](const text::NearDuplicateJoin::Match& match) {
      matches_.push_back({match.row, match.similarity, id_of(match.earlier)});
    });
    join_.reset();
    ids_.reset();
    ends_.reset();
  }

  std::optional<Drop> settle(size_t number, Row&) const override {
    const auto found =
        std::lower_bound(matches_.begin(), matches_.end(), number,
                         [](const Match& match, size_t row) { return match.row < row; });
    if (found == matches_.end() || found->row != number) return std::nullopt;
    return Drop{"near duplicate", fmt::format("{:.2f} like {}", found->similarity, found->id)};
  }

 private:
  struct Match {
    std::uint32_t row;
    double similarity;
    std::string id;
  };

  static std::uint64_t mix(std::uint64_t hash) { return Random(hash).next(); }

  std::string id_of(std::uint64_t row) const {
    std::uint64_t ends[2] = {0, 0};
    if (row == 0) {
      ends_->read(0, std::as_writable_bytes(std::span(ends + 1, 1)));
    } else {
      ends_->read((row - 1) * sizeof(std::uint64_t), std::as_writable_bytes(std::span(ends)));
    }
    std::string id(ends[1] - ends[0], '\0');
    ids_->read(ends[0], std::as_writable_bytes(std::span(id)));
    return id;
  }

  NearOptions options_;
  std::unique_ptr<text::NearDuplicateJoin> join_;
  std::optional<text::ScratchFile> ids_;
  std::optional<text::ScratchFile> ends_;  // Of each row's id in `ids_`.
  std::uint64_t end_ = 0;
  std::vector<Match> matches_;  // By row.
};

}  // namespace

StepPointer make_exact_duplicates(const data::Entry& entry, std::uint64_t) {
  check_no_options(entry);
  return std::make_unique<ExactDuplicates>();
}

StepPointer make_near_duplicates(const data::Entry& entry, std::uint64_t) {
  NearOptions options = read_options<NearOptions>(entry, kNearKeys);
  if (!(options.similarity > 0 && options.similarity <= 1))
    throw Error("'similarity' must be above 0 and at most 1", entry.place);
  if (options.words < 1 || options.words > 64)
    throw Error("'words' must be from 1 to 64", entry.place);
  return std::make_unique<NearDuplicateRows>(options);
}

}  // namespace selene::curate
