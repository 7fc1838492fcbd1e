#include "report/offline_page.h"

#include <gtest/gtest.h>

namespace selene::report {
namespace {

using Json = nlohmann::ordered_json;

TEST(OfflinePage, JsonHoldsNothingThatEndsItsElement) {
  const Json json = {{"a", "</script><!-- \xE2\x80\xA8 \xE2\x80\xA9 \xff"}};
  const std::string text = script_json(json);
  EXPECT_EQ(text, "{\"a\":\"\\u003c/script>\\u003c!-- \\u2028 \\u2029 \xEF\xBF\xBD\"}");
  EXPECT_EQ(Json::parse(text)["a"], "</script><!-- \xE2\x80\xA8 \xE2\x80\xA9 \xEF\xBF\xBD");
}

// The digest of nothing, as FIPS 180-4 has it, in base64.
TEST(OfflinePage, APolicyDigestIsBase64) {
  EXPECT_EQ(policy_digest(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(OfflinePage, ATextThatNamesAHoleFillsNone) {
  const Hole holes[] = {{"@A@", "@B@"}, {"@B@", "b"}};
  EXPECT_EQ(fill_holes("1 @A@ 2 @B@ 3", holes), "1 @B@ 2 b 3");
}

TEST(OfflinePage, AHoleThatIsNotThereIsABug) {
  const Hole holes[] = {{"@A@", "a"}};
  EXPECT_THROW(fill_holes("no hole", holes), std::logic_error);
  EXPECT_THROW(between("<a>", "<a>", "</a>"), std::logic_error);
}

}  // namespace
}  // namespace selene::report
