#include "visibility/visibility_token.h"

#include <openssl/crypto.h>

#include <array>

#include "base/sha256.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::visibility {
namespace {

constexpr size_t kMacBytes = 16;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string EncodeBase64Url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text.push_back(kAlphabet[(bits >> (count - 6)) & 63]);
  }
  if (count > 0) text.push_back(kAlphabet[(bits << (6 - count)) & 63]);
  return text;
}

// False for a character outside the alphabet, a length that can't be and bits that should be 0 and aren't.
bool DecodeBase64Url(std::string_view text, std::string& bytes) {
  static const std::array<int8_t, 256> kValues = [] {
    std::array<int8_t, 256> values;
    values.fill(-1);
    for (size_t i = 0; i < kAlphabet.size(); ++i)
      values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
    return values;
  }();
  if (text.size() % 4 == 1) return false;
  uint32_t bits = 0;
  int count = 0;
  for (const char character : text) {
    const int value = kValues[static_cast<unsigned char>(character)];
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    if ((count += 6) >= 8) bytes.push_back(static_cast<char>((bits >> (count -= 8)) & 255));
  }
  return (bits & ((1u << count) - 1)) == 0;
}

std::string Mac(const std::string& key, std::string_view purpose, std::string_view a, std::string_view b) {
  std::string text(purpose);
  text.push_back('\0');
  text.append(a).append(b);
  return HmacSha256(key, text).substr(0, kMacBytes);
}

bool Same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::Status NotOurs() { return absl::InvalidArgumentError("wait_for: not a visibility token of ours"); }

}  // namespace

VisibilityTokens::VisibilityTokens(std::string key) : key_(std::move(key)) { RM_CHECK(key_.size() >= 16); }

std::string VisibilityTokens::Issue(std::string_view tenant, const ingest::v1::VisibilityToken& content) const {
  const std::string message = content.SerializeAsString();
  std::string bytes = Mac(key_, "rivermeet visibility 1", message, "");
  bytes += Mac(key_, "rivermeet tenant 1", bytes, tenant);
  return EncodeBase64Url(bytes + message);
}

absl::StatusOr<ingest::v1::VisibilityToken> VisibilityTokens::Verify(std::string_view tenant, std::string_view token,
                                                                     absl::Time now) const {
  std::string bytes;
  if (token.size() > kMaxTokenBytes || !DecodeBase64Url(token, bytes) || bytes.size() < 2 * kMacBytes) {
    return NotOurs();
  }
  const std::string_view whole(bytes);
  const std::string_view mac = whole.substr(0, kMacBytes);
  const std::string_view tenant_mac = whole.substr(kMacBytes, kMacBytes);
  const std::string_view message = whole.substr(2 * kMacBytes);
  if (!Same(mac, Mac(key_, "rivermeet visibility 1", message, ""))) return NotOurs();
  if (!Same(tenant_mac, Mac(key_, "rivermeet tenant 1", mac, tenant))) {
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
