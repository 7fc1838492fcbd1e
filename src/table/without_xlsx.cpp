// Workbooks in a build without libzip and pugixml.
#include "core/error.h"
#include "table/xlsx.h"

namespace selene::table {

bool can_read_xlsx() { return false; }

void xlsx_to_jsonl(const std::filesystem::path& workbook, const std::filesystem::path&,
                   std::uint64_t) {
  throw Error("this build of selene cannot read workbooks", workbook.string(),
              "install libzip-dev and libpugixml-dev and build again");
}

}  // namespace selene::table
