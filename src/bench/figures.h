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
// figure 3a; where such a set was run), and groups-NAME.svg of each benchmark that has groups.
std::vector<SvgFile> svg_figures(std::span<const Report> reports);

// The industry sets of figure 3a: FinanceBench and CRAFT-MD, under each reading.
bool is_industry(const std::string& benchmark);

}  // namespace selene::bench
