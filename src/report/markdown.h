// Markdown of tables and of any text, as GitHub, GitLab and Hugging Face render it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace selene::report {

// One line of at most `columns` columns, escaped so that nothing in it is markup, with a break
// after the signs by which a comment would notify a person or an issue.
std::string markdown_text(std::string_view text, std::size_t columns);

// A name or a figure in a cell of a table: escaped only as far as it could end the cell or begin
// HTML.
std::string markdown_cell(std::string_view text);

// A row of a table, of cells that are Markdown already.
std::string markdown_row(std::span<const std::string> cells);

// The row of titles and its rule; the last `right` columns are aligned right.
std::string markdown_head(std::span<const std::string> titles, std::size_t right = 0);

}  // namespace selene::report
