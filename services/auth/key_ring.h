// The signing keys: which one signs, which ones are published, when the next is made.
#ifndef RIVERMEET_AUTH_KEY_RING_H_
#define RIVERMEET_AUTH_KEY_RING_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "authn/signing_key.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/database.h"

namespace rivermeet::auth {

struct KeyRingOptions {
  // How often a new key is made.
  absl::Duration rotation = absl::Hours(24 * 30);
  // A token's life: how long a key is published after it has signed for the last time.
  absl::Duration token_lifetime = absl::Minutes(10);
  // How long a new key is published before it signs, so that every verifier has it by then. Longer than
  // JwtVerifierOptions::refresh_after.
  absl::Duration published_before = absl::Minutes(3);
  // What private keys are sealed with in the catalog: authn::kSealKeyBytes bytes.
  std::string seal_key;
};

// The keys lie in the catalog, so that all processes of the auth service share them. Thread-safe.
class KeyRing {
 public:
  // `database` and `clock` outlive this.
  KeyRing(catalog::Database& database, KeyRingOptions options, const Clock& clock);

  // Reads the keys, and makes one when there is none that signs or the newest is near its end. Call at start and
  // every half minute.
  //
  // Errors: as catalog::Database::Run(); the keys read before stay.
  absl::Status Refresh(absl::Time deadline);

  // The key to sign with now.
  //
  // Errors:
  //   UNAVAILABLE  Refresh() has not succeeded yet, or not for so long that no key may sign any more. Retry.
  absl::StatusOr<std::shared_ptr<const authn::SigningKey>> Signer() const;

  // A secret of 32 bytes that follows from `secret` and can be had by nobody without the seal key. All processes of the
  // auth service get the same one.
  std::string Derive(std::string_view purpose, std::string_view secret) const;

  // The key set to publish (RFC 7517).
  //
  // Errors:
  //   UNAVAILABLE  Refresh() has not succeeded yet.
  absl::StatusOr<std::string> Jwks() const;

 private:
  struct Key {
    std::string public_jwk;
    // Null when it was sealed with another key: then it is only published.
    std::shared_ptr<const authn::SigningKey> signing;
    absl::Time created;
    absl::Time signs_until;
  };
  absl::StatusOr<std::vector<Key>> Read(catalog::Transaction& transaction) const;
  bool NeedsNew(const std::vector<Key>& keys) const;
  absl::Status Insert(catalog::Transaction& transaction, const authn::SigningKey& key) const;

  catalog::Database& database_;
  const KeyRingOptions options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  // By time of making.
  std::vector<Key> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_KEY_RING_H_
