#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace rivermeet {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

using ByteTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr ByteTables MakeByteTables() {
  ByteTables tables{};
  for (uint32_t n = 0; n < 256; ++n) {
    uint32_t crc = n;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
    tables[0][n] = crc;
  }
  for (uint32_t n = 0; n < 256; ++n) {
    for (size_t k = 1; k < 8; ++k) tables[k][n] = (tables[k - 1][n] >> 8) ^ tables[0][tables[k - 1][n] & 0xff];
  }
  return tables;
}
constexpr ByteTables kByteTables = MakeByteTables();

#if defined(__x86_64__)

// Three streams keep the instruction busy, whose latency is three cycles; their CRCs are joined by "append so many
// zeros" as a table lookup per byte (Mark Adler's method).
constexpr size_t kLong = 4096;
constexpr size_t kShort = 256;
using ZeroTables = std::array<std::array<uint32_t, 256>, 4>;
using Matrix = std::array<uint32_t, 32>;

constexpr uint32_t Times(const Matrix& matrix, uint32_t vector) {
  uint32_t sum = 0;
  for (size_t i = 0; vector != 0; ++i, vector >>= 1) {
    if ((vector & 1) != 0) sum ^= matrix[i];
  }
  return sum;
}

// The tables that turn the CRC of x into the CRC of x followed by `bytes` (a power of two) zeros.
constexpr ZeroTables MakeZeroTables(size_t bytes) {
  Matrix power{};  // one zero bit
  power[0] = kPolynomial;
  for (size_t i = 1; i < 32; ++i) power[i] = uint32_t{1} << (i - 1);
  for (size_t bits = 1; bits < bytes * 8; bits *= 2) {
    Matrix square{};
    for (size_t i = 0; i < 32; ++i) square[i] = Times(power, power[i]);
    power = square;
  }
  ZeroTables tables{};
  for (uint32_t n = 0; n < 256; ++n) {
    for (size_t k = 0; k < 4; ++k) tables[k][n] = Times(power, n << (8 * k));
  }
  return tables;
}

const ZeroTables& LongZeros() {
  static const ZeroTables tables = MakeZeroTables(kLong);
  return tables;
}
const ZeroTables& ShortZeros() {
  static const ZeroTables tables = MakeZeroTables(kShort);
  return tables;
}

uint32_t AppendZeros(const ZeroTables& tables, uint32_t crc) {
  return tables[0][crc & 0xff] ^ tables[1][(crc >> 8) & 0xff] ^ tables[2][(crc >> 16) & 0xff] ^ tables[3][crc >> 24];
}

uint64_t Word(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) const char* ThreeStreams(uint64_t& crc, const char* p, const char* end, size_t stride,
                                                           const ZeroTables& zeros) {
  while (static_cast<size_t>(end - p) >= 3 * stride) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (const char* const stop = p + stride; p < stop; p += 8) {
      crc = _mm_crc32_u64(crc, Word(p));
      second = _mm_crc32_u64(second, Word(p + stride));
      third = _mm_crc32_u64(third, Word(p + 2 * stride));
    }
    crc = AppendZeros(zeros, static_cast<uint32_t>(crc)) ^ second;
    crc = AppendZeros(zeros, static_cast<uint32_t>(crc)) ^ third;
    p += 2 * stride;
  }
  return p;
}

__attribute__((target("sse4.2"))) uint32_t ExtendByInstruction(uint32_t start, std::string_view bytes) {
  uint64_t crc = ~start;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  p = ThreeStreams(crc, p, end, kLong, LongZeros());
  p = ThreeStreams(crc, p, end, kShort, ShortZeros());
  for (; end - p >= 8; p += 8) crc = _mm_crc32_u64(crc, Word(p));
  for (; p < end; ++p) crc = _mm_crc32_u8(static_cast<uint32_t>(crc), static_cast<unsigned char>(*p));
  return ~static_cast<uint32_t>(crc);
}

bool HasInstruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}

#endif

}  // namespace

uint32_t Crc32cByTable(std::string_view bytes, uint32_t crc) {
  crc = ~crc;
  const char* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kByteTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; left > 0; --left, ++p) crc = (crc >> 8) ^ kByteTables[0][(crc ^ static_cast<unsigned char>(*p)) & 0xff];
  return ~crc;
}

uint32_t Crc32c(std::string_view bytes, uint32_t crc) {
#if defined(__x86_64__)
  if (HasInstruction()) return ExtendByInstruction(crc, bytes);
#endif
  return Crc32cByTable(bytes, crc);
}

}  // namespace rivermeet
