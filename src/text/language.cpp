#include "text/language.h"

#include <algorithm>
#include <array>
#include <limits>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

namespace selene::text {

Language language_of(std::string_view text) {
  constexpr size_t kMostBytes = std::numeric_limits<int>::max();
  constexpr CLD2::CLDHints kNoHints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                    CLD2::UNKNOWN_LANGUAGE};
  const auto length = static_cast<int>(std::min(text.size(), kMostBytes));
  std::array<CLD2::Language, 3> languages{};
  std::array<int, 3> percent{};
  std::array<double, 3> scores{};
  int text_bytes = 0;
  int valid_bytes = 0;
  bool reliable = false;
  const CLD2::Language language = CLD2::ExtDetectLanguageSummaryCheckUTF8(
      text.data(), length, true, &kNoHints, 0, languages.data(), percent.data(), scores.data(),
      nullptr, &text_bytes, &reliable, &valid_bytes);
  if (language == CLD2::UNKNOWN_LANGUAGE || !reliable) return {};
  const auto found = std::find(languages.begin(), languages.end(), language);
  if (found == languages.end()) return {};
  const int share = percent[static_cast<size_t>(found - languages.begin())];
  return {CLD2::LanguageCode(language), share / 100.0, true};
}

}  // namespace selene::text
