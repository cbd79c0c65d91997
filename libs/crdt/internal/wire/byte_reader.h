// lib0's primitives, read: variable-length integers, strings, big-endian numbers (lib0/decoding.js).
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_BYTE_READER_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_BYTE_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/status/status.h"

namespace rivermeet::crdt::internal {

// The largest integer the format knows: 2^53 - 1, JavaScript's.
constexpr uint64_t kMaxInteger = (uint64_t{1} << 53) - 1;

// A cursor over bytes that it doesn't own. An error sticks: from then on every read gives zero or nothing, so that a
// caller checks ok() once a struct. Cheap to copy; a copy reads on from the same place by itself.
class ByteReader {
 public:
  ByteReader() = default;
  // `base` is the offset of `bytes` in the whole input: what error offsets count from.
  explicit ByteReader(std::string_view bytes, size_t base = 0)
      : begin_(bytes.data()), position_(bytes.data()), end_(bytes.data() + bytes.size()), base_(base) {}

  bool ok() const { return error_ == nullptr; }
  // What was wrong with the bytes, a literal; null when all was well.
  const char* error() const { return error_; }
  // Where the first error was, in bytes from the start of the whole input.
  size_t error_offset() const { return error_offset_; }
  // Sets the error unless there is one already, at the current position.
  void Fail(const char* error) { FailAt(offset(), error); }
  void FailAt(size_t offset, const char* error) {
    if (error_ != nullptr) return;
    error_ = error;
    error_offset_ = offset;
    position_ = end_;
  }
  // OK, or the error and where it was: RESOURCE_EXHAUSTED when it is that of a limit, else INVALID_ARGUMENT.
  absl::Status status(bool is_limit = false) const;

  bool AtEnd() const { return position_ == end_; }
  size_t remaining() const { return static_cast<size_t>(end_ - position_); }
  size_t offset() const { return base_ + static_cast<size_t>(position_ - begin_); }
  const char* position() const { return position_; }
  // Goes on where it once was, before any error.
  void Resume(const char* position) { position_ = position; }

  uint8_t ReadByte() {
    if (position_ == end_) {
      Fail("it ends too early");
      return 0;
    }
    return static_cast<uint8_t>(*position_++);
  }

  // Up to kMaxInteger; anything larger is an error, as is a form of more than 10 bytes. Overlong forms are accepted.
  uint64_t ReadVarUint() {
    if (position_ != end_ && static_cast<uint8_t>(*position_) < 0x80) return static_cast<uint8_t>(*position_++);
    return ReadLongVarUint();
  }

  // An integer read before, as it was written.
  struct Known {
    uint64_t value = 0;
    uint64_t bytes = 1;  // with `mask` zero: none
    uint64_t mask = 0;
    int size = 0;
  };
  // The same of one that often is `known`, the one that was read last so, which is told from its bytes.
  uint64_t ReadVarUint(Known& known) {
    if (remaining() >= sizeof(known.bytes) && (Load() & known.mask) == known.bytes) {
      position_ += known.size;
      return known.value;
    }
    return ReadUnknown(known);
  }

  struct SignedInteger {
    uint64_t magnitude = 0;
    bool negative = false;  // also of -0, which the run-length columns use

    int64_t value() const { return negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude); }
  };
  // Of what follows; `too_many` is the error, at the count's first byte, when it is over `most`. 0 after an error.
  uint64_t ReadCount(uint64_t most, const char* too_many) {
    const size_t at = offset();
    const uint64_t count = ReadVarUint();
    if (count > most) FailAt(at, too_many);
    return ok() ? count : 0;
  }

  // Bounded as ReadVarUint is.
  SignedInteger ReadVarInt() {
    if (position_ != end_ && static_cast<uint8_t>(*position_) < 0x80) {
      const auto byte = static_cast<uint8_t>(*position_++);
      return {uint64_t{byte} & 0x3f, (byte & 0x40) != 0};
    }
    return ReadLongVarInt();
  }

  // Past one that was checked before.
  void SkipVarInt() {
    while (position_ != end_ && static_cast<uint8_t>(*position_) >= 0x80) ++position_;
    ReadByte();
  }

  std::string_view ReadBytes(uint64_t size) {
    if (size > remaining()) {
      Fail("a length reaches past the end");
      return {};
    }
    const std::string_view bytes(position_, size);
    position_ += size;
    return bytes;
  }
  // A length, then that many bytes.
  std::string_view ReadVarBytes() { return ReadBytes(ReadVarUint()); }
  // The same, checked to be UTF-8 (no surrogates, shortest forms, at most U+10FFFF). Where it isn't, the error's offset
  // is that of the text's first byte.
  std::string_view ReadVarString();

  // Big-endian. A float32's NaN is made quiet, as V8 makes it; a float64 keeps all its bits.
  double ReadFloat32();
  double ReadFloat64();

 private:
  // The next eight bytes.
  uint64_t Load() const {
    uint64_t bytes;
    std::memcpy(&bytes, position_, sizeof(bytes));
    return bytes;
  }
  uint64_t ReadLongVarUint();
  uint64_t ReadUnknown(Known& known);
  SignedInteger ReadLongVarInt();
  // The rest of an integer whose `bits` low bits, `low`, are in its first byte, which is at `start`.
  uint64_t ReadRest(uint64_t low, int bits, size_t start);

  const char* begin_ = nullptr;
  const char* position_ = nullptr;
  const char* end_ = nullptr;
  size_t base_ = 0;
  const char* error_ = nullptr;
  size_t error_offset_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_BYTE_READER_H_
