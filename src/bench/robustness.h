// How far a judge's verdicts depend on the wording of the prompt, and on what should not matter:
// runs of one benchmark under several formats and probes, each beside the standard format.
//
// The paper's prompt-format study (arXiv 2501.17195, figure 3b). Where the engine is exact, a
// verdict that differs was changed by the wording alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/score.h"
#include "report/table.h"

namespace selene::bench {

// The format that the others are compared with.
inline constexpr char kStandardFormat[] = "pairwise";

struct FormatResult {
  std::string name;  // Of the template, or of the probe.
  std::string description;
  bool is_probe = false;
  Figure figure;  // Accuracy by the benchmark's convention.
  // Beside the standard format, over the items that both judged.
  std::optional<stats::Estimate> difference;
  size_t items = 0;
  size_t flips = 0;  // Of formats: another verdict. Of probes: right before and wrong now,
                     // or the other way round.
  size_t lost = 0;   // Right under the standard format and wrong here.
};

struct FlippingItem {
  std::string id;
  std::string group;
  size_t flips = 0;  // Formats with another verdict than the standard one's.
};

struct Robustness {
  std::string folder;
  std::string benchmark;
  std::string judge;
  std::string mode;
  std::vector<FormatResult> formats;  // The standard first, then by accuracy, worst last.
  std::vector<FormatResult> probes;
  std::vector<FlippingItem> flipping;  // Those that flip most, first.
  size_t items = 0;
};

// The folder of one format or probe below that of a study.
std::filesystem::path format_folder(const std::filesystem::path& study, const std::string& format);
std::filesystem::path probe_folder(const std::filesystem::path& study, const std::string& probe);

// Reads a study of `selene bench robustness`. Throws Error where it is none, or its standard format
// is not finished.
Robustness read_robustness(const std::filesystem::path& study, const std::string& benchmark,
                           const ScoreOptions& options);

// Every benchmark of a study, by name.
std::vector<Robustness> read_study(const std::filesystem::path& study, const ScoreOptions& options);

nlohmann::ordered_json to_json(const Robustness& robustness);
std::string robustness_markdown(const Robustness& robustness);
// `beside` may be null: another judge's study of the same benchmark.
std::string robustness_text(const Robustness& robustness, const Robustness* beside,
                            report::Terminal terminal);

}  // namespace selene::bench
