#include "check/answers.h"

#include <gtest/gtest.h>

#include "check/failing.h"
#include "temporary_folder.h"

namespace selene::check {
namespace {

using testing::error_of;

class AnswersFile : public ::testing::Test {
 protected:
  Answers csv(const std::string& text, const ColumnMap& map = {}) {
    return read_answers(folder_.file("answers.csv", text), map);
  }
  Answers jsonl(const std::string& text, const ColumnMap& map = {}) {
    return read_answers(folder_.file("answers.jsonl", text), map);
  }
  std::string csv_error(const std::string& text, const ColumnMap& map = {}) {
    std::string what = error_of([&] { csv(text, map); });
    const std::string folder = folder_.path().string() + "/";
    for (size_t at = what.find(folder); at != std::string::npos; at = what.find(folder))
      what.erase(at, folder.size());
    return what;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AnswersFile, CsvHasQuotesCommasAndLineBreaksInCells) {
  const Answers answers =
      csv("id,response\r\nx,\"a, \"\"b\"\"\"\r\ny,\"two\nlines\"\r\n\r\nz, spaced \r\n");
  ASSERT_EQ(answers.answers.size(), 3U);
  EXPECT_EQ(answers.answers[0].fields["response"], "a, \"b\"");
  EXPECT_EQ(answers.answers[1].fields["response"], "two\nlines");
  EXPECT_EQ(answers.answers[2].fields["response"], " spaced ");
  EXPECT_EQ(answers.answers[0].line, 2U);
  EXPECT_EQ(answers.answers[1].line, 3U);
  EXPECT_EQ(answers.answers[2].line, 6U);
  EXPECT_EQ(answers.answers[2].id, "z");
}

TEST_F(AnswersFile, LinesMayEndWithACarriageReturnAlone) {
  const Answers answers = csv("id,response\rx,a\ry,\"two\rlines\"\rz,b\n");
  ASSERT_EQ(answers.answers.size(), 3U);
  EXPECT_EQ(answers.answers[0].line, 2U);
  EXPECT_EQ(answers.answers[1].fields["response"], "two\rlines");
  EXPECT_EQ(answers.answers[2].line, 5U);
}

TEST_F(AnswersFile, AByteOrderMarkIsNoPartOfTheFirstColumn) {
  EXPECT_EQ(csv("\xEF\xBB\xBFid,response\n1,x\n").columns.front(), "id");
}

TEST_F(AnswersFile, ALastLineNeedsNoLineBreak) {
  EXPECT_EQ(csv("response\nlast").answers.at(0).fields["response"], "last");
}

TEST_F(AnswersFile, SemicolonsSeparateWhereTheFirstLineHasNoComma) {
  EXPECT_EQ(csv("id;response\n1;a, b\n").answers.at(0).fields["response"], "a, b");
  EXPECT_EQ(csv("id,response;x\n1,a\n").columns, (std::vector<std::string>{"id", "response;x"}));
}

TEST_F(AnswersFile, AnEndingCountsWhateverItsCase) {
  EXPECT_EQ(read_answers(folder_.file("A.CSV", "id,response\n1,x\n"), {}).columns.size(), 2U);
  EXPECT_EQ(read_answers(folder_.file("A.Tsv", "id\tresponse\n1\tx\n"), {}).columns.size(), 2U);
}

TEST_F(AnswersFile, ATsvHasTabs) {
  const Answers answers = read_answers(folder_.file("a.tsv", "id\tresponse\n1\ta,b\n"), {});
  EXPECT_EQ(answers.answers.at(0).fields["response"], "a,b");
}

TEST_F(AnswersFile, BrokenQuotesNameTheirLine) {
  EXPECT_EQ(
      csv_error("id,response\n1,\"a\" b\n"),
      "answers.csv:2: a broken quote: text after a closing quote, or a quote inside a cell "
      "that has none around it; put the whole cell in quotes and write each quote in it twice");
  EXPECT_EQ(csv_error("id,response\n1,ok\n2,\"never\nclosed\n"),
            "answers.csv:3: a quote that is never closed; close it, or write each quote inside a "
            "cell twice");
  EXPECT_EQ(csv_error("response\na \"b\" c\n").substr(0, 32), "answers.csv:2: a broken quote: t");
}

TEST_F(AnswersFile, OtherEncodingsAreRefused) {
  EXPECT_EQ(csv_error("\xFF\xFEr\0e\0"),
            "answers.csv: this is UTF-16, not UTF-8; save the file as UTF-8");
  EXPECT_EQ(csv_error("response\nx\ncaf\xE9\n"),
            "answers.csv:3: invalid UTF-8; save the file as UTF-8");
  EXPECT_EQ(csv_error(std::string("response\na\0b\n", 13)),
            "answers.csv:2: a zero byte; is this really a CSV file?");
}

TEST_F(AnswersFile, RowsHaveTheColumnsOfTheFirstLine) {
  EXPECT_EQ(csv_error("id,response\n1,a,b\n"),
            "answers.csv:2: 3 cells where the first line names 2 columns; is a cell with a comma "
            "in it without quotes?");
  EXPECT_EQ(csv_error("a,a\n1,2\n"), "answers.csv:1: two columns named 'a'");
  EXPECT_EQ(csv_error("a,\n1,2\n"), "answers.csv:1: a column without a name; name it");
}

TEST_F(AnswersFile, NoRowsIsAnError) {
  EXPECT_EQ(csv_error("id,response\n"), "answers.csv: no answers: the file has no rows");
  EXPECT_EQ(csv_error(""), "answers.csv: no answers: the file has no rows");
}

TEST_F(AnswersFile, ARepeatedIdNamesBothLines) {
  EXPECT_EQ(csv_error("id,response\nx,1\ny,2\nx,3\n"),
            "answers.csv:4: the id 'x' stands in line 2 already; ids must differ");
}

TEST_F(AnswersFile, WithoutAnIdTheLineIsTheId) {
  const Answers answers = jsonl("{\"response\":\"a\"}\n\n{\"response\":\"b\"}\n");
  EXPECT_EQ(answers.answers[1].id, "3");
  EXPECT_TRUE(answers.answers[1].id_is_integer);
}

TEST_F(AnswersFile, AnEmptyCellIsAbsentButAnEmptyResponseIsOne) {
  const Answers answers = csv("input,response,reference\n?,,\n");
  EXPECT_FALSE(answers.answers[0].fields.contains("reference"));
  EXPECT_EQ(answers.answers[0].fields["response"], "");
}

TEST_F(AnswersFile, ColumnsAreMappedAndMayServeTwice) {
  const Answers answers =
      csv("q,a\nwhat,that\n", {{"input", "q"}, {"response", "a"}, {"reference", "a"}});
  EXPECT_EQ(answers.answers[0].fields.dump(),
            R"({"input":"what","response":"that","reference":"that"})");
  EXPECT_EQ(answers.columns, (std::vector<std::string>{"input", "response", "reference"}));
}

TEST_F(AnswersFile, AMappedColumnThatIsNotThereNamesTheNearest) {
  EXPECT_EQ(csv_error("question,answer\n1,2\n", {{"input", "qestion"}}),
            "answers.csv: there is no column 'qestion', which 'input' is mapped to; did you mean "
            "'question'?");
  EXPECT_EQ(csv_error("q,a\n1,2\n", {{"input", "something"}}),
            "answers.csv: there is no column 'something', which 'input' is mapped to; the columns "
            "are q, a");
}

TEST_F(AnswersFile, AMappingHidesNoColumn) {
  EXPECT_EQ(csv_error("response,answer\n1,2\n", {{"response", "answer"}}),
            "answers.csv: 'response' is mapped to the column 'answer', and a column 'response' is "
            "there too; map that one to another name: response_old=response");
  EXPECT_EQ(csv("response,answer\n1,2\n", {{"response", "answer"}, {"old", "response"}})
                .answers[0]
                .fields["response"],
            "2");
}

TEST(ColumnMap, ReadsFieldsAndColumns) {
  EXPECT_EQ(parse_map("input=question, response=my answer"),
            (ColumnMap{{"input", "question"}, {"response", "my answer"}}));
  EXPECT_EQ(error_of([] { parse_map("input"); }),
            "'input' maps nothing; write field=column, with commas between: "
            "input=question,response=answer");
  EXPECT_EQ(error_of([] { parse_map("a=b,a=c"); }), "the field 'a' is mapped twice");
}

TEST(NearestName, IsNearOrNone) {
  EXPECT_EQ(nearest_name("respnse", {"input", "response"}), "response");
  EXPECT_EQ(nearest_name("zzz", {"input", "response"}), "");
}

}  // namespace
}  // namespace selene::check
