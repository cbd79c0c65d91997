// The private half of a signing key, and the access tokens it makes.
#ifndef RIVERMEET_AUTHN_SIGNING_KEY_H_
#define RIVERMEET_AUTHN_SIGNING_KEY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "authn/principal.h"

namespace rivermeet::authn {

// An RSA key of 3,072 bits. Immutable, so thread-safe.
class SigningKey {
 public:
  // Takes 50 ms to 1 s.
  //
  // Errors:
  //   INTERNAL  OpenSSL failed.
  static absl::StatusOr<std::shared_ptr<const SigningKey>> Generate();

  // Errors:
  //   INVALID_ARGUMENT  Not an unencrypted RSA private key in PEM of at least 2,048 bits.
  static absl::StatusOr<std::shared_ptr<const SigningKey>> FromPem(std::string_view pem);

  ~SigningKey();

  // Its name: the JWK thumbprint (RFC 7638) of the public half.
  const std::string& kid() const;
  // The public half, for KeySetJson().
  const std::string& public_jwk() const;
  // PKCS #8 (RFC 5208). A secret.
  std::string private_pem() const;

  // An RS256 JWS in compact form (RFC 7515) over `payload`, with this key's kid and the type `type`.
  std::string Sign(std::string_view payload, std::string_view type = "at+jwt") const;

 private:
  struct Impl;
  explicit SigningKey(std::unique_ptr<Impl> impl);
  static absl::StatusOr<std::shared_ptr<const SigningKey>> Make(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct AccessTokenOptions {
  std::string issuer = "rivermeet";
  std::string audience = "rivermeet";
};

// An access token (RFC 9068) for `principal`, good from `now` to `principal.expires`.
std::string MakeAccessToken(const SigningKey& key, const AccessTokenOptions& options, const Principal& principal,
                            absl::Time now);

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_SIGNING_KEY_H_
