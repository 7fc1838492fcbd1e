// Ctrl-C and SIGTERM as a flag that long work looks at, so that what is finished is kept.
#pragma once

namespace selene {

// Catches SIGINT and SIGTERM from now on; a second signal ends the process at once.
void catch_interrupts();
bool interrupted();
// For tests and for a program that goes on after an interrupt.
void set_interrupted(bool value);

}  // namespace selene
