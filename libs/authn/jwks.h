// The public halves of signing keys, as a JSON Web Key Set (RFC 7517), RSA only.
#ifndef RIVERMEET_AUTHN_JWKS_H_
#define RIVERMEET_AUTHN_JWKS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/strings.h"

namespace rivermeet::authn {

// One RSA public key. Immutable, so thread-safe.
class PublicKey {
 public:
  // `modulus` and `exponent` are big-endian.
  //
  // Errors:
  //   INVALID_ARGUMENT  Fewer than 2,048 or more than 8,192 bits, or not a key.
  static absl::StatusOr<std::shared_ptr<const PublicKey>> FromRsa(std::string_view modulus, std::string_view exponent);
  ~PublicKey();

  // Whether `signature` is RSASSA-PKCS1-v1_5 with SHA-256 (RS256, RFC 7518 section 3.3) of `message`.
  bool Verify(std::string_view message, std::string_view signature) const;

 private:
  struct Impl;
  explicit PublicKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Keys by kid. Immutable once parsed, so thread-safe.
class KeySet {
 public:
  // Keys that are not RSA signing keys for RS256 are passed over, as RFC 7517 section 5 asks.
  //
  // Errors:
  //   INVALID_ARGUMENT  Not a key set, a kid twice, a bad RSA key, over 256 KiB or 64 keys.
  static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(std::string_view json);

  // Null when there is none.
  const PublicKey* Find(std::string_view kid) const;
  size_t size() const { return keys_.size(); }

 private:
  StringMap<std::shared_ptr<const PublicKey>> keys_;
};

// A key set of these keys, each as SigningKey::public_jwk() gives it.
std::string KeySetJson(const std::vector<std::string>& jwks);

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_JWKS_H_
