// The protobuf wire format (https://protobuf.dev/programming-guides/encoding), as far as batches use it.
#ifndef RIVERMEET_EVENTS_INTERNAL_WIRE_H_
#define RIVERMEET_EVENTS_INTERNAL_WIRE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rivermeet::events::internal {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

inline int64_t ZigZagDecode(uint64_t v) { return static_cast<int64_t>((v >> 1) ^ (~(v & 1) + 1)); }
inline uint64_t ZigZagEncode(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }

// Reads one varint at `at`; null when it is longer than 10 bytes or runs over `end`.
inline const char* ReadVarint(const char* at, const char* end, uint64_t& value) {
  if (at < end && static_cast<uint8_t>(*at) < 0x80) {
    value = static_cast<uint8_t>(*at);
    return at + 1;
  }
  uint64_t result = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at == end) return nullptr;
    const uint64_t byte = static_cast<uint8_t>(*at++);
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (shift == 63 && byte > 1) return nullptr;
      value = result;
      return at;
    }
  }
  return nullptr;
}

// One field of a message.
struct WireField {
  uint32_t number = 0;
  uint32_t type = 0;
  // A varint's value, or a fixed one's bits.
  uint64_t bits = 0;
  // A length-delimited one's content.
  std::string_view content;
};

// Walks the fields of a message.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // False at the end of the message, and when the rest isn't one: see broken().
  bool Next(WireField& field) {
    if (at_ == end_ || broken_) return false;
    uint64_t tag = 0;
    at_ = ReadVarint(at_, end_, tag);
    if (at_ == nullptr || tag > UINT32_MAX || tag < 8) return Break();
    field.number = static_cast<uint32_t>(tag >> 3);
    field.type = tag & 7;
    switch (field.type) {
      case kVarint:
        at_ = ReadVarint(at_, end_, field.bits);
        return at_ != nullptr || Break();
      case kFixed64:
        return ReadFixed<uint64_t>(field);
      case kFixed32:
        return ReadFixed<uint32_t>(field);
      case kLengthDelimited: {
        uint64_t size = 0;
        at_ = ReadVarint(at_, end_, size);
        if (at_ == nullptr || size > static_cast<uint64_t>(end_ - at_)) return Break();
        field.content = {at_, static_cast<size_t>(size)};
        at_ += size;
        return true;
      }
      default:
        return Break();
    }
  }

  bool broken() const { return broken_; }

 private:
  template <typename T>
  bool ReadFixed(WireField& field) {
    if (static_cast<size_t>(end_ - at_) < sizeof(T)) return Break();
    T value;
    std::memcpy(&value, at_, sizeof value);
    field.bits = value;
    at_ += sizeof value;
    return true;
  }
  bool Break() {
    broken_ = true;
    return false;
  }

  const char* at_;
  const char* end_;
  bool broken_ = false;
};

inline size_t VarintSize(uint64_t v) { return (static_cast<size_t>(63 - __builtin_clzll(v | 1)) * 9 + 73) / 64; }

inline char* WriteVarint(char* to, uint64_t v) {
  while (v >= 0x80) {
    *to++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *to++ = static_cast<char>(v);
  return to;
}

// Appends fields to a message.
class WireWriter {
 public:
  explicit WireWriter(std::string& to) : to_(to) {}

  void Varint(uint32_t number, uint64_t value) {
    Tag(number, kVarint);
    Raw(value);
  }
  void Fixed64(uint32_t number, int64_t value) {
    Tag(number, kFixed64);
    to_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void Bytes(uint32_t number, std::string_view content) {
    Tag(number, kLengthDelimited);
    Raw(content.size());
    to_.append(content);
  }

  // A packed array of `count` varints, each at(i).
  template <typename At>
  void PackedVarints(uint32_t number, size_t count, At at) {
    if (count == 0) return;
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) size += VarintSize(at(i));
    Tag(number, kLengthDelimited);
    Raw(size);
    const size_t start = to_.size();
    to_.resize(start + size);
    char* out = to_.data() + start;
    for (size_t i = 0; i < count; ++i) out = WriteVarint(out, at(i));
  }

 private:
  void Tag(uint32_t number, uint32_t type) { Raw(number << 3 | type); }
  void Raw(uint64_t value) {
    char buffer[10];
    to_.append(buffer, static_cast<size_t>(WriteVarint(buffer, value) - buffer));
  }

  std::string& to_;
};

}  // namespace rivermeet::events::internal

#endif  // RIVERMEET_EVENTS_INTERNAL_WIRE_H_
