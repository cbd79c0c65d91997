// Which addresses stay on this machine: what goes to others needs TLS.
#ifndef RIVERMEET_BASE_LOOPBACK_H_
#define RIVERMEET_BASE_LOOPBACK_H_

#include <string_view>

namespace rivermeet {

// Whether `address`, with or without a port ("127.0.0.1:7401", "[::1]:80", "localhost"), stays on this machine.
bool IsLoopback(std::string_view address);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_LOOPBACK_H_
