// The step `contamination`: rows that share a run of words with a benchmark's item, or are nearly
// the same text, go, so that what is measured was not trained on.
//
// Runs of 13 words: Brown et al., arXiv 2005.14165, appendix C. Compared are all texts of the row
// (input, context, responses, reference, critiques) with all of the item, word by word in lower
// case without punctuation.
#include <algorithm>
#include <atomic>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.h"
#include "curate/contamination.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "text/near_duplicates.h"
#include "text/ngram_index.h"
#include "text/scratch_file.h"
#include "text/shingles.h"

namespace selene::curate {

BenchmarkTexts::BenchmarkTexts(std::span<const Benchmark> benchmarks, size_t words, int threads,
                               const Look& look)
    : words_(words), runs_(words) {
  for (const Benchmark& benchmark : benchmarks) {
    About about{.name = benchmark.name, .items = 0, .missing = benchmark.missing};
    if (benchmark.missing.empty()) {
      benchmark.each([&](const std::string& id, std::span<const std::string_view> texts) {
        ++about.items;
        items_.push_back({static_cast<std::uint32_t>(about_.size()), id});
        const auto item = static_cast<std::uint32_t>(items_.size() - 1);
        for (const std::string_view text : texts) {
          runs_.add(text, item);
          if (look) look(item, text);
        }
      });
    }
    about_.push_back(std::move(about));
  }
  runs_.build(static_cast<size_t>(threads));
}

std::string BenchmarkTexts::item(std::uint32_t number) const {
  const Item& item = items_[number];
  return fmt::format("{} {}", about_[item.benchmark].name, item.id);
}

std::optional<std::string> BenchmarkTexts::shared_run(
    std::span<const std::string_view> texts) const {
  text::NgramIndex::Finder finder(runs_);
  for (const std::string_view text : texts) {
    if (const auto hit = finder.find(text))
      return fmt::format("{}: {}", item(hit->document), hit->ngram);
  }
  return std::nullopt;
}

namespace {

struct Options {
  std::uint64_t words = 13;
  double similarity = 0.8;  // 0: near duplicates are not looked for.
};

constexpr data::Key<Options> kKeys[] = {
    {"words", [](Options& o, const data::Entry& entry) { o.words = entry.as<std::uint64_t>(); }},
    {"similarity", [](Options& o, const data::Entry& entry) { o.similarity = entry.as<double>(); }},
};

// Shorter texts are alike by chance.
constexpr size_t kShingleWords = 3;
constexpr size_t kLeastShingles = 8;

// Sets of shingles, each with the item that it is of, on the disk.
class SetFile {
 public:
  explicit SetFile(const std::filesystem::path& path) : file_(path) {}

  void add(std::uint32_t item, std::span<const std::uint64_t> set) {
    block_.push_back(item);
    block_.push_back(set.size());
    block_.insert(block_.end(), set.begin(), set.end());
    if (block_.size() >= kBlock) flush();
  }

  // Once, after the last.
  template <typename Use>
  void each(const Use& use) {
    flush();
    std::uint64_t place = 0;
    for (const size_t size : sizes_) {
      block_.resize(size);
      file_.read(place, std::as_writable_bytes(std::span(block_)));
      place += size * sizeof(std::uint64_t);
      for (size_t at = 0; at < size; at += 2 + block_[at + 1])
        use(static_cast<std::uint32_t>(block_[at]),
            std::span<const std::uint64_t>(block_).subspan(at + 2, block_[at + 1]));
    }
  }

 private:
  static constexpr size_t kBlock = size_t{1} << 17;

  void flush() {
    file_.append(std::as_bytes(std::span(block_)));
    sizes_.push_back(block_.size());
    block_.clear();
  }

  text::ScratchFile file_;
  std::vector<std::uint64_t> block_;
  std::vector<size_t> sizes_;  // Of the blocks, in numbers.
};

class Contamination : public Step {
 public:
  Contamination(Options options, std::string place) : options_(options), place_(std::move(place)) {}

  void begin(Resources& resources) override {
    const bool any = std::any_of(resources.benchmarks.begin(), resources.benchmarks.end(),
                                 [](const Benchmark& one) { return one.missing.empty(); });
    if (!any && !resources.no_contamination) {
      throw Error("no benchmark's data was found, so nothing can be kept out of the mix", place_,
                  "name its folder with --bench-data, or say --no-contamination");
    }
    read(resources);
    resources.benchmark_texts = texts_;
  }

  std::string depends_on(const Resources& resources) const override {
    return fmt::format("{} {}", resources.benchmarks_digest, resources.no_contamination);
  }

  std::optional<Drop> look(Row& row) const override {
    std::vector<std::string_view> texts = judged_texts(row.sample);
    if (options_.similarity > 0) {
      thread_local std::vector<std::uint64_t> set;
      text::Shingler shingler(kShingleWords);
      text::NearDuplicates::Scratch& scratch = scratch_of_thread();
      for (const std::string_view text : texts) {
        shingler.shingles(text, set);
        if (set.size() < kLeastShingles) continue;
        if (const auto match = near_->find(set, scratch)) {
          return Drop{"near duplicate of a benchmark's text",
                      fmt::format("{}: {:.2f}", texts_->item(match->row), match->similarity)};
        }
      }
    }
    for (const Critique& critique : row.critiques) texts.push_back(critique.text);
    if (std::optional<std::string> hit = texts_->shared_run(texts)) {
      return Drop{fmt::format("{} words in common with a benchmark", options_.words),
                  *std::move(hit)};
    }
    return std::nullopt;
  }

  nlohmann::ordered_json facts() const override {
    nlohmann::ordered_json facts;
    size_t items = 0, missing = 0;
    for (const BenchmarkTexts::About& one : texts_->about()) {
      items += one.items;
      missing += one.missing.empty() ? 0 : 1;
    }
    facts["benchmarks looked at"] = texts_->about().size() - missing;
    facts["benchmarks without data"] = missing;
    facts["items"] = items;
    facts["runs of words that differ"] = texts_->runs();
    return facts;
  }

 private:
  // The benchmarks' texts are read once. Near duplicates need the sets of shingles twice, first for
  // how often shingles occur: meanwhile they stand in a file.
  void read(const Resources& resources) {
    if (options_.similarity == 0) {
      texts_ =
          std::make_shared<BenchmarkTexts>(resources.benchmarks, options_.words, resources.threads);
      return;
    }
    std::filesystem::create_directories(resources.scratch);
    SetFile sets(resources.scratch / "contamination.sets");
    counts_ = {};
    text::Shingler shingler(kShingleWords);
    std::vector<std::uint64_t> set;
    texts_ =
        std::make_shared<BenchmarkTexts>(resources.benchmarks, options_.words, resources.threads,
                                         [&](std::uint32_t item, std::string_view text) {
                                           shingler.shingles(text, set);
                                           if (set.size() < kLeastShingles) return;
                                           counts_.add(set);
                                           sets.add(item, set);
                                         });
    near_ = std::make_unique<text::NearDuplicates>(options_.similarity, counts_);
    sets.each(
        [&](std::uint32_t item, std::span<const std::uint64_t> one) { near_->add(one, item); });
  }

  // Of the thread and of this index.
  text::NearDuplicates::Scratch& scratch_of_thread() const {
    thread_local const void* owner = nullptr;
    thread_local text::NearDuplicates::Scratch scratch;
    if (owner != near_.get()) scratch = {};
    owner = near_.get();
    return scratch;
  }

  Options options_;
  std::string place_;
  std::shared_ptr<const BenchmarkTexts> texts_;
  text::ShingleCounts counts_;
  std::unique_ptr<text::NearDuplicates> near_;
};

}  // namespace

StepPointer make_contamination(const data::Entry& entry, std::uint64_t) {
  Options options = read_options<Options>(entry, kKeys);
  if (options.words < 3 || options.words > 64)
    throw Error("'words' must be from 3 to 64", entry.place);
  if (!(options.similarity >= 0 && options.similarity <= 1))
    throw Error("'similarity' must be from 0 to 1", entry.place);
  return std::make_unique<Contamination>(options, entry.place);
}

}  // namespace selene::curate
