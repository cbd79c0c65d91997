// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), through OpenSSL.
#ifndef RIVERMEET_BASE_SHA256_H_
#define RIVERMEET_BASE_SHA256_H_

#include <string>
#include <string_view>

namespace rivermeet {

// The digest's 32 bytes.
std::string Sha256(std::string_view text);

// The code's 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view text);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_SHA256_H_
