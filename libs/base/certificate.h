// Certificates, looked at before anybody else finds out.
#ifndef RIVERMEET_BASE_CERTIFICATE_H_
#define RIVERMEET_BASE_CERTIFICATE_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rivermeet {

// Whether the first certificate of the PEM text is good at `now`. `name` is what messages call it: its file.
//
// Errors:
//   INVALID_ARGUMENT  Not a certificate, expired, or not valid yet; the message says until or from when it is.
absl::Status CheckCertificate(std::string_view pem, std::string_view name, absl::Time now);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_CERTIFICATE_H_
