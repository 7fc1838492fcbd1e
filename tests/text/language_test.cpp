#include "text/language.h"

#include <gtest/gtest.h>

namespace selene::text {
namespace {

TEST(Language, IsToldOfASentence) {
  const struct {
    const char* code;
    const char* text;
  } cases[] = {
      {"en", "The answer is clear, but it does not say where the figures come from."},
      {"de", "Die Antwort ist klar, sagt aber nicht, woher die Zahlen stammen."},
      {"fr", "La réponse est claire, mais elle ne dit pas d'où viennent les chiffres."},
      {"es", "La respuesta es clara, pero no dice de dónde salen las cifras."},
      {"ru", "Ответ понятен, но в нём не сказано, откуда взяты цифры."},
      {"zh", "这个回答很清楚，但没有说明数据来自哪里。"},
      {"zh-Hant", "這個回答很清楚，但沒有說明數據來自哪裡。"},
      {"ja", "回答は明快ですが、数字の出典が書かれていません。"},
      {"ko", "답변은 명확하지만 숫자의 출처를 밝히지 않습니다."},
      {"th", "คำตอบชัดเจน แต่ไม่ได้บอกว่าตัวเลขมาจากไหน"},
      {"hi", "उत्तर स्पष्ट है, लेकिन यह नहीं बताता कि आंकड़े कहाँ से आए हैं।"},
      {"ar", "الجواب واضح لكنه لا يذكر مصدر الأرقام."},
  };
  for (const auto& one : cases) {
    const Language language = language_of(one.text);
    EXPECT_EQ(language.code, one.code) << one.text;
    EXPECT_TRUE(language.reliable) << one.text;
    EXPECT_GT(language.share, 0.9) << one.text;
    EXPECT_LE(language.share, 1) << one.text;
  }
}

TEST(Language, IsThatOfMostOfTheText) {
  const Language language = language_of(
      "Both answers say that the museum is open on Sunday, but only the first gives the hours and "
      "the price of a ticket, which is what the visitor wanted to know before the journey. The "
      "second one is in German. Das Museum ist am Sonntag von zehn bis achtzehn Uhr geöffnet, aber "
      "der Eintritt steht nicht auf der Seite.");
  EXPECT_EQ(language.code, "en");
  EXPECT_GT(language.share, 0.4);
  EXPECT_LT(language.share, 0.9);
}

TEST(Language, CannotBeToldOfAFewWordsOrNone) {
  for (const std::string_view text :
       {"", "ok", "Yes.", "Paris", "The cat", "Answer: 42", "12345 67890", "?!...!",
        "an English sentence, long enough, with a byte\xFF that is no UTF-8",
        "an English sentence, long enough, with a bell\x07 in it"}) {
    const Language language = language_of(text);
    EXPECT_EQ(language.code, "un") << text;
    EXPECT_FALSE(language.reliable) << text;
    EXPECT_EQ(language.share, 0) << text;
  }
}

}  // namespace
}  // namespace selene::text
