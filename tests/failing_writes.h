// Makes writes past a size fail, as a full disk does, while it lives (EFBIG instead of ENOSPC).
#pragma once

#include <signal.h>
#include <sys/resource.h>

namespace selene::testing {

class FailingWrites {
 public:
  explicit FailingWrites(rlim_t bytes) {
    before_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FailingWrites() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, before_handler_);
  }
  FailingWrites(const FailingWrites&) = delete;
  FailingWrites& operator=(const FailingWrites&) = delete;

 private:
  rlimit before_{};
  sighandler_t before_handler_ = SIG_DFL;
};

}  // namespace selene::testing
