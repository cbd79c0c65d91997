// Any bytes as what a caller proves itself with: a bearer token, its claims under a good signature, an API key, a key
// set. Nothing but a whole token of ours gets in.
#include <cstdint>
#include <string>
#include <string_view>

#include "authn/api_key.h"
#include "authn/base64url.h"
#include "authn/jwks.h"
#include "authn/jwt_verifier.h"
#include "authn/signing_key.h"
#include "base/status.h"

using namespace rivermeet;

namespace {

struct Issuer {
  std::shared_ptr<const authn::SigningKey> key = authn::SigningKey::Generate().value();
  authn::JwtVerifier verifier{{}, [this](absl::Time) -> absl::StatusOr<authn::Published> {
                                return authn::Published(authn::KeySetJson({key->public_jwk()}));
                              }};
};

void CheckPrincipal(const absl::StatusOr<authn::Principal>& principal) {
  if (!principal.ok()) return;
  RM_CHECK(!principal->subject.empty() && !principal->tenant.empty() && principal->role != authn::Role::kNone);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Issuer& issuer = *new Issuer;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const absl::Time deadline = absl::Now() + absl::Seconds(1);
  switch (data[0] % 5) {
    case 0:
      RM_CHECK(!issuer.verifier.Verify(text, deadline).ok());
      break;
    case 1:
      CheckPrincipal(issuer.verifier.Verify(issuer.key->Sign(text), deadline));
      break;
    case 2:
      if (const auto key = authn::ApiKey::Parse(text)) RM_CHECK(key->ToString() == text);
      break;
    case 3:
      (void)authn::KeySet::Parse(text);
      break;
    default:
      if (const auto bytes = authn::DecodeBase64Url(text)) RM_CHECK(authn::EncodeBase64Url(*bytes) == text);
      RM_CHECK(authn::DecodeBase64Url(authn::EncodeBase64Url(text)) == text);
  }
  return 0;
}
