// CRC-32C (Castagnoli; RFC 3720 appendix B.4), by the CPU's instruction where it has one.
#ifndef RIVERMEET_BASE_CRC32C_H_
#define RIVERMEET_BASE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace rivermeet {

// Of `bytes` after what gave `crc`; 0 for the beginning.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

// The same by tables, on every CPU.
uint32_t Crc32cByTable(std::string_view bytes, uint32_t crc = 0);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_CRC32C_H_
