// API keys: rm_<id>_<secret>.
#ifndef RIVERMEET_AUTHN_API_KEY_H_
#define RIVERMEET_AUTHN_API_KEY_H_

#include <optional>
#include <string>
#include <string_view>

namespace rivermeet::authn {

struct ApiKey {
  // 20 hexadecimal digits in lower case; not a secret.
  std::string id;
  // 32 random bytes as base64url; shown once, never stored.
  std::string secret;

  static ApiKey Generate();

  // Nothing for a text that is not of the form.
  static std::optional<ApiKey> Parse(std::string_view text);

  std::string ToString() const { return "rm_" + id + "_" + secret; }
};

// Whether a bearer token claims to be an API key and not a JWT.
inline bool LooksLikeApiKey(std::string_view bearer) { return bearer.substr(0, 3) == "rm_"; }

// SHA-256 of a secret with 256 random bits: what is stored of API keys, refresh tokens and tickets. Passwords need
// HashPassword().
std::string HashSecret(std::string_view secret);

// Compares without telling by its time where the first difference is.
bool EqualSecrets(std::string_view a, std::string_view b);

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_API_KEY_H_
