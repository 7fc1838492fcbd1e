// A ledger record of an import or of a ledger that others have written to: what is read is written
// again as the same record.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "judge/ledger.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  try {
    const judge::Record record =
        judge::record_from_json({reinterpret_cast<const char*>(bytes), size});
    ensure(record.key.size() == 64, "a key of another length");
    const std::string written = judge::record_to_json(record);
    ensure(judge::record_to_json(judge::record_from_json(written)) == written,
           "a record differs the second time");
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
