#include "report/picture.h"

#include <gtest/gtest.h>

#include "check/failing.h"
#include "core/file.h"
#include "report/curves.h"
#include "temporary_folder.h"

namespace selene::report {
namespace {

using testing::error_of;
using testing::TemporaryFolder;

const std::string kSvg = curves_svg(
    {.title = "Run <&>", .x = "step", .panels = {{"Loss", {{"loss", {{1, 2}, {2, 1.5}}}}}}});

TEST(Picture, AnSvgIsWrittenAsItIs) {
  const TemporaryFolder folder;
  write_picture(folder / "a.svg", kSvg);
  EXPECT_EQ(read_file(folder / "a.svg"), kSvg);
}

TEST(Picture, APngIsDrawn) {
  const TemporaryFolder folder;
  if (std::system("rsvg-convert --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "rsvg-convert is not installed";
  write_picture(folder / "a.png", kSvg);
  EXPECT_TRUE(read_file(folder / "a.png").starts_with("\x89PNG\r\n"));
}

TEST(Picture, AnotherEndingIsRefused) {
  const TemporaryFolder folder;
  const auto failure = error_of([&] { write_picture(folder / "a.jpg", kSvg); });
  EXPECT_NE(failure.find("a.jpg"), std::string::npos) << failure;
  EXPECT_NE(failure.find(".svg or .png"), std::string::npos) << failure;
}

TEST(Picture, WhatIsNoSvgIsAnErrorAndNoFile) {
  const TemporaryFolder folder;
  if (std::system("rsvg-convert --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "rsvg-convert is not installed";
  const auto failure = error_of([&] { write_picture(folder / "a.png", "not a drawing"); });
  EXPECT_NE(failure.find("rsvg-convert failed"), std::string::npos) << failure;
  EXPECT_FALSE(path_exists(folder / "a.png"));
}

}  // namespace
}  // namespace selene::report
