#include "authn/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "authn/base64url.h"
#include "base/ids.h"
#include "base/json_string.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::authn {
namespace {

constexpr unsigned int kBits = 3072;
constexpr int kMinBits = 2048;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// A number of the key as base64url of its big-endian bytes (RFC 7518 section 6.3.1).
std::string NumberOf(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  RM_CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return EncodeBase64Url(bytes);
}

}  // namespace

struct SigningKey::Impl {
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::string kid;
  std::string public_jwk;
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SigningKey::~SigningKey() = default;
const std::string& SigningKey::kid() const { return impl_->kid; }
const std::string& SigningKey::public_jwk() const { return impl_->public_jwk; }

absl::StatusOr<std::shared_ptr<const SigningKey>> SigningKey::Make(std::unique_ptr<Impl> impl) {
  const std::string n = NumberOf(impl->key.get(), OSSL_PKEY_PARAM_RSA_N);
  const std::string e = NumberOf(impl->key.get(), OSSL_PKEY_PARAM_RSA_E);
  // RFC 7638 section 3: the required members in the order of their names, without white space.
  impl->kid = EncodeBase64Url(Sha256(fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", e, n)));
  impl->public_jwk =
      fmt::format(R"({{"kty":"RSA","use":"sig","alg":"RS256","kid":"{}","n":"{}","e":"{}"}})", impl->kid, n, e);
  return std::shared_ptr<const SigningKey>(new SigningKey(std::move(impl)));
}

absl::StatusOr<std::shared_ptr<const SigningKey>> SigningKey::Generate() {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_RSA_gen(kBits));
  if (!impl->key) return absl::InternalError("OpenSSL could not make a signing key");
  return Make(std::move(impl));
}

absl::StatusOr<std::shared_ptr<const SigningKey>> SigningKey::FromPem(std::string_view pem) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  auto impl = std::make_unique<Impl>();
  // Without a callback OpenSSL would ask the terminal for the password of an encrypted key.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  if (bio) impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!impl->key || EVP_PKEY_is_a(impl->key.get(), "RSA") != 1 || EVP_PKEY_get_bits(impl->key.get()) < kMinBits) {
    return absl::InvalidArgumentError("not an RSA private key in PEM of at least 2,048 bits");
  }
  return Make(std::move(impl));
}

std::string SigningKey::private_pem() const {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_mem()));
  RM_CHECK(bio != nullptr &&
           PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string SigningKey::Sign(std::string_view payload, std::string_view type) const {
  const std::string header = fmt::format(R"({{"alg":"RS256","typ":{},"kid":"{}"}})", JsonString(type), kid());
  const std::string message = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  std::string signature(static_cast<size_t>(EVP_PKEY_get_size(impl_->key.get())), '\0');
  size_t size = signature.size();
  RM_CHECK(context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1 &&
           EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1);
  signature.resize(size);
  return message + "." + EncodeBase64Url(signature);
}

std::string MakeAccessToken(const SigningKey& key, const AccessTokenOptions& options, const Principal& principal,
                            absl::Time now) {
  std::string payload = fmt::format(
      R"({{"iss":{},"aud":{},"sub":{},"client_id":"rivermeet","tid":{},"role":"{}","iat":{},"nbf":{},"exp":{},"jti":"{}")",
      JsonString(options.issuer), JsonString(options.audience), JsonString(principal.subject),
      JsonString(principal.tenant), RoleName(principal.role), absl::ToUnixSeconds(now), absl::ToUnixSeconds(now),
      absl::ToUnixSeconds(principal.expires), RandomToken(16));
  if (!principal.session.empty()) payload += fmt::format(",\"sid\":{}", JsonString(principal.session));
  if (principal.must_change_password) payload += ",\"pwd_change\":true";
  return key.Sign(payload + "}");
}

}  // namespace rivermeet::authn
