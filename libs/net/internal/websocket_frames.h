// WebSocket frames as bytes (RFC 6455 section 5).
#ifndef RIVERMEET_NET_INTERNAL_WEBSOCKET_FRAMES_H_
#define RIVERMEET_NET_INTERNAL_WEBSOCKET_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rivermeet::net::internal {

enum class Opcode : uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// A server's whole frame: final, unmasked.
std::string EncodeFrame(Opcode opcode, std::string_view payload);

// A client's frame, as far as its header tells.
struct FrameHeader {
  Opcode opcode;
  bool final;
  uint64_t length;
  size_t header_bytes;
  uint32_t mask;
};
struct FrameHeaderResult {
  // Without either: more bytes are needed.
  std::optional<FrameHeader> header;
  uint16_t close_code = 0;  // Not 0: the peer broke the protocol.
};
FrameHeaderResult DecodeFrameHeader(std::string_view bytes);

// Takes the mask off `data` in place.
void Unmask(std::span<char> data, uint32_t mask);

// The code in a close frame's payload: 1005 for none, nullopt for one that breaks the protocol.
std::optional<uint16_t> CloseCodeOf(std::string_view payload);

// Whether `text` can still become UTF-8 when more follows.
bool CanBecomeUtf8(std::string_view text);

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_WEBSOCKET_FRAMES_H_
