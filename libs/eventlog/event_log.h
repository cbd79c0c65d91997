// An append-only, partitioned log: the only way events move between services.
//
// Order holds within a partition, never across partitions. What is acknowledged is durable and is read back as it
// was appended, until retention removes it. The log knows nothing of what it carries and may hold a record twice:
// whoever folds it recognises repeats.
#ifndef RIVERMEET_EVENTLOG_EVENT_LOG_H_
#define RIVERMEET_EVENTLOG_EVENT_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "eventlog/log_stats.h"

namespace rivermeet::eventlog {

using PartitionId = uint32_t;

// Of a record within its partition, from 0; it increases from record to record: by one on the built-in log, with
// gaps on Kafka.
using Offset = int64_t;

inline constexpr size_t kMaxHeaderBytes = 16 << 10;
// An encoded event batch is at most 1 MiB; the slack is for what wraps it.
inline constexpr size_t kMaxRecordBytes = (1 << 20) + (64 << 10);

// What is appended. Both parts are opaque to the log.
struct Record {
  std::string header;   // small: tens to hundreds of bytes, at most kMaxHeaderBytes
  std::string payload;  // at most kMaxRecordBytes
};

// What is read.
struct LogRecord {
  Offset offset = 0;
  // Microseconds since the Unix epoch, set once by the log when the record was appended, the same at every reading.
  // Never decreases within a partition of the built-in log.
  int64_t append_time_us = 0;
  std::string header;
  std::string payload;
};

// The durable records of a partition are those with first <= offset < end.
struct OffsetRange {
  Offset first = 0;
  Offset end = 0;
};

// Reads one partition in order. For one thread, but for Cancel(). Must not outlive its log.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // The next records: at least one as soon as there is one, and no more once headers and payloads together reach
  // `max_bytes`. Waits until `deadline` for the first; empty when none came. Only durable records are ever returned.
  //
  // Errors:
  //   CANCELLED     Cancel() was called.
  //   OUT_OF_RANGE  Retention removed what comes next. Open a new reader at Range().first and account for the gap.
  //   DATA_LOSS     What lies on the disk is not what was written; the message names file and position. Nothing of
  //                 it is returned. Retrying doesn't help: restore the file, or skip the range knowingly.
  //   UNAVAILABLE   The log is away or failing. Retry after a pause; the position is unchanged.
  virtual absl::StatusOr<std::vector<LogRecord>> Read(size_t max_bytes, absl::Time deadline) = 0;

  // Ends a waiting Read() and all later ones with CANCELLED. From any thread.
  virtual void Cancel() = 0;
};

// Thread-safe.
class EventLog {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Offset>)>;

  virtual ~EventLog() = default;

  // Partitions are numbered from 0. Fixed when the log is made.
  virtual uint32_t partitions() const = 0;

  // Which log this is, as a message can say it: the same at every opening, and no other log's. Offsets mean nothing in
  // a log of another identity.
  virtual std::string identity() const = 0;

  // Appends `record` and calls `done` with its offset once it is durable. Never blocks on the disk or the network.
  // `done` is called exactly once, on a thread of the log (never inside Append) and at most 100 ms after
  // `deadline`; it must not block. Records of one partition appended by one thread keep their order when all
  // succeed.
  //
  // Errors given to `done`:
  //   INVALID_ARGUMENT    No such partition, or a part of the record is too large. Don't retry.
  //   RESOURCE_EXHAUSTED  The queue is full or the disk is; nothing was appended. Retry after a pause.
  //   UNAVAILABLE         The log is away, failing or stopped; nothing was appended. Retry after a pause.
  //   DEADLINE_EXCEEDED   Outcome unknown: the record may be in the log, or still get there. Retry with the same
  //                       sequence; the fold recognises a repeat.
  virtual void Append(PartitionId partition, Record record, absl::Time deadline, Done done) = 0;

  // Append(), waiting for the outcome. Not from a `done`.
  absl::StatusOr<Offset> AppendAndWait(PartitionId partition, Record record, absl::Time deadline);

  // A reader whose first record is the first one at or after `from`. `from` may be the end, or beyond it.
  //
  // Errors:
  //   INVALID_ARGUMENT  No such partition, or `from` is negative.
  //   OUT_OF_RANGE      Retention has removed `from`; the message says the first offset that is left.
  //   UNAVAILABLE       The log is away. Retry after a pause.
  virtual absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(PartitionId partition, Offset from) = 0;

  // Errors:
  //   INVALID_ARGUMENT  No such partition.
  //   UNAVAILABLE, DEADLINE_EXCEEDED  The log is away. Retry after a pause.
  virtual absl::StatusOr<OffsetRange> Range(PartitionId partition, absl::Time deadline) = 0;

  // Allows the log to remove records below `offset`; it removes whole files, so some of them may stay. Never
  // removes a record at or above `offset`.
  //
  // Errors:
  //   INVALID_ARGUMENT  No such partition.
  //   UNAVAILABLE       Not done. Retry later: nothing depends on it but space.
  virtual absl::Status DeleteBefore(PartitionId partition, Offset offset) = 0;

  // What happened since the log was opened; for metrics.
  virtual LogStats Stats() const = 0;

  // Appends what is queued, at most until `deadline`, then answers everything with UNAVAILABLE. Readers go on over
  // what is durable. The destructor stops too.
  virtual void Stop(absl::Time deadline) = 0;
};

}  // namespace rivermeet::eventlog

#endif  // RIVERMEET_EVENTLOG_EVENT_LOG_H_
