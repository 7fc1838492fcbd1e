// Parquet out: types, what is refused, and that the output is whole or as it was.
#include <fmt/format.h>

#include "read_all.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;
using table::ColumnType;

class ParquetWriter : public TablesTest {
 protected:
  table::ParquetWriter writer(std::vector<table::Column> columns) const {
    return {folder_ / "a.parquet", std::move(columns)};
  }
  // What `append` of a row throws, without the place.
  std::string refused(ColumnType type, const Json& value) const {
    const std::string text = message_of<Error>([&] {
      writer({{"a", type}}).append({{"a", value}});
    });
    const std::string place = in_folder("a.parquet") + ": ";
    EXPECT_TRUE(text.starts_with(place)) << text;
    return text.substr(std::min(place.size(), text.size()));
  }
  size_t files() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }
};

TEST_F(ParquetWriter, WritesEveryTypeAndNull) {
  table::ParquetWriter out = writer({{"t"},
                                     {"i", ColumnType::Integer},
                                     {"r", ColumnType::Real},
                                     {"b", ColumnType::Boolean},
                                     {"j\" j", ColumnType::Json}});
  out.append({{"t", "é"}, {"i", -7}, {"r", 2}, {"b", true}, {"j\" j", {{"x", {1, nullptr}}}}});
  out.append({{"j\" j", "text"}, {"t", nullptr}});
  out.finish();
  EXPECT_EQ(rows("SELECT * FROM 'a.parquet'"),
            R"([{"t":"é","i":-7,"r":2.0,"b":true,"j\" j":{"x":[1,null]}},)"
            R"({"t":null,"i":null,"r":null,"b":null,"j\" j":"text"}])");
  EXPECT_EQ(rows("SELECT DISTINCT compression FROM parquet_metadata('a.parquet')"),
            R"([{"compression":"ZSTD"}])");
  EXPECT_EQ(files(), 1u) << "nothing is left beside it";
}

TEST_F(ParquetWriter, MessagesAreListsOfStructs) {
  table::ParquetWriter out = writer({{"m", ColumnType::Messages}});
  out.append({{"m",
               {{{"role", "user"}, {"content", "a \"b\"\nc"}},
                {{"role", "assistant"}, {"content", ""}}}}});
  out.append({{"m", Json::array()}});
  out.append({{"m", nullptr}});
  out.finish();
  EXPECT_EQ(
      rows("SELECT m, m[1].content AS c FROM 'a.parquet'"),
      R"([{"m":[{"role":"user","content":"a \"b\"\nc"},{"role":"assistant","content":""}],"c":"a \"b\"\nc"},)"
      R"({"m":[],"c":null},{"m":null,"c":null}])");
  EXPECT_EQ(refused(ColumnType::Messages, {{{"role", "user"}}}),
            R"(row 1, column 'a': a list of messages is expected, not [{"role":"user"}])");
}

TEST_F(ParquetWriter, WritesTheSameBytesForTheSameRows) {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    table::ParquetWriter out = writer({{"a"}});
    for (int i = 0; i < 20000; ++i) out.append({{"a", fmt::format("row {}", i)}});
    out.finish();
    if (round == 0) first = slurp(folder_ / "a.parquet");
  }
  EXPECT_EQ(slurp(folder_ / "a.parquet"), first);
  table::Rows all("SELECT * FROM 'a.parquet'", folder_.path(), "spec.yaml");
  Json row;
  for (int i = 0; i < 20000; ++i) {
    ASSERT_TRUE(all.next(row));
    ASSERT_EQ(row.at("a"), fmt::format("row {}", i));
  }
  EXPECT_FALSE(all.next(row));
}

TEST_F(ParquetWriter, WritesATableWithoutRows) {
  writer({{"a"}}).finish();
  EXPECT_EQ(rows("SELECT count(*) AS n FROM 'a.parquet'"), R"([{"n":0}])");
}

TEST_F(ParquetWriter, WritesTextOfAnySize) {
  const std::string big(20 << 20, 'y');
  table::ParquetWriter out = writer({{"a"}});
  out.append({{"a", big}});
  out.finish();
  EXPECT_EQ(read_all("SELECT * FROM 'a.parquet'", folder_.path()).at(0).at("a"), big);
}

TEST_F(ParquetWriter, LeavesWhatWasThereUntilItIsWhole) {
  folder_.file("a.parquet", "before");
  {
    table::ParquetWriter out = writer({{"a"}});
    out.append({{"a", "x"}});
    EXPECT_EQ(
        message_of<Error>([&] { out.finish(/*overwrite=*/false); }),
        in_folder("a.parquet") + ": the output file exists; give --overwrite or name another file");
  }
  EXPECT_EQ(slurp(folder_ / "a.parquet"), "before");
  EXPECT_EQ(files(), 1u) << "nothing is left beside it";
  table::ParquetWriter out = writer({{"a"}});
  out.append({{"a", "x"}});
  out.finish();
  EXPECT_EQ(rows("SELECT * FROM 'a.parquet'"), R"([{"a":"x"}])");
}

TEST_F(ParquetWriter, RefusesValuesOfAnotherType) {
  EXPECT_EQ(refused(ColumnType::Text, 5), "row 1, column 'a': text is expected, not 5");
  EXPECT_EQ(refused(ColumnType::Integer, 1.5),
            "row 1, column 'a': an integer of 64 bits is expected, not 1.5");
  EXPECT_EQ(refused(ColumnType::Integer, std::uint64_t{1} << 63),
            "row 1, column 'a': an integer of 64 bits is expected, not 9223372036854775808");
  EXPECT_EQ(refused(ColumnType::Real, "x"), "row 1, column 'a': a number is expected, not \"x\"");
  EXPECT_EQ(refused(ColumnType::Boolean, 1), "row 1, column 'a': true or false is expected, not 1");
  EXPECT_EQ(refused(ColumnType::Text, "\xFF"), "row 1, column 'a': the text is not UTF-8");
  EXPECT_EQ(refused(ColumnType::Json, {"\xFF"}), "row 1, column 'a': the text is not UTF-8");
}

TEST_F(ParquetWriter, RefusesColumnsThatAreNone) {
  const std::string place = in_folder("a.parquet") + ": ";
  EXPECT_EQ(message_of<Error>([&] {
              writer({{"a"}}).append({{"b", 1}});
            }),
            place + "row 1: the column 'b' was not declared");
  EXPECT_EQ(message_of<Error>([&] {
              writer({{"a"}, {"a"}});
            }),
            place + "two columns are called 'a'");
  EXPECT_EQ(message_of<Error>([&] { writer({}); }), place + "a table without columns");
}

TEST_F(ParquetWriter, SaysThatItsFolderCannotBeMade) {
  folder_.file("file", "");
  EXPECT_EQ(message_of<Error>([&] { table::ParquetWriter(folder_ / "file/a.parquet", {{"a"}}); }),
            in_folder("file") + ": cannot make the folder: Not a directory");
}

TEST(WithoutDuckDb, EverythingSaysHowToGetIt) {
  if (table::is_available()) {
    EXPECT_FALSE(table::version().empty());
    GTEST_SKIP() << "this build has DuckDB";
  }
  EXPECT_EQ(table::version(), "");
  constexpr const char* kMissing =
      ": this build of selene has no DuckDB, which tables need; make tables gets it and builds "
      "again";
  EXPECT_EQ(message_of<Error>([] { table::Rows("SELECT 1", ".", "spec.yaml"); }),
            std::string("spec.yaml") + kMissing);
  EXPECT_EQ(message_of<Error>([] { table::ParquetWriter("a.parquet", {{"a"}}); }),
            std::string("a.parquet") + kMissing);
}

}  // namespace
}  // namespace selene::testing
