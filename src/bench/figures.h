// A report's figures as SVG files, as the paper (arXiv 2501.17195) draws them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/reports.h"

namespace selene::bench {

struct SvgFile {
  std::string name;
  std::string text;
};

// overview.svg (its figure 1: the average by model; every benchmark by task), industry.svg (its
// figure 3a; where such a set was run), groups-NAME.svg of each benchmark that has groups, and
// robustness-NAME.svg (its figure 3b) of each that there are studies of.
std::vector<SvgFile> svg_figures(std::span<const Report> reports, Studies studies = {});

// The industry sets of figure 3a: FinanceBench and CRAFT-MD, under each reading.
bool is_industry(const std::string& benchmark);

}  // namespace selene::bench
