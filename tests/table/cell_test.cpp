// What DuckDB's types become in JSON.
#include <fmt/format.h>

#include "read_all.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

class Cell : public TablesTest {
 protected:
  std::string cell(const std::string& expression) const {
    return read_all("SELECT " + expression + " AS x", folder_.path()).at(0).at("x").dump();
  }
  std::string cell_error(const std::string& expression) const {
    return error("SELECT " + expression + " AS x");
  }
};

TEST_F(Cell, OfEveryNumberIsANumber) {
  EXPECT_EQ(cell("true"), "true");
  EXPECT_EQ(cell("[(-1)::TINYINT]"), "[-1]");
  EXPECT_EQ(cell("[1::UTINYINT, 255::UTINYINT]"), "[1,255]");
  EXPECT_EQ(cell("(-300)::SMALLINT"), "-300");
  EXPECT_EQ(cell("65535::USMALLINT"), "65535");
  EXPECT_EQ(cell("4294967295::UINTEGER"), "4294967295");
  EXPECT_EQ(cell("(-9223372036854775807 - 1)::BIGINT"), "-9223372036854775808");
  EXPECT_EQ(cell("18446744073709551615::UBIGINT"), "18446744073709551615");
  EXPECT_EQ(cell("(-5)::HUGEINT"), "-5");
  EXPECT_EQ(cell("18446744073709551615::UHUGEINT"), "18446744073709551615");
  EXPECT_EQ(rows("SELECT sum(i) AS s FROM range(10) t(i)"), R"([{"s":45}])") << "a HUGEINT";
  EXPECT_EQ(cell("1.25"), "1.25");
  EXPECT_EQ(cell("12345678901234567890.5::DECIMAL(38, 1)"), "1.2345678901234567e+19");
  EXPECT_EQ(cell("10::DECIMAL(20, 0)"), "10");
  EXPECT_EQ(cell("0.1::FLOAT"), "0.1");
  EXPECT_EQ(cell("0.1::DOUBLE"), "0.1");
}

TEST_F(Cell, OfTextDatesAndNamesIsText) {
  EXPECT_EQ(cell("'é'"), R"("é")");
  EXPECT_EQ(cell("chr(0) || 'x'"), R"("\u0000x")");
  EXPECT_EQ(cell("'y'::ENUM('x', 'y')"), R"("y")");
  EXPECT_EQ(cell("DATE '2024-02-29'"), R"("2024-02-29")");
  EXPECT_EQ(cell("TIME '01:02:03.5'"), R"("01:02:03.5")");
  EXPECT_EQ(cell("TIMESTAMP '2024-01-02 03:04:05.678'"), R"("2024-01-02 03:04:05.678")");
  EXPECT_EQ(cell("TIMESTAMP_S '2024-01-02 03:04:05'"), R"("2024-01-02 03:04:05")");
  EXPECT_EQ(cell("TIMESTAMP_MS '2024-01-02 03:04:05.678'"), R"("2024-01-02 03:04:05.678")");
  EXPECT_EQ(cell("TIMESTAMP_NS '2024-01-02 03:04:05.123456789'"),
            R"("2024-01-02 03:04:05.123456789")");
  EXPECT_EQ(cell("UUID '123e4567-e89b-12d3-a456-426614174000'"),
            R"("123e4567-e89b-12d3-a456-426614174000")");
}

TEST_F(Cell, OfATimeWithAZoneIsInUtcWhateverTheMachineIsSetTo) {
  const ScopedEnvironment zone("TZ", "America/New_York");
  EXPECT_EQ(cell("TIMESTAMPTZ '2024-01-02 03:04:05+02'"), R"("2024-01-02 01:04:05+00")");
  EXPECT_EQ(cell("TIMESTAMPTZ '2024-01-02 03:04:05'"), R"("2024-01-02 03:04:05+00")");
}

TEST_F(Cell, OfNullIsNull) {
  EXPECT_EQ(cell("NULL"), "null");
  EXPECT_EQ(cell("NULL::VARCHAR"), "null");
  EXPECT_EQ(cell("[1, NULL]"), "[1,null]");
  EXPECT_EQ(cell("NULL::INT[]"), "null");
  EXPECT_EQ(cell("{'a': NULL::STRUCT(b INT)}"), R"({"a":null})");
}

TEST_F(Cell, OfListsStructsAndMapsIsNested) {
  EXPECT_EQ(cell("[[1], [], [2, 3]]"), "[[1],[],[2,3]]");
  EXPECT_EQ(cell("[]"), "[]");
  EXPECT_EQ(cell("array_value([1, 2], [3])"), "[[1,2],[3]]");
  EXPECT_EQ(cell("{'b': 1, 'a': [{'c': DATE '2020-01-01'}]}"),
            R"({"b":1,"a":[{"c":"2020-01-01"}]})");
  EXPECT_EQ(cell("MAP {'a': [1], 'b': NULL}"), R"({"a":[1],"b":null})");
  EXPECT_EQ(cell("MAP {3: 'x'}"), R"({"3":"x"})");
}

// Where a chunk's rows point into other vectors.
TEST_F(Cell, OfANestedColumnIsThatOfItsRow) {
  const Json all = read_all(
      "SELECT i, list_transform(range(i % 3), x -> {'x': x + i, 'm': MAP {i::VARCHAR: i}}) AS l, "
      "array_value(i, -i) AS a FROM range(5000) t(i) WHERE i % 7 = 0 ORDER BY i DESC",
      folder_.path());
  ASSERT_EQ(all.size(), 715u);
  for (const Json& row : all) {
    const int i = row.at("i");
    Json list = Json::array();
    for (int x = 0; x < i % 3; ++x) list.push_back({{"x", x + i}, {"m", {{std::to_string(i), i}}}});
    ASSERT_EQ(row.at("l"), list);
    ASSERT_EQ(row.at("a"), (Json{i, -i}));
  }
}

TEST_F(Cell, OfJsonIsWhatItHolds) {
  EXPECT_EQ(cell(R"('{"b": [1, 2.5], "a": "x"}'::JSON)"), R"({"b":[1,2.5],"a":"x"})");
  EXPECT_EQ(cell("'3'::JSON"), "3");
  EXPECT_EQ(cell(R"('{"b": 1}')"), R"("{\"b\": 1}")") << "text stays text";
  EXPECT_EQ(cell_error(R"('{"a": 1, "a": 2}'::JSON)"),
            "spec.yaml: row 1, column 'x': the key 'a' stands twice in one object; keep one of "
            "the two");
  EXPECT_EQ(cell_error("(repeat('[', 100) || repeat(']', 100))::JSON"),
            "spec.yaml: row 1, column 'x': JSON nested deeper than 64; write the inner part as a "
            "string");
}

TEST_F(Cell, ThatJsonCannotHoldIsRefused) {
  for (const char* number : {"'nan'::DOUBLE", "'inf'::FLOAT", "1 / 0"}) {
    EXPECT_EQ(cell_error(number),
              "spec.yaml: row 1, column 'x': the number is NaN or infinite, which JSON cannot "
              "hold; write nullif(column, 'NaN') in the SELECT, or leave the row out")
        << number;
  }
  EXPECT_EQ(cell("nullif('nan'::DOUBLE, 'NaN')"), "null");
  for (const char* number : {"123456789012345678901234567890", "(-18446744073709551615)::HUGEINT",
                             "340282366920938463463374607431768211455::UHUGEINT"}) {
    EXPECT_EQ(cell_error(number),
              "spec.yaml: row 1, column 'x': the integer has more than 64 bits; CAST it to VARCHAR "
              "in the SELECT")
        << number;
  }
}

TEST_F(Cell, OfATypeWithoutACounterpartIsRefusedBeforeTheFirstRow) {
  const std::pair<const char*, const char*> kTypes[] = {
      {"'x'::BLOB", "BLOB"},
      {"'101'::BIT", "BIT"},
      {"INTERVAL 1 DAY", "INTERVAL"},
      {"[{'a': INTERVAL 1 DAY}]", "INTERVAL"},
      {"MAP {1: 'x'::BLOB}", "BLOB"},
      {"TIMETZ '01:02:03+01'", "TIME WITH TIME ZONE"},
      {"1::UNION(a INT, b TEXT)", "UNION"}};
  for (const auto& [expression, type] : kTypes) {
    EXPECT_EQ(message_of<Error>([&] {
                table::Rows(fmt::format("SELECT {} AS x", expression), folder_.path(), "s");
              }),
              fmt::format("s: the column 'x': the type {} has no counterpart in JSON; CAST it to "
                          "VARCHAR in the SELECT",
                          type));
  }
}

}  // namespace
}  // namespace selene::testing
