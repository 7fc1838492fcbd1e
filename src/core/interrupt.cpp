#include "core/interrupt.h"

#include <signal.h>

namespace selene {
namespace {

volatile sig_atomic_t g_interrupted = 0;

extern "C" void on_signal(int) { g_interrupted = 1; }

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND;  // The second signal has its default effect.
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return g_interrupted != 0; }

void set_interrupted(bool value) { g_interrupted = value ? 1 : 0; }

}  // namespace selene
