#include "authn/api_key.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "authn/base64url.h"
#include "base/ids.h"
#include "base/sha256.h"
#include "base/strings.h"

namespace rivermeet::authn {
namespace {

constexpr size_t kIdBytes = 10;
constexpr size_t kSecretBytes = 32;
constexpr std::string_view kPrefix = "rm_";

}  // namespace

ApiKey ApiKey::Generate() {
  ApiKey key;
  for (const unsigned char byte : RandomBytes(kIdBytes)) key.id += fmt::format("{:02x}", byte);
  key.secret = EncodeBase64Url(RandomBytes(kSecretBytes));
  return key;
}

std::optional<ApiKey> ApiKey::Parse(std::string_view text) {
  constexpr size_t kIdSize = 2 * kIdBytes;
  if (text.size() != kPrefix.size() + kIdSize + 1 + (kSecretBytes * 4 + 2) / 3 || !LooksLikeApiKey(text)) {
    return std::nullopt;
  }
  const std::string_view id = text.substr(kPrefix.size(), kIdSize);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(id.begin(), id.end(), is_hex) || text[kPrefix.size() + kIdSize] != '_') return std::nullopt;
  const std::string_view secret = text.substr(kPrefix.size() + kIdSize + 1);
  if (!DecodeBase64Url(secret)) return std::nullopt;
  return ApiKey{.id = std::string(id), .secret = std::string(secret)};
}

std::string HashSecret(std::string_view secret) { return Sha256(secret); }

bool EqualSecrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace rivermeet::authn
