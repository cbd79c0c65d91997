// CRC-32C (Castagnoli), as in RFC 3720 appendix B.4.
#ifndef RIVERMEET_BASE_CRC32C_H_
#define RIVERMEET_BASE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace rivermeet {

// Of `data` after what gave `crc`; 0 for the beginning.
uint32_t Crc32c(std::string_view data, uint32_t crc = 0);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_CRC32C_H_
