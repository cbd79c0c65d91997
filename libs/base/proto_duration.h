// Between absl::Duration and protobuf's.
#ifndef RIVERMEET_BASE_PROTO_DURATION_H_
#define RIVERMEET_BASE_PROTO_DURATION_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace rivermeet {

// Nothing is checked: a duration from outside may be negative or out of protobuf's range.
inline absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// `duration` is finite.
inline google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_PROTO_DURATION_H_
