// Rows of every format, what is refused, and that nothing outside of the folder is reached.
#include <array>
#include <fstream>

#include <fmt/format.h>

#include "read_all.h"

namespace selene::testing {
namespace {

using Rows = TablesTest;
using Json = nlohmann::ordered_json;

// `{"a":1,"b":"é"}` and a line feed, compressed by gzip -n and by zstd.
constexpr std::array<unsigned char, 37> kGzip = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a,
    0x54, 0xb2, 0x32, 0xd4, 0x51, 0x4a, 0x52, 0xb2, 0x52, 0x3a, 0xbc, 0x52, 0xa9,
    0x96, 0x0b, 0x00, 0xac, 0x42, 0xef, 0x7a, 0x11, 0x00, 0x00, 0x00};
constexpr std::array<unsigned char, 30> kZstd = {
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x89, 0x00, 0x00, 0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31,
    0x2c, 0x22, 0x62, 0x22, 0x3a, 0x22, 0xc3, 0xa9, 0x22, 0x7d, 0x0a, 0x99, 0x74, 0xcf, 0x19};

template <size_t kSize>
std::string_view bytes_of(const std::array<unsigned char, kSize>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), kSize};
}

constexpr const char* kRow = R"([{"a":1,"b":"é"}])";

TEST_F(Rows, OfJsonLinesAndJsonAndCsv) {
  folder_.file("a.jsonl", "{\"a\":1,\"b\":\"é\"}\n");
  folder_.file("a.json", "[{\"a\":1,\"b\":\"é\"}]");
  folder_.file("a.csv", "a,b\n1,é\n");
  for (const char* name : {"a.jsonl", "a.json", "a.csv"})
    EXPECT_EQ(rows(fmt::format("SELECT * FROM '{}'", name)), kRow) << name;
  EXPECT_EQ(rows("SELECT * FROM read_json('a.jsonl')"), kRow);
  EXPECT_EQ(rows("SELECT * FROM read_csv('a.csv', all_varchar = true)"), R"([{"a":"1","b":"é"}])");
}

TEST_F(Rows, OfParquet) {
  table::ParquetWriter writer(folder_ / "a.parquet", {{"a", table::ColumnType::Integer}, {"b"}});
  writer.append({{"a", 1}, {"b", "é"}});
  writer.finish();
  EXPECT_EQ(rows("SELECT * FROM 'a.parquet'"), kRow);
  EXPECT_EQ(rows("FROM read_parquet(['a.parquet', 'a.parquet']) LIMIT 1"), kRow);
}

TEST_F(Rows, OfGzipAndZstd) {
  folder_.file("a.jsonl.gz", bytes_of(kGzip));
  folder_.file("a.jsonl.zst", bytes_of(kZstd));
  EXPECT_EQ(rows("SELECT * FROM 'a.jsonl.gz'"), kRow);
  EXPECT_EQ(rows("SELECT * FROM 'a.jsonl.zst'"), kRow);
}

TEST_F(Rows, OfManyFilesInTheOrderOfTheirNames) {
  folder_.file("b.csv", "a\n2\n");
  folder_.file("a.csv", "a\n1\n");
  folder_.file("sub/c.csv", "a\n3\n");
  EXPECT_EQ(rows("SELECT * FROM '*.csv'"), R"([{"a":1},{"a":2}])");
  EXPECT_EQ(rows("SELECT * FROM '**/c.csv'"), R"([{"a":3}])");
  EXPECT_EQ(rows("SELECT * FROM read_csv(['sub/c.csv', 'a.csv'])"), R"([{"a":3},{"a":1}])");
}

TEST_F(Rows, AreBelowTheFolderWhateverTheWorkingFolderHas) {
  folder_.file("sub/a.csv", "a\n1\n");
  folder_.file("a.csv", "a\n2\n");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_ / "sub");
  EXPECT_EQ(rows("SELECT 'é' AS e, a FROM \"a.csv\""), R"([{"e":"é","a":2}])");
  EXPECT_EQ(read_all("SELECT * FROM 'a.csv'", "."), Json::parse(R"([{"a":1}])"));
  std::filesystem::current_path(before);
}

TEST_F(Rows, OfAFolderWithAStrangeName) {
  folder_.file("we[i]rd'*/a.csv", "a\n1\n");
  const std::filesystem::path folder = folder_ / "we[i]rd'*";
  EXPECT_EQ(read_all("SELECT * FROM 'a.csv'", folder).dump(), R"([{"a":1}])");
  EXPECT_EQ(read_all("SELECT * FROM '?.csv'", folder).dump(), R"([{"a":1}])");
  const std::string file = table::quoted_file((folder / "a.csv").string());
  EXPECT_EQ(read_all("SELECT * FROM read_csv(" + file + ")", folder).dump(), R"([{"a":1}])");
}

TEST_F(Rows, TellTheirColumnsAlsoWhereThereAreNone) {
  const table::Rows rows("SELECT 1 AS a, 'x' AS b WHERE false", folder_.path(), "spec.yaml");
  EXPECT_EQ(rows.columns(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(Rows, KeepTheirOrderAndEndOnce) {
  table::Rows rows("SELECT i FROM range(5000) t(i)", folder_.path(), "spec.yaml");
  Json row;
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(rows.next(row));
    ASSERT_EQ(row.at("i"), i);
  }
  EXPECT_FALSE(rows.next(row));
  EXPECT_FALSE(rows.next(row));
}

TEST_F(Rows, RefuseWhatIsNoSingleSelect) {
  constexpr const char* kOnlySelect =
      "spec.yaml: only a SELECT can be run; leave out what writes, loads or sets something";
  for (const char* sql :
       {"COPY (SELECT 1) TO 'x.csv'", "ATTACH 'x.db'", "INSTALL httpfs", "LOAD httpfs",
        "SET threads = 4", "CREATE TABLE x (a INT)", "PRAGMA database_list", "EXPORT DATABASE 'x'"})
    EXPECT_EQ(error(sql), kOnlySelect) << sql;
  EXPECT_EQ(error("SELECT 1; SELECT 2"),
            "spec.yaml: one SELECT is expected, and here are 2 statements");
  EXPECT_EQ(error(""), "spec.yaml: one SELECT is expected, and here are 0 statements");
  EXPECT_EQ(error("SELECT ?"),
            "spec.yaml: the SQL has parameters, which nothing fills; write the values");
  EXPECT_EQ(error("SELECT '\xFF'"), "spec.yaml: the SQL is not UTF-8");
  EXPECT_EQ(error(std::string_view("SELECT\0 1", 9)), "spec.yaml: the SQL has a zero byte");
}

TEST_F(Rows, ReachNothingOutsideOfTheFolder) {
  const std::filesystem::path inner = folder_.file("inner/a.csv", "a\n1\n").parent_path();
  folder_.file("secret.csv", "a\n1\n");
  const std::string secret = in_folder("secret.csv");
  for (const std::string& sql :
       {"SELECT * FROM '" + secret + "'", "SELECT * FROM read_text('" + secret + "')",
        std::string("SELECT * FROM '../secret.csv'"), std::string("SELECT * FROM '../*.csv'"),
        std::string("SELECT * FROM read_blob('sub/../../secret.csv')"),
        "SELECT * FROM glob('" + folder_.path().string() + "/*')",
        "SELECT * FROM query('SELECT * FROM read_text(''" + secret + "'')')"}) {
    const std::string text = message_of<Error>([&] { read_all(sql, inner); });
    EXPECT_TRUE(text.starts_with("spec.yaml: ")) << sql << text;
    EXPECT_TRUE(
        text.ends_with("disabled by configuration; only what is below the folder of the "
                       "data can be read"))
        << sql << text;
  }
  EXPECT_EQ(read_all("SELECT * FROM '../inner/a.csv'", inner).dump(), R"([{"a":1}])");
}

TEST_F(Rows, RefuseFileNamesThatAreNone) {
  EXPECT_EQ(error("SELECT * FROM 'https://x.example/a.csv'"),
            "spec.yaml: 'https://x.example/a.csv' is an address; get the file, and name it");
  EXPECT_EQ(error("SELECT * FROM read_text('a' || 'b')"),
            "spec.yaml: the file name of read_text() is not written as text; write it between "
            "single quotes");
  EXPECT_EQ(error("SELECT * FROM read_csv(E'a.csv')"),
            "spec.yaml: the file name 'a.csv' is not written as plain text; write it between "
            "single quotes");
  EXPECT_EQ(message_of<Error>([] { read_all("SELECT 1", "/nowhere"); }),
            "spec.yaml: there is no folder /nowhere");
}

TEST_F(Rows, SayWhichFileIsNotThere) {
  for (const char* name : {"none.parquet", "none*.csv"}) {
    EXPECT_EQ(
        error(fmt::format("SELECT * FROM '{}'", name)),
        fmt::format("spec.yaml: No files found that match the pattern \"{}\"", in_folder(name)));
  }
}

TEST_F(Rows, SayWhereTheSqlIsWrong) {
  folder_.file("a.csv", "a\n1\n");
  EXPECT_EQ(error("SELECT *\nFORM x"),
            "spec.yaml: the SQL is wrong at line 2, near 'x': syntax error at or near \"x\"");
  EXPECT_EQ(error("SELECT *\nFROM 'a.csv'\nWHERE b = 1"),
            "spec.yaml: the SQL is wrong at line 3, near 'b = 1': Referenced column \"b\" not "
            "found in FROM clause! Candidate bindings: \"a\"");
  EXPECT_TRUE(error("SELECT * FROM nope")
                  .starts_with("spec.yaml: the SQL is wrong at line 1, near 'nope': Table with "
                               "name nope does not exist!"));
  EXPECT_EQ(error("SELECT 1 AS a, 2 AS a"),
            "spec.yaml: two columns are called 'a'; give one another name: AS …");
}

// DuckDB takes the end of a compressed file for the end of the rows.
TEST_F(Rows, RefuseAFileThatIsCutShort) {
  const auto expect_cut = [&](const char* name, std::string_view bytes) {
    for (size_t size = 6; size < bytes.size(); ++size) {
      folder_.file(name, bytes.substr(0, size));
      EXPECT_EQ(error(fmt::format("SELECT * FROM read_csv('{}', header = false)", name)),
                fmt::format("spec.yaml: {}: the file is damaged or cut short; get it again",
                            in_folder(name)))
          << size;
    }
  };
  expect_cut("a.csv.gz", bytes_of(kGzip));
  expect_cut("a.csv.zst", bytes_of(kZstd));

  std::string damaged(bytes_of(kGzip));
  damaged[damaged.size() - 6] ^= 1;  // In its checksum.
  folder_.file("a.csv.gz", damaged);
  EXPECT_NE(error("SELECT * FROM 'a.csv.gz'").find("damaged or cut short"), std::string::npos);
}

TEST_F(Rows, RefuseAParquetThatIsCutShort) {
  table::ParquetWriter writer(folder_ / "a.parquet", {{"a"}});
  for (int i = 0; i < 100; ++i) writer.append({{"a", fmt::format("row {}", i)}});
  writer.finish();
  const std::string bytes = slurp(folder_ / "a.parquet");
  for (const size_t size : {size_t{0}, size_t{5}, bytes.size() / 2, bytes.size() - 1}) {
    folder_.file("cut.parquet", std::string_view(bytes).substr(0, size));
    const std::string text = error("SELECT * FROM 'cut.parquet'");
    EXPECT_TRUE(text.starts_with("spec.yaml: ")) << text;
    EXPECT_TRUE(text.ends_with("the file is no Parquet file, or is cut short: get it again"))
        << text;
  }
}

TEST_F(Rows, RefuseADamagedParquet) {
  table::ParquetWriter writer(folder_ / "a.parquet", {{"a"}});
  for (int i = 0; i < 3000; ++i) writer.append({{"a", fmt::format("row {}", i)}});
  writer.finish();
  std::string bytes = slurp(folder_ / "a.parquet");
  for (size_t i = 100; i < 400; ++i) bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
  folder_.file("a.parquet", bytes);
  EXPECT_TRUE(error("SELECT * FROM 'a.parquet'").starts_with("spec.yaml: "));
}

TEST_F(Rows, RefuseInvalidUtf8) {
  folder_.file("a.jsonl", "{\"a\":\"\xFF\xFE\"}\n");
  EXPECT_NE(error("SELECT * FROM 'a.jsonl'").find("invalid UTF-8"), std::string::npos);
  folder_.file("a.csv", "a,b\nx,\xFF\xFE\n");
  const std::string csv = error("SELECT * FROM 'a.csv'");
  EXPECT_NE(csv.find("This file is not utf-8 encoded"), std::string::npos) << csv;
  EXPECT_EQ(csv.find("delimiter"), std::string::npos) << csv;
}

TEST_F(Rows, RefuseMalformedJsonAndCells) {
  folder_.file("a.jsonl", "{\"a\":1}\n{\"a\":\n");
  EXPECT_NE(error("SELECT * FROM 'a.jsonl'").find("Malformed JSON in file"), std::string::npos);
  folder_.file("a.csv", "a\nx\n");
  EXPECT_NE(error("SELECT * FROM read_csv('a.csv', columns = {'a': 'INT'}, header = true)")
                .find("Error when converting column \"a\""),
            std::string::npos)
      << error("SELECT * FROM read_csv('a.csv', columns = {'a': 'INT'}, header = true)");
}

TEST_F(Rows, HaveFieldsOfAnySizeWithinTheLimitOfTheReader) {
  const std::string big(20 << 20, 'y');
  folder_.file("a.jsonl", R"({"a":")" + big + "\"}\n");
  const Json all = read_all("SELECT * FROM read_json('a.jsonl', maximum_object_size = 100000000)",
                            folder_.path());
  EXPECT_EQ(all.at(0).at("a").get_ref<const std::string&>().size(), big.size());
}

}  // namespace
}  // namespace selene::testing
