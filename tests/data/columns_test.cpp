#include "data/columns.h"

#include <gtest/gtest.h>

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

TEST(Columns, TextsMoveToTheFieldsAndTheRestStays) {
  Json row = {{"input", "Q?"}, {"context", nullptr}, {"response", "A."}, {"more", 3}};
  Json fields = Json::object();
  take_text_columns(row, fields);
  EXPECT_EQ(fields, Json({{"input", "Q?"}, {"response", "A."}}));
  EXPECT_EQ(row, Json({{"more", 3}}));
  EXPECT_EQ(take_column(row, "more"), 3);
  EXPECT_EQ(take_column(row, "more"), nullptr);
}

TEST(Columns, LabelsWithoutATextAreNotOfTheRubric) {
  Json row = {{"rubric", {{"1", "bad"}, {"2", nullptr}, {"3", "good"}}}};
  Json fields = Json::object();
  take_text_columns(row, fields);
  EXPECT_EQ(fields.at("rubric"), Json({{"1", "bad"}, {"3", "good"}}));
}

}  // namespace
}  // namespace selene::data
