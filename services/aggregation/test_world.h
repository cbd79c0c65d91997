// What tests of the service stand on: a real built-in log, an owner over it, batches to append.
#ifndef RIVERMEET_AGGREGATION_TEST_WORLD_H_
#define RIVERMEET_AGGREGATION_TEST_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "aggregation/aggregation_metrics.h"
#include "aggregation/aggregation_service.h"
#include "aggregation/partition_owner.h"
#include "base/mutex.h"
#include "base/status.h"
#include "eventlog/local_event_log.h"
#include "testing/temp_dir.h"
#include "windows/batch_builder.h"

namespace rivermeet::aggregation {

inline constexpr int64_t kSecond = 1'000'000;
inline constexpr int64_t kStart = 1'700'000'040 * kSecond;  // a whole minute

inline absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

inline std::unique_ptr<eventlog::LocalEventLog> OpenLog(const std::string& folder, uint32_t partitions) {
  eventlog::LocalEventLogOptions options;
  options.folder = folder;
  options.partitions = partitions;
  auto log = eventlog::LocalEventLog::Open(options);
  RM_CHECK_OK(log.status());
  return std::move(log).value();
}

inline eventlog::Offset Append(eventlog::EventLog& log, uint32_t partition, const events::v1::RecordHeader& header,
                               const std::vector<windows::TestEvent>& events) {
  auto offset = log.AppendAndWait(partition,
                                  {header.SerializeAsString(), windows::MakeBatch(events).SerializeAsString()}, Soon());
  RM_CHECK_OK(offset.status());
  return *offset;
}

inline eventlog::Offset Append(eventlog::EventLog& log, uint32_t partition, uint64_t sequence,
                               const std::vector<windows::TestEvent>& events) {
  return Append(log, partition, windows::MakeHeader(sequence, static_cast<uint32_t>(events.size())), events);
}

inline v1::PartialsQuery Query(std::vector<uint32_t> partitions, int64_t step_us = kSecond) {
  v1::PartialsQuery query;
  query.set_stream_id(1);
  for (const uint32_t partition : partitions) query.add_partitions(partition);
  query.set_start_us(kStart);
  query.set_end_us(kStart + 3600 * kSecond);
  query.set_step_us(step_us);
  query.set_resolution_us(step_us % (60 * kSecond) == 0   ? 60 * kSecond
                          : step_us % (10 * kSecond) == 0 ? 10 * kSecond
                                                          : kSecond);
  query.add_measures("x");
  return query;
}

inline absl::StatusOr<std::vector<v1::ReadPartialsResponse>> ReadAll(AggregationService& service,
                                                                     std::string_view tenant,
                                                                     const v1::ReadPartialsRequest& request) {
  std::vector<v1::ReadPartialsResponse> responses;
  RM_RETURN_IF_ERROR(service.ReadPartials(tenant, request, [&](v1::ReadPartialsResponse response) {
    responses.push_back(std::move(response));
    return absl::OkStatus();
  }));
  return responses;
}

// Two owned partitions over a real log.
struct TwoPartitions {
  testing::TempDir folder;
  prometheus::Registry registry;
  AggregationMetrics metrics{registry};
  std::unique_ptr<eventlog::LocalEventLog> log = OpenLog(folder.path(), 2);
  AggregationService service;
  std::vector<std::shared_ptr<PartitionOwner>> owners;

  explicit TwoPartitions(size_t answer_bytes = size_t{128} << 20) : service(metrics, answer_bytes) {
    for (uint32_t partition = 0; partition < 2; ++partition) {
      PartitionOwnerOptions options;
      options.partition = partition;
      options.epoch = 7;
      options.log = log.get();
      owners.push_back(std::make_shared<PartitionOwner>(
          options, std::make_unique<windows::PartitionState>(windows::FoldOptions()), std::vector<catalog::Segment>(),
          metrics.Of(partition), [this] { service.OnChange(); }));
      service.Add(owners.back());
      owners.back()->Start();
    }
  }
  ~TwoPartitions() {
    for (auto& owner : owners) owner->Stop();
  }
  absl::Status Wait(uint32_t partition, int64_t offset) {
    v1::WaitForOffsetsRequest request;
    auto& position = *request.add_positions();
    position.set_partition(partition);
    position.set_through_offset(offset);
    Mutex mutex;
    CondVar changed;
    bool done = false;
    absl::Status outcome;
    auto wait = service.WaitForOffsets(request, [&](const absl::Status& status) {
      MutexLock lock(mutex);
      outcome = status;
      done = true;
      changed.NotifyAll();
    });
    MutexLock lock(mutex);
    while (!done && changed.WaitFor(mutex, absl::Seconds(20))) {
    }
    return done ? outcome : absl::DeadlineExceededError("not folded in 20 s");
  }
  v1::ReadPartialsResponse Read(const v1::PartialsQuery& query, std::string_view tenant = "acme") {
    v1::ReadPartialsRequest request;
    *request.mutable_query() = query;
    auto responses = ReadAll(service, tenant, request);
    RM_CHECK_OK(responses.status());
    RM_CHECK(responses->size() == 1);
    return std::move(responses->front());
  }
};

// 60,000 rows of about 100 bytes in partition 0.
inline v1::ReadPartialsRequest FillWithRows(TwoPartitions& world) {
  int64_t last = 0;
  for (int64_t second = 0; second < 20; ++second) {
    std::vector<windows::TestEvent> events;
    for (int host = 0; host < 3'000; ++host) {
      events.push_back({kStart + second * kSecond, {{"host", std::to_string(host)}}, {{"x", 1}}, {}});
    }
    last = Append(*world.log, 0, static_cast<uint64_t>(second + 1), events);
  }
  RM_CHECK_OK(world.Wait(0, last));
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({0});
  request.mutable_query()->add_group_by("host");
  return request;
}

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_TEST_WORLD_H_
