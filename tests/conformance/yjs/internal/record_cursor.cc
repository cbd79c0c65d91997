#include "yjs/internal/record_cursor.h"

namespace rivermeet::yjs::internal {

// From this size on the stream has a hash for the bytes.
constexpr uint64_t kWholeBelow = 512;

std::string_view RecordCursor::Take(uint64_t size) {
  if (size > rest_.size()) {
    Fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

uint32_t RecordCursor::Word() {
  uint32_t word = 0;
  for (int shift = 0; shift < 32; shift += 8) word |= uint32_t{Byte()} << shift;
  return word;
}

uint64_t RecordCursor::VarUint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    const uint8_t byte = Byte();
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

Digest RecordCursor::ReadDigest() {
  Digest digest;
  digest.size = VarUint();
  if (digest.size < kWholeBelow) {
    digest.bytes = Take(digest.size);
  } else {
    const uint64_t high = Word();
    digest.hash = high << 32 | Word();
  }
  return digest;
}

Root RecordCursor::ReadRoot() {
  Root root;
  root.name = Bytes();
  root.type = static_cast<SharedType>(Byte());
  return root;
}

}  // namespace rivermeet::yjs::internal
