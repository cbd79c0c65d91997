#include "crdt/internal/wire/byte_reader.h"

#include <bit>
#include <cstring>

#include "crdt/internal/wire/utf.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {
namespace {

constexpr int kMaxIntegerBytes = 10;

template <typename Word>
Word BigEndian(std::string_view bytes) {
  if (bytes.size() != sizeof(Word)) return 0;  // the reader has failed
  Word word = 0;
  for (size_t i = 0; i < sizeof(Word); ++i) word = static_cast<Word>((word << 8) | static_cast<uint8_t>(bytes[i]));
  return word;
}

// The low seven bits of each byte, moved together.
uint64_t JoinGroups(uint64_t bytes) {
  bytes = (bytes & 0x007f007f007f007f) | ((bytes & 0x7f007f007f007f00) >> 1);
  bytes = (bytes & 0x00003fff00003fff) | ((bytes & 0x3fff00003fff0000) >> 2);
  return (bytes & 0x000000000fffffff) | ((bytes & 0x0fffffff00000000) >> 4);
}

// The bytes of the integer that begins at `at`; none where it is longer than eight, or fewer follow.
struct WholeInteger {
  uint64_t bytes = 0;
  int size = 0;
};
WholeInteger LoadInteger(const char* at, size_t remaining) {
  WholeInteger whole;
  if (std::endian::native != std::endian::little || remaining < sizeof(whole.bytes)) return whole;
  std::memcpy(&whole.bytes, at, sizeof(whole.bytes));
  const uint64_t last = ~whole.bytes & 0x8080808080808080;  // the first byte below 0x80 is the last
  if (last == 0) return {};
  const int bits = std::countr_zero(last) + 1;
  return {whole.bytes & (~uint64_t{0} >> (64 - bits)), bits / 8};
}

}  // namespace

absl::Status ByteReader::status(bool is_limit) const {
  if (ok()) return absl::OkStatus();
  const std::string message = fmt::format("at byte {}: {}", error_offset_, error_);
  return is_limit ? absl::ResourceExhaustedError(message) : absl::InvalidArgumentError(message);
}

uint64_t ByteReader::ReadRest(uint64_t low, int bits, size_t start) {
  uint64_t value = low;
  for (int size = 1; size < kMaxIntegerBytes; ++size) {
    const uint8_t byte = ReadByte();
    if (!ok()) return 0;
    const uint64_t group = byte & 0x7f;
    if (bits < 53) {
      value |= group << bits;
    } else if (group != 0) {
      break;
    }
    bits += 7;
    if (byte >= 0x80) continue;
    if (value <= kMaxInteger) return value;
    break;
  }
  FailAt(start, "an integer is over 2^53 - 1");
  return 0;
}

uint64_t ByteReader::ReadLongVarUint() {
  if (const WholeInteger whole = LoadInteger(position_, remaining()); whole.size > 0) {
    const uint64_t value = JoinGroups(whole.bytes);
    if (value <= kMaxInteger) {
      position_ += whole.size;
      return value;
    }
  }
  const size_t start = offset();
  const uint8_t first = ReadByte();
  return ok() ? ReadRest(first & 0x7f, 7, start) : 0;
}

uint64_t ByteReader::ReadUnknown(Known& known) {
  const WholeInteger whole = LoadInteger(position_, remaining());
  const uint64_t value = ReadVarUint();
  if (ok() && whole.size > 0) known = {value, whole.bytes, ~uint64_t{0} >> (64 - 8 * whole.size), whole.size};
  return value;
}

ByteReader::SignedInteger ByteReader::ReadLongVarInt() {
  if (const WholeInteger whole = LoadInteger(position_, remaining()); whole.size > 1) {
    const uint64_t magnitude = (JoinGroups(whole.bytes >> 8) << 6) | (whole.bytes & 0x3f);
    if (magnitude <= kMaxInteger) {
      position_ += whole.size;
      return {magnitude, (whole.bytes & 0x40) != 0};
    }
  }
  const size_t start = offset();
  const uint8_t first = ReadByte();
  if (!ok()) return {};
  const uint64_t magnitude = ReadRest(first & 0x3f, 6, start);
  if (!ok()) return {};
  return {magnitude, (first & 0x40) != 0};
}

std::string_view ByteReader::ReadVarString() {
  const std::string_view text = ReadVarBytes();
  if (!IsUtf8(text)) {
    FailAt(offset() - text.size(), "a text isn't UTF-8");
    return {};
  }
  return text;
}

double ByteReader::ReadFloat32() { return std::bit_cast<float>(BigEndian<uint32_t>(ReadBytes(4))); }
double ByteReader::ReadFloat64() { return std::bit_cast<double>(BigEndian<uint64_t>(ReadBytes(8))); }

}  // namespace rivermeet::crdt::internal
