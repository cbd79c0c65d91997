#include "authn/jwks.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "authn/base64url.h"
#include "authn/internal/strict_json.h"
#include "base/status.h"

namespace rivermeet::authn {
namespace {

constexpr size_t kMaxBytes = 256 << 10;
constexpr size_t kMaxKeys = 64;
constexpr int kMinBits = 2048;
constexpr int kMaxBits = 8192;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

Number NumberOf(std::string_view bytes) {
  return Number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}

}  // namespace

struct PublicKey::Impl {
  std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> key;
};

PublicKey::PublicKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PublicKey::~PublicKey() = default;

absl::StatusOr<std::shared_ptr<const PublicKey>> PublicKey::FromRsa(std::string_view modulus,
                                                                    std::string_view exponent) {
  const absl::Status bad = absl::InvalidArgumentError("not an RSA key of 2,048 to 8,192 bits");
  if (modulus.size() > kMaxBits / 8 || exponent.empty() || exponent.size() > 8) return bad;
  const Number n = NumberOf(modulus);
  const Number e = NumberOf(exponent);
  if (!n || !e || BN_num_bits(n.get()) < kMinBits || !BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return bad;
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return bad;
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return bad;
  }
  auto impl = std::make_unique<Impl>();
  impl->key.reset(key);
  return std::shared_ptr<const PublicKey>(new PublicKey(std::move(impl)));
}

bool PublicKey::Verify(std::string_view message, std::string_view signature) const {
  // RFC 8017 section 8.2.2: as long as the modulus, exactly.
  if (static_cast<int>(signature.size()) != EVP_PKEY_get_size(impl_->key.get())) return false;
  const DigestContext context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) return absl::InvalidArgumentError("the key set is too long");
  const std::optional<StrictJson> json = StrictJson::Parse(text);
  simdjson::dom::array keys;
  if (!json || json->object()["keys"].get(keys) != simdjson::SUCCESS) {
    return absl::InvalidArgumentError("not a JSON Web Key Set");
  }
  if (keys.size() > kMaxKeys) return absl::InvalidArgumentError("too many keys in the key set");
  auto set = std::make_shared<KeySet>();
  for (const simdjson::dom::element element : keys) {
    simdjson::dom::object key;
    if (element.get(key) != simdjson::SUCCESS) return absl::InvalidArgumentError("a key is not an object");
    const auto kid = TextOf(key, "kid");
    if (TextOf(key, "kty") != "RSA" || TextOf(key, "alg").value_or("RS256") != "RS256" ||
        TextOf(key, "use").value_or("sig") != "sig" || !kid || kid->empty()) {
      continue;
    }
    const auto modulus = DecodeBase64Url(TextOf(key, "n").value_or(""));
    const auto exponent = DecodeBase64Url(TextOf(key, "e").value_or(""));
    if (!modulus || !exponent) return absl::InvalidArgumentError("a key's numbers are not base64url");
    RM_ASSIGN_OR_RETURN(std::shared_ptr<const PublicKey> made, PublicKey::FromRsa(*modulus, *exponent));
    if (!set->keys_.emplace(std::string(*kid), std::move(made)).second) {
      return absl::InvalidArgumentError("a kid is in the key set twice");
    }
  }
  return set;
}

const PublicKey* KeySet::Find(std::string_view kid) const {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? nullptr : found->second.get();
}

std::string KeySetJson(const std::vector<std::string>& jwks) {
  std::string json = "{\"keys\":[";
  for (size_t i = 0; i < jwks.size(); ++i) json += fmt::format("{}{}", i == 0 ? "" : ",", jwks[i]);
  return json + "]}";
}

}  // namespace rivermeet::authn
