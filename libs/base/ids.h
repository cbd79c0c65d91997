// Identifiers and secrets.
#ifndef RIVERMEET_BASE_IDS_H_
#define RIVERMEET_BASE_IDS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rivermeet {

// `count` bytes from the kernel's generator; fit for secrets.
std::string RandomBytes(size_t count);

// 63 random bits, never 0: positive in every language's int64.
uint64_t RandomId();

// A random token of `bytes` bytes in unpadded base64url (RFC 4648 section 5).
std::string RandomToken(size_t bytes);

// A version 7 UUID (RFC 9562): sorts by the time it was made, in milliseconds.
std::string NewUuid();

// Whether `name` is a stream's name: [a-z][a-z0-9_.]{0,62}.
bool IsStreamName(std::string_view name);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_IDS_H_
