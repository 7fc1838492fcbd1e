#include "cli/judge_view.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/output.h"
#include "core/text.h"

namespace selene::cli {
namespace {

constexpr size_t kBarColumns = 30;

std::string bar(double probability) {
  std::string text;
  for (size_t i = 0; i < static_cast<size_t>(probability * kBarColumns + 0.5); ++i) text += "█";
  return text;
}

std::string verdict_text(const data::Judgment& judgment) {
  return judgment.label ? *judgment.label : "unreadable";
}

std::string distribution_line(const data::Part& part) {
  if (part.probabilities.empty()) return printable(part.label.value_or(""));
  std::vector<std::string> parts;
  for (const auto& [label, probability] : part.probabilities) {
    parts.push_back(fmt::format("{} {:.3f}", printable(label), probability));
  }
  return fmt::format("{}", fmt::join(parts, "  "));
}

// What tells a part from the others: member, order, repeat.
std::string part_name(const data::Judgment& judgment, const data::Part& part) {
  const auto several = [&](auto field) {
    const auto differs = [&](const data::Part& other) { return other.*field != part.*field; };
    return std::any_of(judgment.parts.begin(), judgment.parts.end(), differs);
  };
  std::vector<std::string> words;
  if (several(&data::Part::judge)) words.push_back(printable(part.judge));
  if (!part.order.empty())
    words.emplace_back(part.order == "ba" ? "B shown first" : "A shown first");
  if (several(&data::Part::sample)) words.push_back(fmt::format("sample {}", part.sample + 1));
  return fmt::format("{}", fmt::join(words, ", "));
}

// The part whose critique is the judgment's.
const data::Part* speaker(const data::Judgment& judgment) {
  for (const data::Part& part : judgment.parts) {
    if (part.label == judgment.label) return &part;
  }
  return judgment.parts.empty() ? nullptr : &judgment.parts.front();
}

bool has_flag(const data::Judgment& judgment, std::string_view flag) {
  return std::find(judgment.flags.begin(), judgment.flags.end(), flag) != judgment.flags.end();
}

double highest(const data::Distribution& probabilities) {
  double most = 0;
  for (const auto& [label, probability] : probabilities) most = std::max(most, probability);
  return most;
}

}  // namespace

JudgeView::JudgeView(Style style) : style_(style), terminal_(report::terminal(STDOUT_FILENO)) {}

JudgeView::~JudgeView() = default;

void JudgeView::text(size_t row, std::string_view id, size_t part, std::string_view piece) {
  if (style_ != Style::Stream || part != 0) return;
  if (row == next_row_) {
    stream(id, piece);
  } else {
    Waiting& waiting = waiting_[row];
    waiting.id = id;
    waiting.text += piece;
  }
}

void JudgeView::stream(std::string_view id, std::string_view piece) {
  if (!heading_shown_) {
    std::string heading = fmt::format("row {}", next_row_ + 1);
    if (id != std::to_string(next_row_ + 1)) heading += ": " + printable(id);
    put(report::styled(heading, report::Style::Dim, terminal_.color) + "\n");
    heading_shown_ = true;
  }
  // The critique of the judgment has no white space at its ends, so none is shown.
  std::string text = held_space_ + printable(piece);
  constexpr const char* kSpace = " \t\r\n";
  if (!text_shown_) text.erase(0, std::min(text.find_first_not_of(kSpace), text.size()));
  const size_t end = text.find_last_not_of(kSpace) + 1;
  held_space_ = text.substr(end);
  text.resize(end);
  text_shown_ = text_shown_ || !text.empty();
  put(text);
  flush_output();
}

void JudgeView::judgment(size_t row, const data::Judgment& judgment) {
  switch (style_) {
    case Style::None:
      break;
    case Style::Jsonl:
      put(data::to_json(judgment).dump() + "\n");
      break;
    case Style::Table:
      write_table_row(judgment);
      break;
    case Style::Card:
      write_card(judgment, /*critique_shown=*/false);
      break;
    case Style::Stream: {
      if (text_shown_) put("\n");
      write_card(judgment, /*critique_shown=*/text_shown_);
      put("\n");
      break;
    }
  }
  flush_output();
  next_row_ = row + 1;
  heading_shown_ = text_shown_ = false;
  held_space_.clear();
  if (const auto waiting = waiting_.find(next_row_); waiting != waiting_.end()) {
    stream(waiting->second.id, waiting->second.text);
    waiting_.erase(waiting);
  }
}

void JudgeView::stop() {
  if (text_shown_) put("\n");
  text_shown_ = false;
  flush_output();
}

void JudgeView::write_table_row(const data::Judgment& judgment) {
  if (!table_) {
    table_.emplace(
        std::vector<report::Column>{{.title = "id", .width = 12},
                                    {.title = "task", .width = 14},
                                    {.title = "verdict", .width = 10},
                                    {.title = "p", .width = 4, .align = report::Align::Right},
                                    {.title = "score", .width = 5, .align = report::Align::Right},
                                    {.title = "critique", .width = 20, .flexible = true}},
        terminal_);
    put(table_->header());
  }
  std::string remark = judgment.label ? judgment.critique : judgment.unreadable;
  if (!judgment.flags.empty())
    remark = fmt::format("[{}] {}", fmt::join(judgment.flags, ", "), remark);
  const std::vector<report::Cell> cells{
      {judgment.id},
      {std::string(data::task_name(judgment.task))},
      {verdict_text(judgment), judgment.label ? report::Style::Bold : report::Style::Yellow},
      {judgment.probabilities.empty() ? ""
                                      : fmt::format("{:.2f}", highest(judgment.probabilities))},
      {judgment.score ? fmt::format("{:.2f}", *judgment.score) : ""},
      {remark}};
  put(table_->row(cells));
}

void JudgeView::write_card(const data::Judgment& judgment, bool critique_shown) {
  put(report::styled(printable(verdict_text(judgment)), report::Style::Bold, terminal_.color));
  if (!judgment.label) put(fmt::format(": {}", printable(judgment.unreadable)));
  if (judgment.score) put(fmt::format("   expected score {:.2f}", *judgment.score));
  if (judgment.margin) put(fmt::format("   margin {:.3f}", *judgment.margin));
  if (judgment.entropy) put(fmt::format("   entropy {:.2f} bits", *judgment.entropy));
  put("\n");
  size_t width = 0;
  for (const auto& [label, probability] : judgment.probabilities) {
    width = std::max(width, display_columns(printable(label)));
  }
  for (const auto& [label, probability] : judgment.probabilities) {
    const std::string name = printable(label);
    put(fmt::format("  {}{}  {:.4f}  {}\n", name, std::string(width - display_columns(name), ' '),
                    probability, bar(probability)));
  }
  for (const data::Part& part : judgment.parts) {
    put(fmt::format("  {}  {}\n", part_name(judgment, part),
                    part.label ? distribution_line(part) : "unreadable"));
  }
  if (has_flag(judgment, "flipped")) put("  the two orders name different responses\n");
  if (!judgment.flags.empty()) put(fmt::format("  flags: {}\n", fmt::join(judgment.flags, ", ")));
  const data::Part* part = speaker(judgment);
  if (part != nullptr && part != &judgment.parts.front())
    critique_shown = false;  // Only the first part's was shown.
  if (critique_shown || judgment.critique.empty()) return;
  put(part != nullptr && part->order == "ba" ? "\nWritten with B shown first, as its response A:\n"
                                             : "\n");
  put(printable(judgment.critique) + "\n");
}

}  // namespace selene::cli
