// Any bytes as a compressed body: refused, or content within the limits.
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "net/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte chooses the coding.
  if (size == 0) return 0;
  constexpr std::string_view kCodings[] = {"gzip", "deflate", "zstd"};
  const rivermeet::net::InflateLimits limits{.max_bytes = 1 << 20, .max_ratio = 100};
  const auto content =
      rivermeet::net::Inflate(kCodings[data[0] % 3], {reinterpret_cast<const char*>(data) + 1, size - 1}, limits);
  RM_CHECK(!content.ok() || content->size() <= limits.max_bytes);
  return 0;
}
