#include "base/disk_full.h"

#include "absl/strings/cord.h"

namespace rivermeet {
namespace {

constexpr char kPayload[] = "rivermeet/disk-full";

}  // namespace

absl::Status WithDiskFull(absl::Status status) {
  status.SetPayload(kPayload, absl::Cord("1"));
  return status;
}

bool IsDiskFull(const absl::Status& status) { return status.GetPayload(kPayload).has_value(); }

}  // namespace rivermeet
