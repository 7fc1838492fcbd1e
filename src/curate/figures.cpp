// The figures of a curation as SVG: the funnel, and the scores.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/text.h"
#include "curate/report.h"
#include "report/svg_canvas.h"

namespace selene::curate {
namespace {

using report::kBoldColumn;
using report::kColumn;
using report::kInk;
using report::kRule;
using report::kSeries;
using report::kSoft;
using report::SvgCanvas;

// In pixels.
constexpr double kWidth = 960;
constexpr double kMargin = 24;
constexpr double kBarHeight = 18;
constexpr double kNoteLine = 15;

// Of what goes on, and of the reasons for which rows are dropped, in turn.
constexpr const char* kRows = "#24598a";
constexpr const char* kPairs = "#4a7d4f";
constexpr const char* kReasons[] = {"#b0562a", "#d99a4e", "#7a5195", "#9a7b1c",
                                    "#c97b8a", "#8c8c7a", "#a5281b", "#6d8aa8"};
constexpr size_t kMostReasons = std::size(kReasons);

double width_of(std::string_view text, double column) {
  return static_cast<double>(display_columns(text)) * column;
}

class FunnelDrawing {
 public:
  explicit FunnelDrawing(const Funnel& funnel) : funnel_(funnel) {
    size_t name = 4;
    for (const StepAccount& step : funnel.steps) {
      name = std::max(name, display_columns(cut_to_columns(step.step, kMostName)));
      most_ = std::max({most_, step.total().in, leaving(step.total())});
    }
    left_ = kMargin + static_cast<double>(name) * kBoldColumn + 12;
  }

  std::string run() {
    header();
    for (const StepAccount& step : funnel_.steps) draw(step);
    return canvas_.page("Funnel: " + funnel_.title, kWidth, y_ + kMargin - 8);
  }

 private:
  static constexpr size_t kMostName = 24;
  static constexpr double kNumbers = 150;  // Room behind the longest bar.

  double length(std::uint64_t rows) const {
    return static_cast<double>(rows) / static_cast<double>(most_) *
           (kWidth - kMargin - kNumbers - left_);
  }

  void header() {
    y_ = kMargin + 14;
    canvas_.text(kMargin, y_, cut_to_columns(funnel_.title, 90), {.size = 18, .bold = true});
    y_ += 20;
    const Counts first = funnel_.steps.front().total();
    canvas_.text(kMargin, y_,
                 fmt::format("Recipe {}, seed {}: {} rows in, {} pairs out. {}",
                             cut_to_columns(funnel_.recipe, 40), funnel_.seed, grouped(first.in),
                             grouped(funnel_.pairs.total()),
                             "Each bar is what enters a step; rows in = rows out + dropped."),
                 {.color = kSoft});
    y_ += 20;
    double x = kMargin;
    for (const auto& [color, words] :
         {std::pair{kRows, "rows that go on"}, std::pair{kPairs, "pairs that go on"},
          std::pair{kReasons[0], "other colours: dropped, by reason"}}) {
      canvas_.rect(x, y_ - 10, 12, 12, color);
      canvas_.text(x + 18, y_, words, {.color = kSoft});
      x += 18 + width_of(words, kColumn) + 20;
    }
    y_ += 16;
  }

  void draw(const StepAccount& step) {
    const Counts total = step.total();
    const NamedNumbers reasons = reasons_of(total);
    canvas_.text(left_ - 8, y_ + 13, cut_to_columns(step.step, kMostName),
                 {.bold = true, .anchor = "end"});
    double x = left_;
    const auto part = [&](std::uint64_t rows, const char* color) {
      if (rows == 0) return;
      const double width = std::max(1.0, length(rows));  // So that few rows are seen at all.
      canvas_.rect(x, y_, width, kBarHeight, color);
      x += width;
    };
    part(total.out, step.unit == "pairs" ? kPairs : kRows);
    for (size_t i = 0; i < reasons.size(); ++i) part(reasons[i].second, kReasons[i]);
    const std::uint64_t dropped = total.in - total.out;
    canvas_.text(x + 8, y_ + 13, grouped(total.out), {.bold = true});
    if (dropped > 0) {
      canvas_.text(x + 8 + width_of(grouped(total.out), kBoldColumn) + 8, y_ + 13,
                   "\xE2\x88\x92" + grouped(dropped), {.color = kSoft});  // A minus sign.
    }
    y_ += kBarHeight;
    notes(reasons);
    made(total);
    y_ += 10;
  }

  // The most frequent ones, and the rest as one.
  static NamedNumbers reasons_of(const Counts& total) {
    NamedNumbers reasons = most_first(total.dropped);
    if (reasons.size() <= kMostReasons) return reasons;
    std::uint64_t rest = 0;
    for (size_t i = kMostReasons - 1; i < reasons.size(); ++i) rest += reasons[i].second;
    const size_t more = reasons.size() - kMostReasons + 1;
    reasons.resize(kMostReasons - 1);
    reasons.emplace_back(fmt::format("{} more reasons", more), rest);
    return reasons;
  }

  void notes(const NamedNumbers& reasons) {
    double x = left_;
    for (size_t i = 0; i < reasons.size(); ++i) {
      const std::string words =
          fmt::format("{} {}", grouped(reasons[i].second), cut_to_columns(reasons[i].first, 60));
      const double width = 13 + width_of(words, kNoteColumn);
      if (i == 0 || x + width > kWidth - kMargin) {
        x = left_;
        y_ += kNoteLine;
      }
      canvas_.rect(x, y_ - 8, 8, 8, kReasons[i]);
      canvas_.text(x + 13, y_, words, {.color = kSoft, .size = 11});
      x += width + 16;
    }
    if (!reasons.empty()) y_ += 3;
  }

  // The pairs that the rows of this step become.
  void made(const Counts& total) {
    if (total.made == 0) return;
    y_ += 4;
    canvas_.text(left_ - 8, y_ + 13, "pairs", {.color = kSoft, .anchor = "end"});
    const double width = std::max(1.0, length(total.made));
    canvas_.rect(left_, y_, width, kBarHeight, kPairs);
    canvas_.text(left_ + width + 8, y_ + 13, grouped(total.made), {.bold = true});
    canvas_.text(left_ + width + 16 + width_of(grouped(total.made), kBoldColumn), y_ + 13,
                 "made of these rows", {.color = kSoft});
    y_ += kBarHeight;
  }

  static constexpr double kNoteColumn = 6.1;  // Of a text of 11 pixels.

  const Funnel& funnel_;
  SvgCanvas canvas_;
  std::uint64_t most_ = 1;
  double left_ = 0;
  double y_ = 0;
};

// The least of 1, 2 and 5 times a power of ten that divides `most` into at most four.
std::uint64_t tick_step(std::uint64_t most) {
  for (std::uint64_t power = 1;; power *= 10) {
    for (const std::uint64_t times : {1u, 2u, 5u}) {
      if (times * power * 4 >= most) return times * power;
    }
  }
}

class ScoresDrawing {
 public:
  std::string run(const Funnel& funnel) {
    y_ = kMargin + 14;
    canvas_.text(kMargin, y_, cut_to_columns("Scores: " + funnel.title, 90),
                 {.size = 18, .bold = true});
    y_ += 22;
    double x = kMargin;
    for (const auto& [color, words] :
         {std::pair{kSeries[0], "chosen answers"}, std::pair{kSeries[1], "rejected answers"}}) {
      canvas_.rect(x, y_ - 10, 12, 12, color);
      canvas_.text(x + 18, y_, words, {.color = kSoft});
      x += 18 + width_of(words, kColumn) + 20;
    }
    y_ += 10;
    for (const ScoreFacts& facts : funnel.scores) draw(facts);
    return canvas_.page("Scores: " + funnel.title, kWidth, y_ + kMargin / 2);
  }

 private:
  static constexpr double kGap = 32;
  static constexpr double kPlotHeight = 190;
  static constexpr double kTicks = 56;  // Left of a plot.

  // Where one histogram stands.
  struct Plot {
    double from = 0;
    double to = 0;
    double top = 0;
    double bottom = 0;
    std::uint64_t highest = 1;  // Of the axis.
    std::uint64_t step = 1;     // Between its ticks.

    double height(std::uint64_t number) const {
      return static_cast<double>(number) / static_cast<double>(highest) * (bottom - top);
    }
    double bin(size_t bins) const { return (to - from) / static_cast<double>(bins); }
  };

  void draw(const ScoreFacts& facts) {
    y_ += 24;
    const std::string title = facts.scorer.empty()
                                  ? fmt::format("Step {}", facts.step)
                                  : fmt::format("Step {}, scored by {}", facts.step, facts.scorer);
    canvas_.text(kMargin, y_, cut_to_columns(title, 110), {.size = 13, .bold = true});
    y_ += 24;
    const double width = (kWidth - 2 * kMargin - kGap) / 2;
    Plot plot = plot_of(facts);
    plot.from = kMargin + kTicks;
    plot.to = kMargin + width;
    draw(plot, facts.edges, facts.before, "before the filter");
    plot.from += width + kGap;
    plot.to += width + kGap;
    draw(plot, facts.edges, facts.after, "after it");
    y_ = plot.bottom + 46;
  }

  // Both histograms have one axis, so that what the filter took can be seen.
  Plot plot_of(const ScoreFacts& facts) const {
    std::uint64_t most = 1;
    for (const BinCounts* counts : {&facts.before, &facts.after}) {
      for (const auto* numbers : {&counts->chosen, &counts->rejected})
        most = std::max(most, *std::max_element(numbers->begin(), numbers->end()));
    }
    Plot plot{.top = y_ + 12, .bottom = y_ + 12 + kPlotHeight};
    plot.step = tick_step(most);
    plot.highest = (most + plot.step - 1) / plot.step * plot.step;
    return plot;
  }

  void draw(const Plot& plot, const std::vector<double>& edges, const BinCounts& counts,
            std::string_view title) {
    const auto sum = [](const std::vector<std::uint64_t>& numbers) {
      return grouped(std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0}));
    };
    canvas_.text(plot.from, y_, title, {.size = 13, .bold = true});
    canvas_.text(plot.from + width_of(title, kBoldColumn) + 10, y_,
                 fmt::format("{} chosen, {} rejected", sum(counts.chosen), sum(counts.rejected)),
                 {.color = kSoft, .size = 11});
    grid(plot);
    const double bin = plot.bin(counts.chosen.size());
    for (size_t i = 0; i < counts.chosen.size(); ++i) {
      const double x = plot.from + bin * (static_cast<double>(i) + 0.08);
      const double bar = bin * 0.42;
      const double chosen = plot.height(counts.chosen[i]);
      const double rejected = plot.height(counts.rejected[i]);
      canvas_.rect(x, plot.bottom - chosen, bar, chosen, kSeries[0]);
      canvas_.rect(x + bar, plot.bottom - rejected, bar, rejected, kSeries[1]);
    }
    axis(plot, edges);
  }

  void grid(const Plot& plot) {
    for (std::uint64_t tick = 0; tick <= plot.highest; tick += plot.step) {
      const double at = plot.bottom - plot.height(tick);
      canvas_.line(plot.from, at, plot.to, at, kRule, 1);
      canvas_.text(plot.from - 6, at + 4, grouped(tick),
                   {.color = kSoft, .size = 10, .anchor = "end"});
    }
  }

  void axis(const Plot& plot, const std::vector<double>& edges) {
    const size_t bins = edges.size() - 1;
    canvas_.line(plot.from, plot.bottom, plot.to, plot.bottom, kInk, 1);
    for (size_t i = 0; i <= bins; i += (bins + 3) / 4) {
      const double x = plot.from + plot.bin(bins) * static_cast<double>(i);
      canvas_.line(x, plot.bottom, x, plot.bottom + 4, kInk, 1);
      canvas_.text(x, plot.bottom + 16, fmt::format("{:.3g}", edges[i]),
                   {.color = kSoft, .size = 10, .anchor = "middle"});
    }
    canvas_.text((plot.from + plot.to) / 2, plot.bottom + 32, "score",
                 {.color = kSoft, .size = 11, .anchor = "middle"});
  }

  SvgCanvas canvas_;
  double y_ = 0;
};

}  // namespace

std::string funnel_svg(const Funnel& funnel) { return FunnelDrawing(funnel).run(); }

std::string scores_svg(const Funnel& funnel) {
  return funnel.scores.empty() ? std::string() : ScoresDrawing().run(funnel);
}

}  // namespace selene::curate
