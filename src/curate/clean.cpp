// The step `clean`: what no reader sees goes out of the texts; a text whose encoding is broken
// takes its row with it, since what it said is not known.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.h"
#include "curate/step_options.h"
#include "curate/steps.h"

namespace selene::curate {
namespace {

struct Options {
  bool entities = false;                 // &amp; and the like become what they stand for.
  std::vector<std::string> boilerplate;  // Texts to take out wherever they stand.
};

constexpr data::Key<Options> kKeys[] = {
    {"entities",
     [](Options& options, const data::Entry& entry) { options.entities = entry.as<bool>(); }},
    {"boilerplate",
     [](Options& options, const data::Entry& entry) {
       options.boilerplate = entry.as<std::vector<std::string>>();
     }},
};

// The character at `at` of valid UTF-8; `at` moves behind it.
char32_t character(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t value = length == 1 ? first : first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) value = value << 6 | (byte(i) & 0x3F);
  at += length;
  return value;
}

// Nothing is seen of them, and they hide what stands beside them: controls, the byte-order mark,
// zero-width space, word joiner, soft hyphen, changes of direction (Unicode's Trojan Source).
bool is_invisible(char32_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) || c == 0xAD ||
         c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || c == 0x2060 ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string without_invisible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (!is_invisible(character(text, at))) out += text.substr(begin, at - begin);
  }
  return out;
}

std::string with_line_feeds(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

// No blanks at the ends of lines, no more than one empty line in a row, none at the ends.
std::string without_blanks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t feeds = 0;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    std::string_view line = text.substr(begin, end - begin);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    if (!line.empty()) {
      if (!out.empty()) out.append(std::min<size_t>(feeds, 3), '\n');
      out += line;
      feeds = 0;
    }
    ++feeds;
    begin = end + 1;
  }
  return out;
}

std::string without_entities(std::string text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kEntities{{
      {"&lt;", "<"},
      {"&gt;", ">"},
      {"&quot;", "\""},
      {"&#39;", "'"},
      {"&apos;", "'"},
      {"&nbsp;", " "},
      {"&amp;", "&"},  // The last: what it makes is not read again.
  }};
  for (const auto& [from, to] : kEntities) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  return text;
}

// UTF-8 that was read as Latin-1 or Windows-1252 and written again: "Ã©" for é, "â€™" for ’.
bool is_mojibake(std::string_view text) {
  for (size_t at = text.find("\xC3\x83"); at != std::string_view::npos;
       at = text.find("\xC3\x83", at + 2)) {
    // Ã and a character of U+0080 to U+00BF.
    if (at + 3 < text.size() && text[at + 2] == '\xC2') return true;
  }
  for (size_t at = text.find("\xC3\x82"); at != std::string_view::npos;
       at = text.find("\xC3\x82", at + 2)) {
    if (at + 3 < text.size() && text[at + 2] == '\xC2') return true;
  }
  return text.find("\xC3\xA2\xE2\x82\xAC") != std::string_view::npos;  // â€
}

// What makes a critique none: it holds a verdict, or it is a stump.
bool is_unusable(std::string_view critique) {
  for (const std::string_view mark : {"**Result:**", "**Reasoning:**"}) {
    if (critique.find(mark) != std::string_view::npos) return true;
  }
  constexpr size_t kLeastWords = 3;
  size_t words = 0;
  for (size_t at = critique.find_first_not_of(" \n\t"); at != std::string_view::npos;
       at = critique.find_first_not_of(
           " \n\t", std::min(critique.find_first_of(" \n\t", at), critique.size())))
    ++words;
  // "I would rate it as follows: \"", where a verdict was cut off.
  const size_t end = critique.find_last_not_of(" \n\t\"'([*");
  return words < kLeastWords || end == std::string_view::npos || critique[end] == ':' ||
         critique[end] == ',';
}

class Clean : public Step {
 public:
  explicit Clean(Options options) : options_(std::move(options)) {}

  std::optional<Drop> look(Row& row) const override {
    data::Sample& sample = row.sample;
    std::vector<std::string*> texts{&sample.input};
    if (sample.task == data::Task::Pairwise) {
      texts.push_back(&sample.response_a);
      texts.push_back(&sample.response_b);
    } else {
      texts.push_back(&sample.response);
    }
    const size_t needed = texts.size();
    for (std::optional<std::string>* text : {&sample.context, &sample.reference}) {
      if (*text) texts.push_back(&**text);
    }
    for (Critique& critique : row.critiques) texts.push_back(&critique.text);
    Changed changed;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (std::optional<Drop> drop = clean(*texts[i], changed)) return drop;
      if (i < needed && texts[i]->empty()) return Drop{"empty after cleaning", ""};
    }
    const size_t critiques = row.critiques.size();
    std::erase_if(row.critiques, [](const Critique& one) { return is_unusable(one.text); });
    changed.critiques = row.critiques.size() < critiques;
    if (sample.context && sample.context->empty()) sample.context.reset();
    if (sample.reference && sample.reference->empty()) sample.reference.reset();
    for (const auto& [has, what] : {std::pair{changed.boilerplate, "boilerplate taken out"},
                                    {changed.invisible, "invisible characters taken out"},
                                    {changed.entities, "entities written out"},
                                    {changed.line_ends, "line ends made one"},
                                    {changed.blanks, "blanks taken out"},
                                    {changed.critiques, "critiques taken out"}}) {
      if (has) row.history.push_back({"clean", what});
    }
    return std::nullopt;
  }

 private:
  struct Changed {
    bool boilerplate = false, invisible = false, entities = false, line_ends = false,
         blanks = false, critiques = false;
  };

  std::optional<Drop> clean(std::string& text, Changed& changed) const {
    if (!is_valid_utf8(text)) return Drop{"broken encoding", "invalid UTF-8"};
    if (text.find("\xEF\xBF\xBD") != std::string::npos)
      return Drop{"broken encoding", "it has U+FFFD, which stands for bytes that were lost"};
    if (is_mojibake(text))
      return Drop{"broken encoding", "UTF-8 that was read as another encoding"};
    const auto apply = [&](std::string cleaned, bool& has) {
      if (cleaned == text) return;
      has = true;
      text = std::move(cleaned);
    };
    apply(with_line_feeds(text), changed.line_ends);
    apply(without_invisible(text), changed.invisible);
    if (options_.entities) apply(without_entities(text), changed.entities);
    for (const std::string& phrase : options_.boilerplate) {
      for (size_t at = text.find(phrase); at != std::string::npos; at = text.find(phrase, at)) {
        text.erase(at, phrase.size());
        changed.boilerplate = true;
      }
    }
    apply(without_blanks(text), changed.blanks);
    return std::nullopt;
  }

  Options options_;
};

}  // namespace

StepPointer make_clean(const data::Entry& entry, std::uint64_t) {
  Options options = read_options<Options>(entry, kKeys);
  for (const std::string& phrase : options.boilerplate) {
    if (phrase.empty()) throw Error("an entry of 'boilerplate' is empty", entry.place);
  }
  return std::make_unique<Clean>(std::move(options));
}

}  // namespace selene::curate
