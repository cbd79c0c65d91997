#include "eventlog/faulty_event_log.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "eventlog/internal/timer_thread.h"

namespace rivermeet::eventlog {

class FaultyEventLog::Reader final : public LogReader {
 public:
  Reader(FaultyEventLog& log, std::unique_ptr<LogReader> reader) : log_(log), reader_(std::move(reader)) {}

  absl::StatusOr<std::vector<LogRecord>> Read(size_t max_bytes, absl::Time deadline) override {
    if (log_.ChooseReadFault()) return absl::UnavailableError("injected: the log is away");
    return reader_->Read(max_bytes, deadline);
  }
  void Cancel() override { reader_->Cancel(); }

 private:
  FaultyEventLog& log_;
  const std::unique_ptr<LogReader> reader_;
};

FaultyEventLog::FaultyEventLog(std::unique_ptr<EventLog> log, uint64_t seed, LogFaults faults)
    : random_(seed), faults_(faults), timer_(std::make_unique<internal::TimerThread>()), log_(std::move(log)) {}

FaultyEventLog::~FaultyEventLog() = default;

void FaultyEventLog::SetFaults(LogFaults faults) {
  MutexLock lock(mutex_);
  faults_ = faults;
}

int64_t FaultyEventLog::injected() const {
  MutexLock lock(mutex_);
  return injected_;
}

FaultyEventLog::Choice FaultyEventLog::Choose() {
  MutexLock lock(mutex_);
  // Always two draws, so that changing one fault doesn't change when the others strike.
  double at = std::uniform_real_distribution<double>(0, 1)(random_);
  const double delay = std::uniform_real_distribution<double>(0, 1)(random_);
  Choice choice;
  const std::pair<double, Fault> faults[] = {{faults_.unavailable, Fault::kUnavailable},
                                             {faults_.unclear_done, Fault::kUnclearDone},
                                             {faults_.unclear_lost, Fault::kUnclearLost},
                                             {faults_.duplicated, Fault::kDuplicated}};
  for (const auto& [probability, fault] : faults) {
    if (at < probability) {
      choice.fault = fault;
      break;
    }
    at -= probability;
  }
  if (delay < faults_.delayed) choice.delay = faults_.max_delay * (delay / faults_.delayed);
  if (choice.fault != Fault::kNone || choice.delay > absl::ZeroDuration()) ++injected_;
  return choice;
}

bool FaultyEventLog::ChooseReadFault() {
  MutexLock lock(mutex_);
  const bool fails = std::uniform_real_distribution<double>(0, 1)(random_) < faults_.read_unavailable;
  injected_ += fails;
  return fails;
}

uint32_t FaultyEventLog::partitions() const { return log_->partitions(); }

void FaultyEventLog::Append(PartitionId partition, Record record, absl::Time deadline, Done done) {
  const Choice choice = Choose();
  Done answer = std::move(done);
  if (choice.delay > absl::ZeroDuration()) {
    answer = [this, deadline, delay = choice.delay, done = std::move(answer)](absl::StatusOr<Offset> offset) mutable {
      timer_->RunAt(std::min(absl::Now() + delay, deadline),
                    [done = std::move(done), offset = std::move(offset)]() mutable { done(std::move(offset)); });
    };
  }
  switch (choice.fault) {
    case Fault::kNone:
      return log_->Append(partition, std::move(record), deadline, std::move(answer));
    case Fault::kUnavailable:
      return timer_->RunSoon(
          [answer = std::move(answer)]() mutable { answer(absl::UnavailableError("injected: nothing was appended")); });
    case Fault::kUnclearLost:
      return timer_->RunSoon(
          [answer = std::move(answer)]() mutable { answer(absl::DeadlineExceededError("injected: outcome unknown")); });
    case Fault::kUnclearDone:
      return log_->Append(partition, std::move(record), deadline,
                          [answer = std::move(answer)](absl::StatusOr<Offset> offset) mutable {
                            if (offset.ok()) offset = absl::DeadlineExceededError("injected: outcome unknown");
                            answer(std::move(offset));
                          });
    case Fault::kDuplicated:
      log_->Append(partition, record, deadline, [](const absl::StatusOr<Offset>&) {});
      return log_->Append(partition, std::move(record), deadline, std::move(answer));
  }
}

std::string FaultyEventLog::identity() const { return log_->identity(); }

absl::StatusOr<std::unique_ptr<LogReader>> FaultyEventLog::OpenReader(PartitionId partition, Offset from) {
  RM_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader, log_->OpenReader(partition, from));
  return std::make_unique<Reader>(*this, std::move(reader));
}

absl::StatusOr<OffsetRange> FaultyEventLog::Range(PartitionId partition, absl::Time deadline) {
  return log_->Range(partition, deadline);
}

absl::Status FaultyEventLog::DeleteBefore(PartitionId partition, Offset offset) {
  return log_->DeleteBefore(partition, offset);
}

LogStats FaultyEventLog::Stats() const { return log_->Stats(); }

void FaultyEventLog::Stop(absl::Time deadline) { log_->Stop(deadline); }

}  // namespace rivermeet::eventlog
