// Between absl::Status and grpc::Status: the canonical codes are the same numbers.
#ifndef RIVERMEET_RPC_STATUS_H_
#define RIVERMEET_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace rivermeet::rpc {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

// Whether trying the same call again can help: UNAVAILABLE only. DEADLINE_EXCEEDED is unclear and needs an
// idempotent call.
bool IsRetryable(const absl::Status& status);

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_STATUS_H_
