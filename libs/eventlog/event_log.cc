#include "eventlog/event_log.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace rivermeet::eventlog {

absl::StatusOr<Offset> EventLog::AppendAndWait(PartitionId partition, Record record, absl::Time deadline) {
  struct Outcome {
    Mutex mutex;
    CondVar changed;
    std::optional<absl::StatusOr<Offset>> value ABSL_GUARDED_BY(mutex);
  };
  // Shared, so that a log which breaks its promise to call back leaks nothing into freed memory.
  const auto outcome = std::make_shared<Outcome>();
  Append(partition, std::move(record), deadline, [outcome](absl::StatusOr<Offset> offset) {
    MutexLock lock(outcome->mutex);
    outcome->value = std::move(offset);
    outcome->changed.NotifyAll();
  });
  MutexLock lock(outcome->mutex);
  while (!outcome->value) outcome->changed.Wait(outcome->mutex);
  return *outcome->value;
}

}  // namespace rivermeet::eventlog
