// Waiting for the operator's wish to stop.
#ifndef RIVERMEET_BASE_SHUTDOWN_H_
#define RIVERMEET_BASE_SHUTDOWN_H_

#include <string>

namespace rivermeet {

// Blocks SIGINT and SIGTERM in this thread and all it will start, so that WaitForShutdown() sees them, and ignores
// SIGPIPE and SIGHUP: a closed terminal is no wish to stop. Call first in main.
void PrepareShutdown();

// Returns the signal's name once SIGINT or SIGTERM arrives. A second one after this has returned ends the
// process at once.
std::string WaitForShutdown();

// Makes WaitForShutdown() return, as if SIGTERM had arrived.
void RequestShutdown();

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_SHUTDOWN_H_
