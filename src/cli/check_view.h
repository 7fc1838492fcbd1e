// What `selene check` prints for people: the rates, why the gate failed, and what to look at.
#pragma once

#include <string>

#include "check/result.h"
#include "report/table.h"

namespace selene::cli {

std::string check_table(const check::Report& report, report::Terminal terminal);

}  // namespace selene::cli
