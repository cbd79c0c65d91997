// A partition's state at one moment, to be written while the fold goes on, and its stored form.
#ifndef RIVERMEET_WINDOWS_STATE_IMAGE_H_
#define RIVERMEET_WINDOWS_STATE_IMAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "windows/partition_state.h"

namespace rivermeet::windows {

struct StreamImage {
  StreamView view;
  int64_t lateness_us = 0;
};

// Shares the panes with the fold: taking one costs microseconds a thousand panes. Any thread.
struct StateImage {
  int64_t through_offset = -1;
  int64_t append_time_us = kNoTime;
  std::vector<std::pair<uint64_t, ProducerTable::Producer>> producers;
  std::vector<StreamImage> streams;  // by id

  static StateImage Capture(const PartitionState& state);
};

// The stored form (internal/blob.h). Equal states give equal bytes.
std::string EncodeState(const StateImage& image);

// The state again, ready to fold the record after `through_offset`.
//
// Errors:
//   DATA_LOSS      Not what EncodeState() gave: use an older snapshot and a longer replay.
//   UNIMPLEMENTED  Written by a newer version of this program.
absl::StatusOr<std::unique_ptr<PartitionState>> DecodeState(std::string_view blob, FoldOptions options);

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_STATE_IMAGE_H_
