#include "gateway/errors.h"

#include <algorithm>

#include "base/disk_full.h"
#include "base/json_string.h"
#include "base/retry_after.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace rivermeet::gateway {
namespace {

void AddHints(const absl::Status& status, std::string_view request_id, net::Response& response) {
  if (status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kResourceExhausted) {
    const absl::Duration wait = std::max(RetryAfter(status), absl::Seconds(1));
    response.Set("Retry-After", fmt::format("{}", absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1)))));
  }
  if (status.code() == absl::StatusCode::kUnauthenticated) response.Set("WWW-Authenticate", "Bearer");
  response.Set("X-Request-Id", request_id);
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kFailedPrecondition:
      return 400;
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    default:
      return 500;
  }
}

int HttpStatusOf(const absl::Status& status) { return IsDiskFull(status) ? 507 : HttpStatusOf(status.code()); }

std::string_view ConnectNameOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return "ok";
    case absl::StatusCode::kCancelled:
      return "canceled";
    case absl::StatusCode::kInvalidArgument:
      return "invalid_argument";
    case absl::StatusCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case absl::StatusCode::kNotFound:
      return "not_found";
    case absl::StatusCode::kAlreadyExists:
      return "already_exists";
    case absl::StatusCode::kPermissionDenied:
      return "permission_denied";
    case absl::StatusCode::kResourceExhausted:
      return "resource_exhausted";
    case absl::StatusCode::kFailedPrecondition:
      return "failed_precondition";
    case absl::StatusCode::kAborted:
      return "aborted";
    case absl::StatusCode::kOutOfRange:
      return "out_of_range";
    case absl::StatusCode::kUnimplemented:
      return "unimplemented";
    case absl::StatusCode::kInternal:
      return "internal";
    case absl::StatusCode::kUnavailable:
      return "unavailable";
    case absl::StatusCode::kDataLoss:
      return "data_loss";
    case absl::StatusCode::kUnauthenticated:
      return "unauthenticated";
    default:
      return "unknown";
  }
}

std::string PublicMessageOf(const absl::Status& status) {
  if (IsDiskFull(status)) {
    return "The server's disk is full, so this was not stored, or not all of it. Send it again, under its number, when "
           "there is room.";
  }
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      // gRPC's own text names addresses.
      return "This part is not available right now. Try again.";
    case absl::StatusCode::kDeadlineExceeded:
      return "This took longer than it may.";
    case absl::StatusCode::kUnimplemented:
      return "There is no such method.";
    case absl::StatusCode::kDataLoss:
      // Services say what is damaged by the name it has in the store, never by a path.
      return std::string(MessageOf(status));
    default:
      break;
  }
  if (HttpStatusOf(status.code()) >= 500) return "Something went wrong on our side.";
  return std::string(MessageOf(status));
}

net::Response ProblemOf(const absl::Status& status, std::string_view request_id) {
  net::Response response = net::ProblemResponse({.status = HttpStatusOf(status),
                                                 .detail = PublicMessageOf(status),
                                                 .request_id = std::string(request_id),
                                                 .code = std::string(ConnectNameOf(status.code()))});
  AddHints(status, request_id, response);
  return response;
}

std::string ConnectErrorJson(const absl::Status& status) {
  return fmt::format("{{\"code\":{},\"message\":{}}}", JsonString(ConnectNameOf(status.code())),
                     JsonString(PublicMessageOf(status)));
}

net::Response ConnectErrorOf(const absl::Status& status, std::string_view request_id) {
  net::Response response = net::Response::Of(HttpStatusOf(status.code()), "application/json", ConnectErrorJson(status));
  response.Set("Cache-Control", "no-store");
  AddHints(status, request_id, response);
  return response;
}

}  // namespace rivermeet::gateway
