// Writes closed windows as Parquet.
#ifndef RIVERMEET_SEGMENTS_SEGMENT_WRITER_H_
#define RIVERMEET_SEGMENTS_SEGMENT_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "windows/rollup.h"

namespace rivermeet::segments {

struct WrittenSegment {
  int64_t rows = 0;
  int64_t bytes = 0;
  // CRC-32C of the whole file.
  uint32_t crc32c = 0;
  // Starts of the first and the last window.
  int64_t first_window_us = 0;
  int64_t last_window_us = 0;
  // What the series' next increases count from.
  std::shared_ptr<const windows::Carry> carry;
};

// Writes the windows of `resolution_us` that lie before `until_us` to a new file, zstd-compressed; 0 rows: no file.
// Takes memory for one window's rows and one row group, whatever the view holds. Blocks. The file is not synced.
//
// Errors:
//   RESOURCE_EXHAUSTED  No space left.
//   UNAVAILABLE         The file can't be written or read back.
absl::StatusOr<WrittenSegment> WriteSegment(const std::string& path, const windows::StreamView& view,
                                            int64_t resolution_us, int64_t until_us);

// Of a local file. `stop` (may be null) is asked before each MiB; its error ends the reading.
absl::StatusOr<uint32_t> FileCrc32c(const std::string& path, const std::function<absl::Status()>& stop = nullptr);

}  // namespace rivermeet::segments

#endif  // RIVERMEET_SEGMENTS_SEGMENT_WRITER_H_
