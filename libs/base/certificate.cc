#include "base/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "base/strings.h"
#include "fmt/format.h"

namespace rivermeet {
namespace {

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return absl::InfinitePast();
  return absl::FromTM(fields, absl::UTCTimeZone());
}

}  // namespace

absl::Status CheckCertificate(std::string_view pem, std::string_view name, absl::Time now) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                                X509_free);
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format("certificate {}: no certificate in PEM form", name)));
  }
  const absl::Time from = ToTime(X509_get0_notBefore(certificate.get()));
  const absl::Time until = ToTime(X509_get0_notAfter(certificate.get()));
  if (now >= from && now <= until) return absl::OkStatus();
  const bool expired = now > until;
  return absl::InvalidArgumentError(
      ToAbsl(fmt::format("certificate {}: {} {}", name, expired ? "expired at" : "not valid before",
                         absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", expired ? until : from, absl::UTCTimeZone()))));
}

}  // namespace rivermeet
