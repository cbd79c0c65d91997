// Named places where a test can kill the process, as a power cut or the kernel's OOM killer would.
#ifndef RIVERMEET_BASE_CRASH_POINT_H_
#define RIVERMEET_BASE_CRASH_POINT_H_

#include <string_view>

namespace rivermeet {

// Kills the process with SIGKILL here when the environment says RIVERMEET_CRASH_AT=<name>:<n> and this is the
// n-th time (from 1) that the point `name` is reached. Costs one load and a predictable branch otherwise.
// Names are <component>.<step>.<before|after>_<what>, for example "log.append.before_sync".
void CrashPoint(std::string_view name);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_CRASH_POINT_H_
