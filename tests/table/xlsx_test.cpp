#include "table/xlsx.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "temporary_folder.h"

namespace selene::table {
namespace {

namespace fs = std::filesystem;
using testing::message_of;

using Parts = std::map<std::string, std::string>;

std::string relations(const std::string& entries) {
  return "<Relationships>" + entries + "</Relationships>";
}

std::string relation(const std::string& id, const std::string& kind, const std::string& target) {
  return "<Relationship Id=\"" + id + "\" Type=\"http://example.org/relationships/" + kind +
         "\" Target=\"" + target + "\"/>";
}

// Two sheets, the second under a prefix and before the first in the archive.
Parts workbook(const std::string& rows) {
  return {
      {"_rels/.rels", relations(relation("rId1", "officeDocument", "/xl/workbook.xml"))},
      {"xl/_rels/workbook.xml.rels",
       relations(relation("rId1", "worksheet", "worksheets/sheet1.xml") +
                 relation("rId2", "worksheet", "worksheets/other.xml") +
                 relation("rId3", "sharedStrings", "sharedStrings.xml") +
                 relation("rId4", "styles", "styles.xml"))},
      {"xl/workbook.xml",
       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<workbook><sheets>"
       "<sheet name=\"One &amp; two\" sheetId=\"7\" r:id=\"rId1\"/>"
       "<sheet name=\"Ende\" sheetId=\"8\" r:id=\"rId2\"/></sheets></workbook>"},
      {"xl/sharedStrings.xml",
       "<sst><si><t>first</t></si><si><t xml:space=\"preserve\">  </t></si>"
       "<si><r><t>rich </t></r><r><rPr><b/></rPr><t>text</t></r><rPh><t>no</t></rPh></si>"
       "<si><t>a_x000D__x005F_b\nc_xZZZZ_</t></si></sst>"},
      {"xl/worksheets/sheet1.xml", "<worksheet><sheetData>" + rows + "</sheetData></worksheet>"},
      {"xl/worksheets/other.xml",
       "<x:worksheet xmlns:x=\"y\"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row>"
       "</x:sheetData></x:worksheet>"}};
}

class Xlsx : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_read_xlsx()) GTEST_SKIP() << "this build cannot read workbooks";
  }

  fs::path write(const Parts& parts) const {
    const fs::path path = folder_ / "book.xlsx";
    fs::remove(path);
    int failure = 0;
    zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE, &failure);
    for (const auto& [name, bytes] : parts) {
      zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
      EXPECT_GE(zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8), 0);
    }
    EXPECT_EQ(zip_close(archive), 0);
    return path;
  }

  std::string convert(const Parts& parts) const {
    xlsx_to_jsonl(write(parts), folder_ / "rows.jsonl");
    return read_file(folder_ / "rows.jsonl");
  }

  // Without the workbook's own path.
  std::string failure_of(const Parts& parts, std::uint64_t most_bytes = 1 << 20) const {
    const fs::path path = write(parts);
    const std::string message =
        message_of<Error>([&] { xlsx_to_jsonl(path, folder_ / "none.jsonl", most_bytes); });
    EXPECT_TRUE(message.starts_with(path.string())) << message;
    EXPECT_FALSE(fs::exists(folder_ / "none.jsonl"));
    return message.substr(std::min(message.size(), path.string().size()));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Xlsx, WritesAnObjectForEachRowThatHoldsSomething) {
  EXPECT_EQ(convert(workbook("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" s=\"3\"/>"
                             "<c r=\"AB1\" t=\"s\"><v>2</v></c></row>"
                             "<row r=\"2\"><c r=\"A2\"/></row>"
                             "<row r=\"9\"><c r=\"C9\" t=\"s\"><v>1</v></c></row>")),
            "{\"sheet\":\"One & two\",\"row\":1,\"A\":\"first\",\"AB\":\"rich text\"}\n"
            "{\"sheet\":\"One & two\",\"row\":9,\"C\":\"  \"}\n"
            "{\"sheet\":\"Ende\",\"row\":1,\"A\":1}\n");
}

TEST_F(Xlsx, KeepsTheKindOfAValue) {
  const std::string rows =
      convert(workbook("<row><c><v>7</v></c><c><v>0.25</v></c><c t=\"n\"><v>1E3</v></c>"
                       "<c t=\"b\"><v>1</v></c><c t=\"b\"><v>0</v></c>"
                       "<c t=\"e\"><v>#N/A</v></c>"
                       "<c t=\"str\"><f>A1&amp;B1</f><v>&lt;7&gt;</v></c>"
                       "<c t=\"inlineStr\"><is><t>in </t></is></c>"
                       "<c t=\"d\"><v>2024-05-01</v></c><c t=\"s\"><v>3</v></c></row>"));
  EXPECT_EQ(rows.substr(0, rows.find('\n') + 1),
            "{\"sheet\":\"One & two\",\"row\":1,\"A\":7,\"B\":0.25,\"C\":1000,\"D\":true,"
            "\"E\":false,\"F\":\"#N/A\",\"G\":\"<7>\",\"H\":\"in \",\"I\":\"2024-05-01\","
            "\"J\":\"a\\r_b\\nc_xZZZZ_\"}\n");
}

TEST_F(Xlsx, ReadsAWorkbookWithoutSharedTexts) {
  Parts parts = workbook("");
  parts.erase("xl/sharedStrings.xml");
  parts["xl/_rels/workbook.xml.rels"] =
      relations(relation("rId1", "worksheet", "worksheets/sheet1.xml") +
                relation("rId2", "chartsheet", "worksheets/other.xml"));
  EXPECT_EQ(convert(parts), "");
}

TEST_F(Xlsx, SaysWhatIsNoWorkbook) {
  const auto message = [&](const fs::path& path) {
    return message_of<Error>([&] { xlsx_to_jsonl(path, folder_ / "none.jsonl"); });
  };
  const fs::path text = folder_.file("text.xlsx", "a,b\n1,2\n");
  EXPECT_EQ(message(text), text.string() +
                               ": this is no .xlsx workbook: Not a zip archive; save it as .xlsx, "
                               "not as .xls or .csv, and without a password, or get it again");
  const fs::path none = folder_ / "none.xlsx";
  EXPECT_EQ(message(none), none.string() + ": cannot read: No such file");
  const std::string whole = read_file(write(workbook("")));
  const fs::path cut = folder_.file("cut.xlsx", whole.substr(0, whole.size() / 2));
  EXPECT_TRUE(message(cut).starts_with(cut.string() + ": this is no .xlsx workbook: "));
  EXPECT_EQ(failure_of({{"word/document.xml", "<a/>"}}),
            ", _rels/.rels: this part of the workbook is missing");
  EXPECT_EQ(failure_of({{"_rels/.rels", relations("")}}),
            ": this is no workbook: nothing in it is the document");
}

TEST_F(Xlsx, NamesWhatIsDamaged) {
  std::string bytes = read_file(write(workbook("<row><c><v>123456789</v></c></row>")));
  const fs::path path = folder_.file("damaged.xlsx", bytes);
  // The part's data, after its local header; its checksum then is another one.
  const size_t name = bytes.find("xl/worksheets/sheet1.xml");
  bytes[name + std::strlen("xl/worksheets/sheet1.xml") + 30] ^= 1;
  folder_.file("damaged.xlsx", bytes);
  const std::string message =
      message_of<Error>([&] { xlsx_to_jsonl(path, folder_ / "none.jsonl"); });
  EXPECT_TRUE(message.starts_with(path.string() + ", xl/worksheets/sheet1.xml: ")) << message;
  EXPECT_TRUE(message.ends_with("; get the workbook again")) << message;
}

TEST_F(Xlsx, RefusesWhatGrowsTooLarge) {
  Parts parts = workbook("");
  parts["xl/worksheets/sheet1.xml"] += std::string(3 << 20, ' ');
  EXPECT_LT(fs::file_size(write(parts)), 1u << 15);
  EXPECT_EQ(failure_of(parts),
            ", xl/worksheets/sheet1.xml: unpacked, the workbook is larger than 1048576 bytes; "
            "split it, or save its sheets as CSV");
}

TEST_F(Xlsx, RefusesADocumentTypeAndItsEntities) {
  Parts parts = workbook("");
  parts["xl/sharedStrings.xml"] =
      "<!DOCTYPE sst [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><sst><si><t>&b;</t></si></sst>";
  EXPECT_EQ(failure_of(parts),
            ", xl/sharedStrings.xml: the XML has a document type, which no workbook has");
}

TEST_F(Xlsx, NamesTheSheetThatIsMissing) {
  Parts parts = workbook("");
  parts.erase("xl/worksheets/other.xml");
  EXPECT_EQ(failure_of(parts), ", xl/workbook.xml: the sheet 'Ende' is missing");
}

TEST_F(Xlsx, NamesTheCellThatIsWrong) {
  const std::string at = ", xl/worksheets/sheet1.xml";
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"><c r=\"B3\" t=\"s\"><v>4</v></c></row>")),
            at + ", row 3, column B: there is no shared text '4'");
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"><c r=\"B3\"><v>1,5</v></c></row>")),
            at + ", row 3, column B: '1,5' is no number");
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"><c r=\"B3\"><v>NaN</v></c></row>")),
            at + ", row 3, column B: 'NaN' is no number");
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"><c r=\"B3\" t=\"q\"><v>1</v></c></row>")),
            at + ", row 3, column B: the type 'q' is none");
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"><c r=\"XFE3\"><v>1</v></c></row>")),
            at + ", row 3: 'XFE3' is no cell here");
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"><c r=\"B3\"/><c r=\"B3\"><v>1</v></c></row>")),
            at + ", row 3: 'B3' is no cell here");
  EXPECT_EQ(failure_of(workbook("<row r=\"3\"/><row r=\"3\"/>")),
            at + ": '3' is no row after row 3");
  EXPECT_EQ(failure_of(workbook("<row r=\"1048577\"/>")), at + ": '1048577' is no row after row 0");
  EXPECT_EQ(failure_of(workbook("<row><c t=\"str\"><v>\xFF</v></c></row>")),
            at + ", row 1, column A: a text is not UTF-8");
}

TEST_F(Xlsx, NamesTheXmlThatIsCutShort) {
  Parts parts = workbook("");
  parts["xl/worksheets/sheet1.xml"] = "<worksheet><sheetData>";
  EXPECT_EQ(failure_of(parts),
            ", xl/worksheets/sheet1.xml: the XML is wrong at byte 21: Start-end tags mismatch; get "
            "the workbook again");
}

}  // namespace
}  // namespace selene::table
