// What `selene judge` prints to standard output while it works: a table, JSONL, a card for one
// sample, or critiques as they are written.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "data/judgment.h"
#include "report/table.h"

namespace selene::cli {

class JudgeView {
 public:
  enum class Style {
    None,
    Jsonl,
    Table,   // One line a judgment.
    Stream,  // For a terminal: each critique as it is written, then its verdict.
    Card,    // One sample: verdict, distribution, orders, critique.
  };

  explicit JudgeView(Style style);
  ~JudgeView();

  // A piece of the critique of row `row` (counted over the whole run) with the id `id`. Shown at
  // once when it is the next row's turn.
  void text(size_t row, std::string_view id, size_t part, std::string_view piece);
  // Judgments come in the order of rows.
  void judgment(size_t row, const data::Judgment& judgment);
  // Ends the line of a critique that is not finished, before something else is said.
  void stop();

 private:
  void write_table_row(const data::Judgment& judgment);
  void write_card(const data::Judgment& judgment, bool critique_shown);
  void stream(std::string_view id, std::string_view piece);

  Style style_;
  report::Terminal terminal_;
  size_t next_row_ = 0;
  bool heading_shown_ = false;
  bool text_shown_ = false;
  std::string held_space_;  // White space that is shown when more text follows it.
  struct Waiting {
    std::string id;
    std::string text;
  };
  std::map<size_t, Waiting> waiting_;  // Text of rows whose turn has not come.
  std::optional<report::Table> table_;
};

}  // namespace selene::cli
