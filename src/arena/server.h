// The voting page: one page, three routes, on cpp-httplib.
//
//   GET /           the page, under a Content-Security-Policy that runs its own script alone
//   GET /api/next   a sample and two blind judgments, with the token that a vote needs
//   POST /api/vote  {"token", "outcome": A | B | tie | both_bad}; answers with the names
//   GET /api/board  the board as JSON
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "arena/board.h"
#include "arena/store.h"

namespace selene::arena {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;                          // 0: any that is free.
  std::size_t voter_per_minute = 30;        // Votes.
  std::size_t address_per_minute = 600;     // Votes and pairs.
  std::size_t new_voters_per_minute = 120;  // Of one address.
  BoardOptions board{};
};

// Whether this build has it (cpp-httplib).
bool can_serve();

// Serves until `stop` says so, which is asked several times a second. `ready` gets the address.
// A voter is a cookie; of addresses nothing is kept. Throws Error: no two judges to compare, an
// address in use, a build without it.
void serve(Store& store, const ServerOptions& options, const std::function<bool()>& stop,
           const std::function<void(const std::string& address)>& ready);

}  // namespace selene::arena
