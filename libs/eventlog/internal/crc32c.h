// CRC-32C (Castagnoli; RFC 3720 appendix B.4), by the CPU's instruction where it has one.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_CRC32C_H_
#define RIVERMEET_EVENTLOG_INTERNAL_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace rivermeet::eventlog::internal {

// The CRC of a text whose beginning has the CRC `crc` (0: there is none) and whose rest is `bytes`.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);

inline uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

// The same by tables, on every CPU.
uint32_t ExtendCrc32cByTable(uint32_t crc, std::string_view bytes);

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_CRC32C_H_
