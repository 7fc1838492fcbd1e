// `selene bench report`: the files that it writes, of one run and of two. No model is needed.
#include <gtest/gtest.h>

#include "bench/reports.h"
#include "bench/small_run.h"
#include "program.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

TEST(BenchReport, WritesEveryFile) {
  const TemporaryFolder folder;
  const std::string one = bench::write_small_run(folder, "one", "first");
  const std::string html = folder / "report.html";
  const Finished finished =
      run({"bench", "report", one, "--html", html, "--svg", folder / "figures/new", "--markdown",
           folder / "report.md", "--json", folder / "report.json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.out.find("judge first, critique mode"), std::string::npos) << finished.out;
  EXPECT_EQ(finished.err,
            bench::has_charts()
                ? ""
                : "note: " + html +
                      " has tables and no figures: this program was built without what draws "
                      "them (`make tables` brings it); --svg makes figures without it\n");
  EXPECT_TRUE(slurp(html).starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(slurp(folder / "report.md").starts_with("# Benchmarks: first\n"));
  EXPECT_EQ(Json::parse(slurp(folder / "report.json"))["judge"], "first");
  for (const char* name : {"overview.svg", "groups-small.svg"})
    EXPECT_TRUE(slurp(folder / "figures/new" / name).starts_with("<svg ")) << name;
}

TEST(BenchReport, ComparesSeveralRuns) {
  const TemporaryFolder folder;
  const Finished finished =
      run({"bench", "report", bench::write_small_run(folder, "one", "first"),
           bench::write_small_run(folder, "two", "second"), "--format", "json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  ASSERT_EQ(json["runs"].size(), 2u);
  EXPECT_EQ(json["runs"][1]["name"], "second");
}

TEST(BenchReport, AFolderForFiguresThatIsAFileIsAnError) {
  const TemporaryFolder folder;
  const std::string file = folder.file("file", "");
  const Finished finished =
      run({"bench", "report", bench::write_small_run(folder, "one", "first"), "--svg", file});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "error: " + file + ": this is no folder\n");
}

}  // namespace
}  // namespace selene::testing
