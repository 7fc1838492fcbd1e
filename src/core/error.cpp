#include "core/error.h"

#include <system_error>

namespace selene {
namespace {

std::string compose(std::string_view what, std::string_view where, std::string_view remedy) {
  std::string text;
  if (!where.empty()) text.append(where).append(": ");
  text.append(what);
  if (!remedy.empty()) text.append("; ").append(remedy);
  return text;
}

}  // namespace

Error::Error(std::string_view what, std::string_view where, std::string_view remedy)
    : std::runtime_error(compose(what, where, remedy)),
      message_(what),
      where_(where),
      remedy_(remedy) {}

Error Error::at(std::string_view where) const { return Error(message_, where, remedy_); }

void ensure(bool condition, const char* message) {
  if (!condition) throw std::logic_error(message);
}

std::string errno_text(int error_number) { return std::generic_category().message(error_number); }

}  // namespace selene
