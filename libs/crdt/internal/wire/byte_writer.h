// lib0's primitives, written (lib0/encoding.js).
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_BYTE_WRITER_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_BYTE_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rivermeet::crdt::internal {

inline void WriteByte(std::string& to, uint8_t byte) { to.push_back(static_cast<char>(byte)); }

inline void WriteVarUint(std::string& to, uint64_t value) {
  if (value < 0x80) {
    to.push_back(static_cast<char>(value));
    return;
  }
  char bytes[10];
  int size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  to.append(bytes, size);
}

// `negative` also for -0: the run-length columns tell it from 0.
inline void WriteVarInt(std::string& to, uint64_t magnitude, bool negative) {
  char bytes[10];
  int size = 0;
  bytes[size++] = static_cast<char>((magnitude > 0x3f ? 0x80 : 0) | (negative ? 0x40 : 0) | (magnitude & 0x3f));
  for (magnitude >>= 6; magnitude > 0; magnitude >>= 7) {
    bytes[size++] = static_cast<char>((magnitude > 0x7f ? 0x80 : 0) | (magnitude & 0x7f));
  }
  to.append(bytes, size);
}

inline void WriteVarBytes(std::string& to, std::string_view bytes) {
  WriteVarUint(to, bytes.size());
  to.append(bytes);
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_BYTE_WRITER_H_
