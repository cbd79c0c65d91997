#include "authn/seal.h"

#include <openssl/evp.h>

#include <memory>

#include "base/ids.h"
#include "base/status.h"

namespace rivermeet::authn {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string Seal(std::string_view key, std::string_view context, std::string_view secret) {
  RM_CHECK(key.size() == kSealKeyBytes);
  const std::string nonce = RandomBytes(kNonceBytes);
  std::string ciphertext(secret.size(), '\0');
  std::string tag(kTagBytes, '\0');
  int size = 0;
  const Context cipher(EVP_CIPHER_CTX_new());
  RM_CHECK(cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(nonce)) == 1 &&
           EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(context), static_cast<int>(context.size())) == 1 &&
           EVP_EncryptUpdate(cipher.get(), Bytes(ciphertext), &size, Bytes(secret), static_cast<int>(secret.size())) ==
               1 &&
           EVP_EncryptFinal_ex(cipher.get(), nullptr, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1);
  return nonce + ciphertext + tag;
}

absl::StatusOr<std::string> Unseal(std::string_view key, std::string_view context, std::string_view sealed) {
  const absl::Status refused =
      absl::UnauthenticatedError("a sealed secret does not open: another key, or it was changed");
  if (key.size() != kSealKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return refused;
  const std::string_view ciphertext = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string secret(ciphertext.size(), '\0');
  int size = 0;
  const Context cipher(EVP_CIPHER_CTX_new());
  const bool good =
      cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(sealed)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), Bytes(secret), &size, Bytes(ciphertext), static_cast<int>(ciphertext.size())) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), nullptr, &size) == 1;
  if (!good) return refused;
  return secret;
}

}  // namespace rivermeet::authn
