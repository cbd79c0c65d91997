#include "rpc/status.h"

#include "base/strings.h"

namespace rivermeet::rpc {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(MessageOf(status))};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

bool IsRetryable(const absl::Status& status) { return absl::IsUnavailable(status); }

}  // namespace rivermeet::rpc
