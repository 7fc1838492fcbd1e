// The voting page of a build without cpp-httplib: it says how to get it.
#include "arena/server.h"
#include "core/error.h"

namespace selene::arena {

bool can_serve() { return false; }

void serve(Store&, const ServerOptions&, const std::function<bool()>&,
           const std::function<void(const std::string& address)>&) {
  throw Error("this program was built without cpp-httplib, which the page is served with",
              "selene arena serve",
              "install libcpp-httplib-dev and build again; selene arena vote needs none");
}

}  // namespace selene::arena
