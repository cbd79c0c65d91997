// That an error is a full disk's, carried by the status itself: a RESOURCE_EXHAUSTED that no slower sending ends.
#ifndef RIVERMEET_BASE_DISK_FULL_H_
#define RIVERMEET_BASE_DISK_FULL_H_

#include "absl/status/status.h"

namespace rivermeet {

// The name under which gRPC calls carry it, as trailing metadata with any value.
inline constexpr char kDiskFullTrailer[] = "rivermeet-disk-full";

// `status`, an error, that comes from a disk or quota without room.
absl::Status WithDiskFull(absl::Status status);

// Whether it does.
bool IsDiskFull(const absl::Status& status);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_DISK_FULL_H_
