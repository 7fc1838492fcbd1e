// Steps that look at one row: length, language, agreement.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/text.h"
#include "curate/step_options.h"
#include "curate/steps.h"
#include "engine/token_counter.h"
#include "text/language.h"

namespace selene::curate {
namespace {

template <typename Options, std::int64_t Options::*Number>
void read_count(Options& options, const data::Entry& entry) {
  const auto number = entry.as<std::uint64_t>();
  if (number > (std::uint64_t{1} << 40))
    throw Error(fmt::format("'{}' is too large", entry.key), entry.place);
  options.*Number = static_cast<std::int64_t>(number);
}

struct Length {
  std::int64_t max_tokens = 0;  // Of the sample's texts together; 0: any.
  std::int64_t min_response_chars = 0;
  std::int64_t max_response_chars = 0;
};

constexpr data::Key<Length> kLengthKeys[] = {
    {"max_tokens", read_count<Length, &Length::max_tokens>},
    {"min_response_chars", read_count<Length, &Length::min_response_chars>},
    {"max_response_chars", read_count<Length, &Length::max_response_chars>},
};

class LengthStep : public Step {
 public:
  explicit LengthStep(Length options) : options_(options) {}

  void begin(Resources& resources) override {
    if (options_.max_tokens == 0) return;
    counter_.emplace(counting_model(resources));
  }

  std::string depends_on(const Resources& resources) const override {
    if (options_.max_tokens == 0) return {};
    return sha256_file_cached(counting_model(resources));
  }

  std::optional<Drop> look(Row& row) const override {
    const data::Sample& sample = row.sample;
    const bool pairwise = sample.task == data::Task::Pairwise;
    for (const std::string* response : pairwise
                                           ? std::vector{&sample.response_a, &sample.response_b}
                                           : std::vector{&sample.response}) {
      const auto length = static_cast<std::int64_t>(count_characters(*response));
      if (length < options_.min_response_chars)
        return Drop{"a response too short", fmt::format("{} characters", length)};
      if (options_.max_response_chars != 0 && length > options_.max_response_chars)
        return Drop{"a response too long", fmt::format("{} characters", length)};
    }
    if (!counter_) return std::nullopt;
    if (plainly_short(sample)) return std::nullopt;
    std::int64_t tokens = 0;
    for (const std::string_view text : judged_texts(sample)) tokens += counter_->count(text);
    if (tokens <= options_.max_tokens) return std::nullopt;
    return Drop{"too many tokens", fmt::format("{} tokens", tokens)};
  }

 private:
  bool plainly_short(const data::Sample& sample) const {
    std::int64_t bound = 0;
    for (const std::string_view text : judged_texts(sample)) {
      const std::optional<std::int64_t> most = counter_->at_most(text);
      if (!most) return false;
      bound += *most;
    }
    return bound <= options_.max_tokens;
  }

  Length options_;
  std::optional<engine::TokenCounter> counter_;
};

struct LanguageOptions {
  std::vector<std::string> keep;
  double share = 0.8;  // Of the text in another language that its row goes for.
};

constexpr data::Key<LanguageOptions> kLanguageKeys[] = {
    {"keep",
     [](LanguageOptions& options, const data::Entry& entry) {
       options.keep = entry.as<std::vector<std::string>>();
       for (const std::string& code : options.keep) {
         if (code.size() < 2 || code.size() > 8 ||
             (code.size() > 3 && code.find('-') == std::string::npos))
           throw Error(fmt::format("'{}' is no code of a language, such as en", code), entry.place);
       }
     }},
    {"share",
     [](LanguageOptions& options, const data::Entry& entry) {
       options.share = entry.as<double>();
       if (!(options.share > 0 && options.share <= 1))
         throw Error("'share' must be above 0 and at most 1", entry.place);
     }},
};

// Of all texts together; where they are too short to tell, or of several languages, the row is
// kept. A name or two of another language are enough for CLD2 to take a short text for it.
constexpr size_t kLeastBytes = 100;

class LanguageStep : public Step {
 public:
  explicit LanguageStep(LanguageOptions options) : options_(std::move(options)) {}

  std::optional<Drop> look(Row& row) const override {
    std::string all;
    for (const std::string_view text : judged_texts(row.sample)) {
      all += text;
      all += '\n';
    }
    if (all.size() < kLeastBytes) return std::nullopt;
    const text::Language language = text::language_of(all);
    if (!language.reliable || language.share < options_.share) return std::nullopt;
    const bool kept =
        std::find(options_.keep.begin(), options_.keep.end(), language.code) != options_.keep.end();
    if (kept) return std::nullopt;
    return Drop{fmt::format("language {}", language.code),
                fmt::format("{:.0f}% of the text", 100 * language.share)};
  }

 private:
  LanguageOptions options_;
};

struct Agreement {
  double least = 0;
};

constexpr data::Key<Agreement> kAgreementKeys[] = {
    {"least",
     [](Agreement& options, const data::Entry& entry) { options.least = entry.as<double>(); }},
};

class AgreementStep : public Step {
 public:
  explicit AgreementStep(Agreement options) : options_(options) {}

  std::optional<Drop> look(Row& row) const override {
    // Sums of annotators' shares are rounded.
    if (!row.agreement || *row.agreement >= options_.least - 1e-9) return std::nullopt;
    return Drop{"the annotators disagree", fmt::format("{:.2f} gave the label", *row.agreement)};
  }

 private:
  Agreement options_;
};

}  // namespace

StepPointer make_length(const data::Entry& entry, std::uint64_t) {
  Length options = read_options<Length>(entry, kLengthKeys);
  return std::make_unique<LengthStep>(options);
}

StepPointer make_language(const data::Entry& entry, std::uint64_t) {
  LanguageOptions options = read_options<LanguageOptions>(entry, kLanguageKeys);
  if (options.keep.empty())
    throw Error("'language' needs 'keep': the codes of languages, such as [en]", entry.place);
  return std::make_unique<LanguageStep>(std::move(options));
}

StepPointer make_agreement(const data::Entry& entry, std::uint64_t) {
  Agreement options = read_options<Agreement>(entry, kAgreementKeys);
  if (!(options.least > 0 && options.least <= 1))
    throw Error("'agreement' needs 'least', a share above 0 and at most 1", entry.place);
  return std::make_unique<AgreementStep>(options);
}

}  // namespace selene::curate
