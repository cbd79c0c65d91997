// One owner over a real log.
#include "aggregation/partition_owner.h"

#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <thread>

#include "aggregation/test_world.h"
#include "testing/manual_clock.h"

namespace rivermeet::aggregation {
namespace {

// An owner that holds 1 byte at most, and what would free memory.
struct Tight {
  testing::TempDir folder;
  prometheus::Registry registry;
  AggregationMetrics metrics{registry};
  testing::ManualClock clock;
  std::unique_ptr<eventlog::LocalEventLog> log = OpenLog(folder.path(), 1);
  std::unique_ptr<PartitionOwner> owner;

  explicit Tight(uint32_t max_series = 1'000) {
    PartitionOwnerOptions options;
    options.log = log.get();
    options.clock = &clock;
    options.hot_bytes = 1;
    owner = std::make_unique<PartitionOwner>(
        options, std::make_unique<windows::PartitionState>(windows::FoldOptions{.max_series = max_series}),
        std::vector<catalog::Segment>(), metrics.Of(0), [] {});
  }
};

TEST_CASE("a snapshot is asked for when it would free memory, and for nothing else", "[owner]") {
  Tight tight;
  bool pressed = false;
  // Series and windows that are open.
  tight.owner->FoldThrough(Append(*tight.log, 0, 1, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}}));
  tight.owner->Capture(pressed);
  CHECK_FALSE(pressed);
  tight.clock.Advance(absl::Seconds(2));
  tight.owner->FoldThrough(Append(*tight.log, 0, 2, {{kStart + 600 * kSecond, {{"host", "a"}}, {{"x", 1}}, {}}}));
  tight.owner->Capture(pressed);
  CHECK(pressed);
}

TEST_CASE("the fold doesn't wait for memory that no snapshot can free", "[owner]") {
  Tight tight;
  tight.owner->Start();
  int64_t last = 0;
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    last = Append(*tight.log, 0, sequence, {{kStart, {{"host", std::to_string(sequence)}}, {{"x", 1}}, {}}});
    // By its clock, at which no pause ever ends, it measures each time.
    tight.clock.Advance(absl::Seconds(2));
    std::promise<absl::Status> folded;
    tight.owner->WaitFor(last, [&](const absl::Status& status) { folded.set_value(status); });
    auto outcome = folded.get_future();
    const bool came = outcome.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    CHECK(came);
    if (!came) tight.owner->Stop();
    if (!came) return;
  }
}

TEST_CASE("events of series beyond the limit have a line in the ledger and a metric", "[owner]") {
  Tight tight(1);
  const auto offset = Append(*tight.log, 0, 1, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  tight.owner->FoldThrough(offset);
  tight.owner->FoldThrough(Append(*tight.log, 0, 2, {{kStart, {{"host", "b"}}, {{"x", 1}}, {}}}));
  windows::Ledger ledger;
  REQUIRE(tight.owner->ReadLedger("acme", 1, ledger));
  CHECK(ledger == windows::Ledger{2, 0, 1, 0, 0, 0, 1});
  CHECK(tight.metrics.Of(0).over_series_limit_events.Value() == 1);
  AggregationService service(tight.metrics);
  service.Add(std::shared_ptr<PartitionOwner>(std::shared_ptr<void>(), tight.owner.get()));
  v1::ReadLedgerRequest request;
  request.set_stream_id(1);
  request.add_partitions(0);
  CHECK(service.ReadLedger("acme", request)->entries(0).over_series_limit() == 1);
}

TEST_CASE("a snapshot frees the producers that are forgotten", "[owner]") {
  testing::TempDir folder;
  testing::ManualClock clock;
  eventlog::LocalEventLogOptions log_options;
  log_options.folder = folder.path();
  log_options.partitions = 1;
  log_options.clock = &clock;
  auto log = eventlog::LocalEventLog::Open(log_options).value();
  prometheus::Registry registry;
  AggregationMetrics metrics(registry);
  auto state = std::make_unique<windows::PartitionState>(windows::FoldOptions());
  const windows::PartitionState& seen = *state;
  PartitionOwnerOptions options;
  options.log = log.get();
  PartitionOwner owner(options, std::move(state), {}, metrics.Of(0), [] {});
  for (uint64_t producer = 1; producer <= 10; ++producer) {
    const auto offset =
        Append(*log, 0, windows::MakeHeader(1, 1, producer), {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
    owner.FoldThrough(offset);
    clock.Advance(absl::Hours(24));
  }
  bool pressed = false;
  const windows::StateImage image = owner.Capture(pressed);
  CHECK(image.producers.size() == 8);
  CHECK(seen.producers().size() == 8);
}

// A real log of which retention removes what it is told to, at once, and whose range is not told while the gate is
// closed.
class GatedLog final : public eventlog::EventLog {
 public:
  explicit GatedLog(std::unique_ptr<eventlog::EventLog> log) : log_(std::move(log)) {}

  void Close() {
    MutexLock lock(mutex_);
    open_ = false;
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  bool AwaitAsked() {
    MutexLock lock(mutex_);
    const absl::Time until = Soon();
    while (!asked_ && absl::Now() < until) changed_.WaitFor(mutex_, absl::Seconds(1));
    return asked_;
  }

  uint32_t partitions() const override { return log_->partitions(); }
  std::string identity() const override { return log_->identity(); }
  void Append(eventlog::PartitionId partition, eventlog::Record record, absl::Time deadline, Done done) override {
    log_->Append(partition, std::move(record), deadline, std::move(done));
  }
  absl::StatusOr<std::unique_ptr<eventlog::LogReader>> OpenReader(eventlog::PartitionId partition,
                                                                  eventlog::Offset from) override {
    MutexLock lock(mutex_);
    if (from < first_) return absl::OutOfRangeError("removed");
    return log_->OpenReader(partition, from);
  }
  absl::StatusOr<eventlog::OffsetRange> Range(eventlog::PartitionId partition, absl::Time deadline) override {
    MutexLock lock(mutex_);
    asked_ = true;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
    RM_ASSIGN_OR_RETURN(eventlog::OffsetRange range, log_->Range(partition, deadline));
    range.first = first_;
    return range;
  }
  absl::Status DeleteBefore(eventlog::PartitionId, eventlog::Offset offset) override {
    MutexLock lock(mutex_);
    first_ = offset;
    return absl::OkStatus();
  }
  eventlog::LogStats Stats() const override { return log_->Stats(); }
  void Stop(absl::Time deadline) override { log_->Stop(deadline); }

 private:
  std::unique_ptr<eventlog::EventLog> log_;
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  eventlog::Offset first_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A thread of its own that asks; false when there is no answer in 10 s.
bool Answers(const std::function<void()>& ask) {
  auto answered = std::make_shared<std::promise<void>>();
  std::thread([ask, answered] {
    ask();
    answered->set_value();
  }).detach();
  return answered->get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
}

struct Gated {
  testing::TempDir folder;
  GatedLog log{OpenLog(folder.path(), 1)};
  prometheus::Registry registry;
  AggregationMetrics metrics{registry};
  PartitionOwner owner{
      {.log = &log}, std::make_unique<windows::PartitionState>(windows::FoldOptions()), {}, metrics.Of(0), [] {}};

  ~Gated() {
    log.Open();
    owner.Stop();
  }
  // Within 10 s.
  bool Folds(int64_t offset) {
    return Answers([this, offset] {
      std::promise<void> folded;
      owner.WaitFor(offset, [&](const absl::Status&) { folded.set_value(); });
      folded.get_future().wait();
    });
  }
};

TEST_CASE("a log that is slow to say where it ends holds up no fold", "[owner]") {
  Gated gated;
  gated.log.Close();
  gated.owner.Start();
  const auto first = Append(gated.log, 0, 1, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  REQUIRE(gated.Folds(first));
  CHECK(gated.Folds(Append(gated.log, 0, 2, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}})));
  gated.log.Open();
  gated.owner.Stop();
  Append(gated.log, 0, 3, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  gated.owner.MeasureLag(Soon());
  CHECK(gated.metrics.Of(0).lag_records.Value() == 1);
}

TEST_CASE("records that retention removed are passed over without holding up readers, and end waits", "[owner]") {
  Gated gated;
  int64_t last = 0;
  for (uint64_t record = 1; record <= 5; ++record) {
    last = Append(gated.log, 0, record, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  }
  RM_CHECK_OK(gated.log.DeleteBefore(0, last + 1));
  gated.log.Close();
  gated.owner.Start();
  REQUIRE(gated.log.AwaitAsked());
  // It asks where the log begins now.
  CHECK(Answers([&] { RM_CHECK_OK(gated.owner.CheckServing()); }));
  gated.log.Open();
  CHECK(gated.Folds(last));
  CHECK(gated.metrics.Of(0).lost_records.Value() == 5);
  // A restart before the next record must not begin where the log has nothing any more.
  CHECK(Answers([&] { CHECK(gated.owner.WaitForSnapshotTime(absl::InfiniteDuration())); }));
  bool pressed = false;
  const windows::StateImage image = gated.owner.Capture(pressed);
  CHECK(image.through_offset == last);
  const auto restored = windows::DecodeState(windows::EncodeState(image), windows::FoldOptions());
  RM_CHECK_OK(restored.status());
  CHECK((*restored)->through_offset() == last);
}

}  // namespace
}  // namespace rivermeet::aggregation
