// Makes records for tests of the fold and of what is built on it.
#ifndef RIVERMEET_WINDOWS_BATCH_BUILDER_H_
#define RIVERMEET_WINDOWS_BATCH_BUILDER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rivermeet/events/v1/event_batch.pb.h"

namespace rivermeet::windows {

struct TestEvent {
  int64_t time_us = 0;
  std::map<std::string, std::string> dimensions;
  std::map<std::string, double> float64;
  std::map<std::string, int64_t> int64;
};

// A measure that some events have and others don't is null for the others.
inline events::v1::EventBatch MakeBatch(const std::vector<TestEvent>& events) {
  events::v1::EventBatch batch;
  batch.set_stream("s");
  std::map<std::map<std::string, std::string>, uint32_t> rows;
  std::map<std::string, std::map<std::string, uint32_t>> values;
  std::map<std::string, bool> measures;  // is int64
  for (const TestEvent& event : events) {
    rows.try_emplace(event.dimensions, static_cast<uint32_t>(rows.size()));
    for (const auto& [name, value] : event.dimensions) values[name].try_emplace(value, values[name].size() + 1);
    for (const auto& [name, value] : event.float64) measures[name] = false;
    for (const auto& [name, value] : event.int64) measures[name] = true;
  }
  batch.mutable_series()->set_count(static_cast<uint32_t>(rows.size()));
  for (const auto& [name, indexes] : values) {
    auto& column = *batch.mutable_series()->add_dimensions();
    column.set_name(name);
    column.mutable_values()->Reserve(static_cast<int>(indexes.size()));
    for (size_t i = 0; i < indexes.size(); ++i) column.add_values();
    for (const auto& [value, index] : indexes) *column.mutable_values(static_cast<int>(index) - 1) = value;
    column.mutable_value_index()->Resize(static_cast<int>(rows.size()), 0);
    for (const auto& [dimensions, row] : rows) {
      const auto found = dimensions.find(name);
      if (found != dimensions.end()) column.set_value_index(static_cast<int>(row), indexes.at(found->second));
    }
  }
  batch.set_base_time_us(events.empty() ? 0 : events.front().time_us);
  for (const TestEvent& event : events) {
    batch.add_series_index(rows.at(event.dimensions));
    batch.add_time_offset_us(event.time_us - batch.base_time_us());
  }
  for (const auto& [name, is_int64] : measures) {
    auto& column = *batch.add_measures();
    column.set_name(name);
    std::string nulls((events.size() + 7) / 8, '\0');
    bool any = false;
    for (size_t e = 0; e < events.size(); ++e) {
      const bool has = is_int64 ? events[e].int64.contains(name) : events[e].float64.contains(name);
      if (is_int64) {
        column.add_int64_values(has ? events[e].int64.at(name) : -77);
      } else {
        column.add_float64_values(has ? events[e].float64.at(name) : -77);
      }
      if (!has) {
        nulls[e / 8] = static_cast<char>(nulls[e / 8] | 1 << (e % 8));
        any = true;
      }
    }
    if (any) column.set_nulls(nulls);
  }
  return batch;
}

inline events::v1::RecordHeader MakeHeader(uint64_t sequence, uint32_t events, uint64_t producer = 5) {
  events::v1::RecordHeader header;
  header.set_tenant("acme");
  header.set_stream_id(1);
  header.set_stream("s");
  header.set_producer_id(producer);
  header.set_sequence(sequence);
  header.set_event_count(events);
  return header;
}

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_BATCH_BUILDER_H_
