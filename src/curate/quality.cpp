// The step `quality`: texts that are no prose. The rules are Gopher's (Rae et al., arXiv
// 2112.11446, appendix A.1: mean word length, symbols by words, lines that are bullets or end with
// an ellipsis, repeated lines, n-grams that make up much of the text, table A1), with its limits.
// They were made for web pages, so they are for texts of at least 50 words, and of a row for its
// input, context and critiques: a bad response is what a judge has to know.
#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "core/text.h"
#include "curate/quality.h"
#include "curate/step_options.h"
#include "curate/steps.h"

namespace selene::curate {
namespace {

constexpr size_t kLeastWords = 50;

std::vector<std::string_view> split(std::string_view text, const char* separators) {
  std::vector<std::string_view> parts;
  for (size_t begin = text.find_first_not_of(separators); begin != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(separators, end);
  }
  return parts;
}

size_t occurrences(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size()))
    ++count;
  return count;
}

double share(size_t part, size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The characters in the most frequent n-gram of words, as a share of all of the words'.
double top_ngram_share(const std::vector<std::string_view>& words, size_t n, size_t all) {
  std::unordered_map<std::string, size_t> counts;
  size_t most = 0;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string ngram;
    size_t length = 0;
    for (size_t k = i; k < i + n; ++k) {
      ngram += words[k];
      ngram += ' ';
      length += words[k].size();
    }
    const size_t count = ++counts[std::move(ngram)];
    if (count > 1) most = std::max(most, count * length);
  }
  return share(most, all);
}

// Lines that stood before: their share of the lines, and of the bytes.
std::pair<double, double> repeated_lines(const std::vector<std::string_view>& lines, size_t bytes) {
  std::unordered_map<std::string_view, size_t> seen;
  size_t repeated = 0, repeated_bytes = 0;
  for (const std::string_view line : lines) {
    if (seen[line]++ == 0) continue;
    ++repeated;
    repeated_bytes += line.size();
  }
  return {share(repeated, lines.size()), share(repeated_bytes, bytes)};
}

}  // namespace

std::string quality_problem(std::string_view text) {
  const std::vector<std::string_view> words = split(text, " \t\n");
  if (words.size() < kLeastWords) return "";
  size_t letters = 0, word_bytes = 0;
  for (const std::string_view word : words) {
    letters += count_characters(word);
    word_bytes += word.size();
  }
  const double mean = share(letters, words.size());
  if (mean < 3 || mean > 10) return "words of unusual length";
  const size_t symbols =
      occurrences(text, "#") + occurrences(text, "...") + occurrences(text, "\xE2\x80\xA6");
  if (share(symbols, words.size()) > 0.1) return "many symbols";
  const std::vector<std::string_view> lines = split(text, "\n");
  size_t bullets = 0, ellipses = 0;
  for (const std::string_view line : lines) {
    const std::string_view trimmed = trim(line);
    bullets += trimmed.starts_with("- ") || trimmed.starts_with("* ") ||
               trimmed.starts_with("\xE2\x80\xA2");
    ellipses += trimmed.ends_with("...") || trimmed.ends_with("\xE2\x80\xA6");
  }
  if (share(bullets, lines.size()) > 0.9) return "bullets alone";
  if (share(ellipses, lines.size()) > 0.3) return "lines that end in an ellipsis";
  const auto [by_lines, by_bytes] = repeated_lines(lines, text.size());
  if (by_lines > 0.3 || by_bytes > 0.2) return "repeated lines";
  static constexpr std::array<std::pair<size_t, double>, 3> kTop{{{2, 0.20}, {3, 0.18}, {4, 0.16}}};
  for (const auto& [n, limit] : kTop) {
    if (top_ngram_share(words, n, word_bytes) > limit) return "repeated phrases";
  }
  return "";
}

namespace {

class Quality : public Step {
 public:
  std::optional<Drop> look(Row& row) const override {
    for (const auto& [name, text] :
         {std::pair{"input", std::string_view(row.sample.input)},
          {"context",
           row.sample.context ? std::string_view(*row.sample.context) : std::string_view()}}) {
      if (const std::string problem = quality_problem(text); !problem.empty())
        return Drop{problem, name};
    }
    const size_t before = row.critiques.size();
    std::erase_if(row.critiques,
                  [](const Critique& critique) { return !quality_problem(critique.text).empty(); });
    if (row.critiques.size() < before)
      row.history.push_back(
          {"quality", fmt::format("critiques taken out: {}", before - row.critiques.size())});
    return std::nullopt;
  }
};

}  // namespace

StepPointer make_quality(const data::Entry& entry, std::uint64_t) {
  check_no_options(entry);
  return std::make_unique<Quality>();
}

}  // namespace selene::curate
