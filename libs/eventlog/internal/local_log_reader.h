#ifndef RIVERMEET_EVENTLOG_INTERNAL_LOCAL_LOG_READER_H_
#define RIVERMEET_EVENTLOG_INTERNAL_LOCAL_LOG_READER_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "eventlog/internal/partition_log.h"

namespace rivermeet::eventlog::internal {

// Reads segment files through the page cache, as far as they are durable.
class LocalLogReader final : public LogReader {
 public:
  LocalLogReader(PartitionLog& partition, Offset from) : partition_(partition), next_(from) {}

  absl::StatusOr<std::vector<LogRecord>> Read(size_t max_bytes, absl::Time deadline) override;
  void Cancel() override;

 private:
  // Stands at record next_, which is durable.
  absl::Status Seek();
  // Makes `bytes` bytes at position_ available in buffer_, and when it has to read, as much ahead as `max_bytes` asks.
  absl::StatusOr<std::string_view> Fill(size_t bytes, size_t max_bytes);
  // The frame at position_.
  absl::StatusOr<Frame> NextFrame(size_t max_bytes);
  absl::Status Damaged(std::string_view reason);

  PartitionLog& partition_;
  Offset next_;  // of the record to return next
  std::atomic<bool> cancelled_{false};

  std::unique_ptr<files::ReadFile> file_;  // none: Seek() is needed
  Offset segment_ = 0;
  SegmentHeader header_;
  SegmentExtent extent_;
  Offset offset_ = 0;     // of the record at position_
  int64_t position_ = 0;  // in the file
  std::string buffer_;    // holds the file from position_ on, at buffer_at_
  size_t buffer_at_ = 0;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_LOCAL_LOG_READER_H_
