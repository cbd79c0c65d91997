// Passwords: Argon2id (RFC 9106), stored in PHC form with their parameters.
#ifndef RIVERMEET_AUTHN_PASSWORD_H_
#define RIVERMEET_AUTHN_PASSWORD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rivermeet::authn {

// At least these; OWASP's first choice for interactive sign-in. Memory in KiB: a caller bounds how many run at a time.
struct PasswordParameters {
  uint32_t memory_kib = 19 * 1024;
  uint32_t passes = 2;
  uint32_t lanes = 1;
};

inline constexpr size_t kMaxPasswordBytes = 1024;

// "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>" with a random salt of 16 bytes. Takes about 20 ms of a core.
//
// Errors:
//   INVALID_ARGUMENT    Over kMaxPasswordBytes.
//   RESOURCE_EXHAUSTED  No memory.
absl::StatusOr<std::string> HashPassword(std::string_view password, const PasswordParameters& parameters = {});

// Whether `password` is what `stored` was made from. False, too, for a `stored` that is not of the form.
bool VerifyPassword(std::string_view password, const std::string& stored);

// Whether `stored` was made with less than `parameters`: hash anew at the next sign-in.
bool NeedsRehash(std::string_view stored, const PasswordParameters& parameters = {});

// A password to be changed at first use: 5 groups of 4 letters and digits without look-alikes, 100 bits.
std::string OneTimePassword();

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_PASSWORD_H_
