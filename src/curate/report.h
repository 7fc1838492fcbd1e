// What people read of a curation: the funnel for a terminal and as Markdown, its figures, and a
// data card. The same funnel gives the same bytes; any text in it is safe.
#pragma once

#include <string>

#include "curate/funnel.h"
#include "report/table.h"

namespace selene::curate {

// Steps with rows in, out and dropped, reasons beneath; then sources, splits and contamination.
std::string funnel_text(const Funnel& funnel, report::Terminal terminal);

// Everything: the funnel by step and by source, examples, contamination, critiques, scores,
// licences and notes.
std::string report_markdown(const Funnel& funnel);

// A card for the pairs in the form of the Hugging Face Hub: YAML front matter, then Markdown.
std::string data_card_markdown(const Funnel& funnel);

// One bar a step: what goes on, and what is dropped by reason.
std::string funnel_svg(const Funnel& funnel);

// Histograms of the scores of chosen and rejected answers, before and after the filter of each step
// that scores. Empty where none did.
std::string scores_svg(const Funnel& funnel);

// "Rows add up: ...", which funnel_from_json() has checked.
std::string adds_up_line(const Funnel& funnel);

}  // namespace selene::curate
