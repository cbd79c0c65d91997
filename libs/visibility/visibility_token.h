// Visibility tokens: what ingest gives with a receipt, so that a query can wait for what the receipt was for.
#ifndef RIVERMEET_VISIBILITY_VISIBILITY_TOKEN_H_
#define RIVERMEET_VISIBILITY_VISIBILITY_TOKEN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rivermeet/ingest/v1/ingest.pb.h"

namespace rivermeet::visibility {

// How long a token is good.
inline constexpr absl::Duration kLifetime = absl::Hours(1);
// The key's name among the catalog's settings: every process takes it from there, the first one makes it (32 random
// bytes).
inline constexpr std::string_view kKeySetting = "visibility.key";
// The longest token that is looked at, in characters.
inline constexpr size_t kMaxTokenBytes = 64 << 10;

// Signs and verifies. Thread-safe.
//
// A token is unpadded base64url (RFC 4648 section 5) of: MAC (16 bytes), tenant's MAC (16 bytes), serialized
// ingest.v1.VisibilityToken. MAC = HMAC-SHA256 (RFC 2104) of "rivermeet visibility 1" and the message; the tenant's
// MAC = HMAC-SHA256 of "rivermeet tenant 1", the MAC and the tenant; both cut to 16 bytes. Two, so that another
// tenant's token can be told from one that was tampered with.
class VisibilityTokens {
 public:
  // `key`: at least 16 bytes, the same in every process.
  explicit VisibilityTokens(std::string key);

  std::string Issue(std::string_view tenant, const ingest::v1::VisibilityToken& content) const;

  // Errors:
  //   INVALID_ARGUMENT   Not a token of ours, tampered with, or older than kLifetime.
  //   PERMISSION_DENIED  Another tenant's.
  absl::StatusOr<ingest::v1::VisibilityToken> Verify(std::string_view tenant, std::string_view token,
                                                     absl::Time now) const;

 private:
  std::string key_;
};

}  // namespace rivermeet::visibility

#endif  // RIVERMEET_VISIBILITY_VISIBILITY_TOKEN_H_
