// Secrets at rest: AES-256-GCM (NIST SP 800-38D).
#ifndef RIVERMEET_AUTHN_SEAL_H_
#define RIVERMEET_AUTHN_SEAL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rivermeet::authn {

inline constexpr size_t kSealKeyBytes = 32;

// A random nonce (12 bytes), the ciphertext, the tag (16 bytes). `context` is bound to it but not in it: what the
// secret is for, so that one sealed secret can't stand in for another. `key` has kSealKeyBytes bytes.
std::string Seal(std::string_view key, std::string_view context, std::string_view secret);

// Errors:
//   UNAUTHENTICATED  Another key, another context, or changed bytes.
absl::StatusOr<std::string> Unseal(std::string_view key, std::string_view context, std::string_view sealed);

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_SEAL_H_
