#include "base/ids.h"

#include <sys/random.h>

#include <cstdio>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "base/status.h"

namespace rivermeet {

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  size_t filled = 0;
  while (filled < count) {
    const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    RM_CHECK(got > 0 || errno == EINTR);
    if (got > 0) filled += static_cast<size_t>(got);
  }
  return bytes;
}

uint64_t RandomId() {
  uint64_t id = 0;
  while (id == 0) {
    std::memcpy(&id, RandomBytes(sizeof id).data(), sizeof id);
    id >>= 1;
  }
  return id;
}

std::string RandomToken(size_t bytes) {
  std::string token;
  absl::WebSafeBase64Escape(RandomBytes(bytes), &token);
  return token;
}

std::string NewUuid() {
  std::string random = RandomBytes(16);
  auto* b = reinterpret_cast<unsigned char*>(random.data());
  const uint64_t ms = static_cast<uint64_t>(absl::ToUnixMillis(absl::Now()));
  for (int i = 0; i < 6; ++i) b[i] = static_cast<unsigned char>(ms >> (40 - 8 * i));
  b[6] = static_cast<unsigned char>(0x70 | (b[6] & 0x0f));
  b[8] = static_cast<unsigned char>(0x80 | (b[8] & 0x3f));
  char text[37];
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
  return text;
}

bool IsStreamName(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) return false;
  }
  return true;
}

}  // namespace rivermeet
