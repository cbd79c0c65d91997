// SHA-256 (FIPS 180-4) of a text, through OpenSSL.
#ifndef RIVERMEET_BASE_SHA256_H_
#define RIVERMEET_BASE_SHA256_H_

#include <string>
#include <string_view>

namespace rivermeet {

// The digest's 32 bytes.
std::string Sha256(std::string_view text);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_SHA256_H_
