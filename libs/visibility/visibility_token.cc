#include "visibility/visibility_token.h"

#include "authn/api_key.h"
#include "authn/base64url.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::visibility {
namespace {

constexpr size_t kMacBytes = 16;

std::string Mac(const std::string& key, std::string_view purpose, std::string_view a, std::string_view b) {
  std::string text(purpose);
  text.push_back('\0');
  text.append(a).append(b);
  return HmacSha256(key, text).substr(0, kMacBytes);
}

absl::Status NotOurs() { return absl::InvalidArgumentError("wait_for: not a visibility token of ours"); }

}  // namespace

VisibilityTokens::VisibilityTokens(std::string key) : key_(std::move(key)) { RM_CHECK(key_.size() >= 16); }

std::string VisibilityTokens::Issue(std::string_view tenant, const ingest::v1::VisibilityToken& content) const {
  const std::string message = content.SerializeAsString();
  std::string bytes = Mac(key_, "rivermeet visibility 1", message, "");
  bytes += Mac(key_, "rivermeet tenant 1", bytes, tenant);
  return authn::EncodeBase64Url(bytes + message);
}

absl::StatusOr<ingest::v1::VisibilityToken> VisibilityTokens::Verify(std::string_view tenant, std::string_view token,
                                                                     absl::Time now) const {
  if (token.size() > kMaxTokenBytes) return NotOurs();
  const std::optional<std::string> bytes = authn::DecodeBase64Url(token);
  if (!bytes || bytes->size() < 2 * kMacBytes) return NotOurs();
  const std::string_view whole(*bytes);
  const std::string_view mac = whole.substr(0, kMacBytes);
  const std::string_view tenant_mac = whole.substr(kMacBytes, kMacBytes);
  const std::string_view message = whole.substr(2 * kMacBytes);
  if (!authn::EqualSecrets(mac, Mac(key_, "rivermeet visibility 1", message, ""))) return NotOurs();
  if (!authn::EqualSecrets(tenant_mac, Mac(key_, "rivermeet tenant 1", mac, tenant))) {
    return absl::PermissionDeniedError("wait_for: the visibility token belongs to another tenant");
  }
  ingest::v1::VisibilityToken content;
  if (!content.ParseFromArray(message.data(), static_cast<int>(message.size()))) return NotOurs();
  const absl::Time issued =
      absl::FromUnixSeconds(content.issued().seconds()) + absl::Nanoseconds(content.issued().nanos());
  if (now - issued > kLifetime) {
    return absl::InvalidArgumentError(
        "wait_for: the visibility token is older than an hour; what it names is visible by now");
  }
  return content;
}

}  // namespace rivermeet::visibility
