// What callers are told when something goes wrong: the canonical code, an HTTP status, and never a detail of ours.
#ifndef RIVERMEET_GATEWAY_ERRORS_H_
#define RIVERMEET_GATEWAY_ERRORS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "net/http.h"

namespace rivermeet::gateway {

// As google/rpc/code.proto maps them.
int HttpStatusOf(absl::StatusCode code);

// The same, and 507 for a full disk. (The Connect protocol has its own mapping, by code alone.)
int HttpStatusOf(const absl::Status& status);

// "invalid_argument", as the Connect protocol writes codes.
std::string_view ConnectNameOf(absl::StatusCode code);

// The message of `status` for a caller. Errors that are the caller's keep theirs; of ours it says only the kind.
std::string PublicMessageOf(const absl::Status& status);

// A problem report (RFC 9457) with what the status calls for: WWW-Authenticate, or Retry-After, of a
// second when it doesn't say.
net::Response ProblemOf(const absl::Status& status, std::string_view request_id);

// The error body of the Connect protocol for a unary call.
net::Response ConnectErrorOf(const absl::Status& status, std::string_view request_id);

// {"code": "...", "message": "..."}: how a Connect stream ends in an error.
std::string ConnectErrorJson(const absl::Status& status);

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_ERRORS_H_
