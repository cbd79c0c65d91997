#include "base/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/status.h"

namespace rivermeet {

std::string Sha256(std::string_view text) {
  std::string digest(32, '\0');
  RM_CHECK(EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
                      nullptr) == 1);
  return digest;
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  std::string code(32, '\0');
  RM_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                reinterpret_cast<unsigned char*>(code.data()), nullptr) != nullptr);
  return code;
}

}  // namespace rivermeet
