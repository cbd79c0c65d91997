// What tests of the service stand on: a real built-in log, an owner over it, batches to append.
#ifndef RIVERMEET_AGGREGATION_TEST_WORLD_H_
#define RIVERMEET_AGGREGATION_TEST_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "aggregation/aggregation_service.h"
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

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_TEST_WORLD_H_
