#include "base/loopback.h"

#include <cstdint>
#include <vector>

#include "base/strings.h"

namespace rivermeet {

bool IsLoopback(std::string_view address) {
  std::string_view host = address;
  if (!host.empty() && host.front() == '[') {
    host = host.substr(1, host.find(']') == std::string_view::npos ? std::string_view::npos : host.find(']') - 1);
  } else if (const size_t colon = host.rfind(':'); colon != std::string_view::npos && host.find(':') == colon) {
    host = host.substr(0, colon);
  }
  if (host == "localhost" || host == "::1") return true;
  const std::vector<std::string_view> parts = Split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (const std::string_view part : parts) {
    uint8_t number = 0;
    if (!ParseNumber(part, number)) return false;
  }
  return true;
}

}  // namespace rivermeet
