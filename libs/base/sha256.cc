#include "base/sha256.h"

#include <openssl/evp.h>

#include "base/status.h"

namespace rivermeet {

std::string Sha256(std::string_view text) {
  std::string digest(32, '\0');
  RM_CHECK(EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
                      nullptr) == 1);
  return digest;
}

}  // namespace rivermeet
