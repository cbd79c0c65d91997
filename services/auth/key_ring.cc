#include "auth/key_ring.h"

#include "auth/identity_store.h"
#include "authn/jwks.h"
#include "authn/seal.h"
#include "base/crash_point.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/strings.h"
#include "telemetry/logging.h"

namespace rivermeet::auth {
namespace {

// Any number of our own: one process at a time makes keys.
constexpr int64_t kLock = 0x72766d745f6b6579;

// How long before its end the successor of a key is made.
absl::Duration Overlap(const KeyRingOptions& options) {
  return std::max(2 * options.published_before, options.rotation / 10);
}

}  // namespace

KeyRing::KeyRing(catalog::Database& database, KeyRingOptions options, const Clock& clock)
    : database_(database), options_(std::move(options)), clock_(clock) {
  RM_CHECK(options_.seal_key.size() == authn::kSealKeyBytes);
}

absl::StatusOr<std::vector<KeyRing::Key>> KeyRing::Read(catalog::Transaction& transaction) const {
  RM_ASSIGN_OR_RETURN(
      const catalog::Result rows,
      transaction.Execute("SELECT kid, public_jwk, sealed_private_key, created_at, signs_until FROM signing_keys"
                          " WHERE verifies_until > $1 ORDER BY created_at, kid",
                          {clock_.Now()}));
  std::vector<Key> keys;
  for (const catalog::Row row : rows) {
    Key& key = keys.emplace_back();
    key.public_jwk = row.Text(1);
    key.created = row.Time(3);
    key.signs_until = row.Time(4);
    const absl::StatusOr<std::string> pem = authn::Unseal(options_.seal_key, row.Text(0), row.Blob(2));
    const auto signing = pem.ok() ? authn::SigningKey::FromPem(*pem) : pem.status();
    if (signing.ok()) {
      key.signing = *signing;
    } else {
      telemetry::Log(telemetry::Level::kWarn,
                     "a signing key was sealed with another key: it verifies, it does not sign",
                     {{"kid", row.Text(0)}});
    }
  }
  return keys;
}

std::string KeyRing::Derive(std::string_view purpose, std::string_view secret) const {
  return HmacSha256(HmacSha256(options_.seal_key, purpose), secret);
}

bool KeyRing::NeedsNew(const std::vector<Key>& keys) const {
  for (const Key& key : keys) {
    if (key.signing != nullptr && key.signs_until - Overlap(options_) > clock_.Now()) return false;
  }
  return true;
}

absl::Status KeyRing::Insert(catalog::Transaction& transaction, const authn::SigningKey& key) const {
  const absl::Time now = clock_.Now();
  const absl::Time signs_until = now + options_.rotation + Overlap(options_);
  CrashPoint("auth.rotate.before_insert");
  RM_RETURN_IF_ERROR(
      transaction
          .Execute("INSERT INTO signing_keys (kid, sealed_private_key, public_jwk, created_at, signs_until,"
                   " verifies_until) VALUES ($1, $2, $3, $4, $5, $6)",
                   {key.kid(), catalog::Param::Blob(authn::Seal(options_.seal_key, key.kid(), key.private_pem())),
                    key.public_jwk(), now, signs_until, signs_until + options_.token_lifetime + absl::Minutes(1)})
          .status());
  return Audit(transaction, "default", "system", "signing_key.make", key.kid());
}

absl::Status KeyRing::Refresh(absl::Time deadline) {
  std::vector<Key> keys;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](catalog::Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(keys, Read(transaction));
    return absl::OkStatus();
  }));
  if (NeedsNew(keys)) {
    // Before the transaction: making it takes a while.
    RM_ASSIGN_OR_RETURN(const auto made, authn::SigningKey::Generate());
    RM_RETURN_IF_ERROR(database_.Run(deadline, [&](catalog::Transaction& transaction) -> absl::Status {
      RM_RETURN_IF_ERROR(transaction.Execute("SELECT pg_advisory_xact_lock($1)", {kLock}).status());
      RM_ASSIGN_OR_RETURN(keys, Read(transaction));
      if (!NeedsNew(keys)) return absl::OkStatus();
      RM_RETURN_IF_ERROR(Insert(transaction, *made));
      RM_ASSIGN_OR_RETURN(keys, Read(transaction));
      return absl::OkStatus();
    }));
  }
  MutexLock lock(mutex_);
  keys_ = std::move(keys);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const authn::SigningKey>> KeyRing::Signer() const {
  const absl::Time now = clock_.Now();
  MutexLock lock(mutex_);
  const Key* signer = nullptr;
  for (const Key& key : keys_) {
    if (key.signing == nullptr || key.signs_until <= now) continue;
    // The newest that everybody knows by now; before there is one, the first.
    if (signer == nullptr || now - key.created >= options_.published_before) signer = &key;
  }
  if (signer == nullptr) return absl::UnavailableError("no signing key: the catalog has been away for too long");
  return signer->signing;
}

absl::StatusOr<std::string> KeyRing::Jwks() const {
  MutexLock lock(mutex_);
  if (keys_.empty()) return absl::UnavailableError("the signing keys have not been read yet");
  std::vector<std::string> jwks;
  for (const Key& key : keys_) jwks.push_back(key.public_jwk);
  return authn::KeySetJson(jwks);
}

}  // namespace rivermeet::auth
