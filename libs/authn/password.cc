#include "authn/password.h"

#include <argon2.h>

#include "base/ids.h"
#include "base/strings.h"

namespace rivermeet::authn {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;

}  // namespace

absl::StatusOr<std::string> HashPassword(std::string_view password, const PasswordParameters& parameters) {
  if (password.size() > kMaxPasswordBytes) return absl::InvalidArgumentError("the password is over 1,024 bytes long");
  const std::string salt = RandomBytes(kSaltBytes);
  std::string stored(
      argon2_encodedlen(parameters.passes, parameters.memory_kib, parameters.lanes, kSaltBytes, kHashBytes, Argon2_id),
      '\0');
  const int result =
      argon2id_hash_encoded(parameters.passes, parameters.memory_kib, parameters.lanes, password.data(),
                            password.size(), salt.data(), salt.size(), kHashBytes, stored.data(), stored.size());
  if (result != ARGON2_OK) {
    return absl::ResourceExhaustedError(
        ToAbsl(fmt::format("the password could not be hashed: {}", argon2_error_message(result))));
  }
  stored.resize(stored.find('\0'));
  return stored;
}

bool VerifyPassword(std::string_view password, const std::string& stored) {
  return password.size() <= kMaxPasswordBytes &&
         argon2id_verify(stored.c_str(), password.data(), password.size()) == ARGON2_OK;
}

bool NeedsRehash(std::string_view stored, const PasswordParameters& parameters) {
  const std::vector<std::string_view> parts = Split(stored, '$');
  if (parts.size() != 6 || parts[1] != "argon2id") return true;
  uint32_t memory = 0, passes = 0;
  for (const std::string_view setting : Split(parts[3], ',')) {
    if (setting.substr(0, 2) == "m=" && !ParseNumber(setting.substr(2), memory)) return true;
    if (setting.substr(0, 2) == "t=" && !ParseNumber(setting.substr(2), passes)) return true;
  }
  return memory < parameters.memory_kib || passes < parameters.passes;
}

std::string OneTimePassword() {
  // 32 characters, so that five bits of a random byte pick one evenly; no 0, 1, l or o.
  constexpr std::string_view kLetters = "23456789abcdefghijkmnpqrstuvwxyz";
  static_assert(kLetters.size() == 32);
  std::string password;
  for (const unsigned char byte : RandomBytes(20)) {
    if (password.size() % 5 == 4) password.push_back('-');
    password.push_back(kLetters[byte % 32]);
  }
  return password;
}

}  // namespace rivermeet::authn
