// Reads partial aggregates out of segments.
#ifndef RIVERMEET_SEGMENTS_SEGMENT_READER_H_
#define RIVERMEET_SEGMENTS_SEGMENT_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "objects/object_store.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"

namespace rivermeet::segments {

class DuckDatabase;

struct SegmentReaderOptions {
  objects::ObjectStore* objects = nullptr;  // outlives the reader
  // Where the store keeps its files on this machine: all that DuckDB may read.
  std::string store_folder;
  int threads = 2;
  uint64_t memory_bytes = uint64_t{256} << 20;
};

// The object name of a segment ends in ".<crc32c in 8 hex digits>.parquet": what it is checked against.
std::string SegmentObjectSuffix(uint32_t crc32c);

// Whether the store has the object as its name says it was written. Reads it whole, a few MiB at a time.
//
// Errors:
//   DATA_LOSS  Missing or damaged; the message names it.
//   Others     The store is away.
absl::Status CheckSegmentObject(objects::ObjectStore& objects, const std::string& object, absl::Time deadline);

// Thread-safe.
class SegmentReader {
 public:
  // DuckDB is started by the first Read().
  explicit SegmentReader(SegmentReaderOptions options) : options_(std::move(options)) {}

  using Sink = std::function<absl::Status(const aggregation::v1::Partials& partials)>;

  // Gives the rows of `query` in `segments`, as an owner would: one a window, group and partition. `sink` is called on
  // this thread with at most some thousand rows at a time; its error ends the reading. `cancelled` (may be null) is
  // asked between pieces of work.
  //
  // Errors:
  //   INVALID_ARGUMENT    The query can't be.
  //   NOT_FOUND           A segment is gone: ask the owner again.
  //   DATA_LOSS           A segment is not what was written; the message names it. Nothing of it is given.
  //   RESOURCE_EXHAUSTED  Over the memory limit.
  //   CANCELLED, DEADLINE_EXCEEDED
  absl::Status Read(const aggregation::v1::PartialsQuery& query,
                    const std::vector<aggregation::v1::SegmentReference>& segments, absl::Time deadline,
                    const std::function<bool()>& cancelled, const Sink& sink);

 private:
  // Says why the reading has to end, if it has to.
  using Stop = std::function<absl::Status()>;

  absl::StatusOr<std::shared_ptr<DuckDatabase>> Database();
  // The object as a local file that has been checked.
  absl::StatusOr<std::string> LocalFile(const std::string& object, const Stop& stop);
  absl::Status CheckFile(const std::string& object, const std::string& path, const Stop& stop);

  const SegmentReaderOptions options_;
  Mutex mutex_;
  std::shared_ptr<DuckDatabase> database_ ABSL_GUARDED_BY(mutex_);
  // What a file looked like when its checksum was right, by path.
  struct Checked {
    int64_t bytes = 0;
    int64_t modified_ns = 0;
    absl::Time when;
  };
  std::map<std::string, Checked> checked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::segments

#endif  // RIVERMEET_SEGMENTS_SEGMENT_READER_H_
