#include "net/internal/websocket_frames.h"

#include <cstring>

#include "base/strings.h"
#include "net/websocket.h"

namespace rivermeet::net {

Frame BinaryFrame(std::string_view payload) {
  return std::make_shared<const std::string>(internal::EncodeFrame(internal::Opcode::kBinary, payload));
}

Frame TextFrame(std::string_view payload) {
  return std::make_shared<const std::string>(internal::EncodeFrame(internal::Opcode::kText, payload));
}

namespace internal {

std::string EncodeFrame(Opcode opcode, std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + 10);
  frame.push_back(static_cast<char>(0x80 | static_cast<uint8_t>(opcode)));
  const uint64_t size = payload.size();
  int length_bytes = 0;
  if (size < 126) {
    frame.push_back(static_cast<char>(size));
  } else if (size < 65536) {
    frame.push_back(126);
    length_bytes = 2;
  } else {
    frame.push_back(127);
    length_bytes = 8;
  }
  for (int i = length_bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(size >> (8 * i)));
  frame.append(payload);
  return frame;
}

FrameHeaderResult DecodeFrameHeader(std::string_view bytes) {
  if (bytes.size() < 2) return {};
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  FrameHeader header{static_cast<Opcode>(byte(0) & 0x0f), (byte(0) & 0x80) != 0, byte(1) & 0x7fu, 2, 0};
  const bool control = (byte(0) & 0x08) != 0;
  const bool known = (byte(0) & 0x0f) <= 2 || ((byte(0) & 0x0f) >= 8 && (byte(0) & 0x0f) <= 10);
  // No extension is ever agreed on, so the reserved bits are zero; a client's frames are masked.
  if ((byte(0) & 0x70) != 0 || !known || (byte(1) & 0x80) == 0)
    return {.header = std::nullopt, .close_code = kProtocolError};
  if (control && (!header.final || header.length > 125)) return {.header = std::nullopt, .close_code = kProtocolError};
  const int length_bytes = header.length == 126 ? 2 : header.length == 127 ? 8 : 0;
  if (bytes.size() < 2u + length_bytes + 4) return {};
  if (length_bytes > 0) {
    header.length = 0;
    for (int i = 0; i < length_bytes; ++i) header.length = header.length << 8 | byte(2 + i);
    // The shortest form is the only one, and the highest bit is zero.
    if (header.length < (length_bytes == 2 ? 126u : 65536u) || header.length >> 63 != 0) {
      return {.header = std::nullopt, .close_code = kProtocolError};
    }
  }
  std::memcpy(&header.mask, bytes.data() + 2 + length_bytes, 4);
  header.header_bytes = 2 + length_bytes + 4;
  return {.header = header};
}

void Unmask(std::span<char> data, uint32_t mask) {
  const uint64_t wide = static_cast<uint64_t>(mask) << 32 | mask;
  size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, data.data() + i, 8);
    word ^= wide;
    std::memcpy(data.data() + i, &word, 8);
  }
  char bytes[4];
  std::memcpy(bytes, &mask, 4);
  for (; i < data.size(); ++i) data[i] = static_cast<char>(data[i] ^ bytes[i & 3]);
}

std::optional<uint16_t> CloseCodeOf(std::string_view payload) {
  if (payload.empty()) return 1005;
  if (payload.size() == 1 || !IsUtf8(payload.substr(2))) return std::nullopt;
  const uint16_t code = static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]));
  const bool defined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  if (!defined && (code < 3000 || code > 4999)) return std::nullopt;
  return code;
}

bool CanBecomeUtf8(std::string_view text) {
  size_t bad = 0;
  if (IsUtf8(text, &bad)) return true;
  const std::string_view tail = text.substr(bad);
  if (tail.size() > 3) return false;
  // A cut sequence is fine when some continuation completes it.
  const auto lead = static_cast<uint8_t>(tail[0]);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (tail.size() >= length) return false;
  for (const char first : {'\x80', '\x90', '\xa0'}) {
    std::string whole(tail);
    while (whole.size() < length) whole.push_back(whole.size() == 1 ? first : '\x80');
    if (IsUtf8(whole)) return true;
  }
  return false;
}

}  // namespace internal
}  // namespace rivermeet::net
