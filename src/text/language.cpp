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
  CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), length, true, &kNoHints, 0, languages.data(),
                                          percent.data(), scores.data(), nullptr, &text_bytes,
                                          &reliable, &valid_bytes);
  // Not the language that it returns: that is another than English where there is a little of one,
  // as English is on every web page.
  if (!reliable || languages[0] == CLD2::UNKNOWN_LANGUAGE) return {};
  return {CLD2::LanguageCode(languages[0]), percent[0] / 100.0, true};
}

}  // namespace selene::text
