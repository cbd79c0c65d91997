// Raw events for tests, rolled up naively: what owners, segments and the reference answer are made of.
#ifndef RIVERMEET_QUERY_TEST_EVENTS_H_
#define RIVERMEET_QUERY_TEST_EVENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "query/plan.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"
#include "rivermeet/events/v1/stream.pb.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::query {

struct TestEvent {
  int64_t time_us = 0;
  std::string host;  // empty: none
  std::string zone;
  std::optional<double> cpu;
  std::optional<int64_t> bytes;  // a counter
  uint32_t partition = 0;
  double bytes_increase = 0;  // since the series' event before; set by TestEvents::Add()
};

// The stream "host.metrics" of id 7: dimensions host and zone, measures cpu (gauge, percent) and bytes (counter).
events::v1::Stream TestStream(uint32_t partitions = 2);

// In the order of the log.
class TestEvents {
 public:
  void Add(TestEvent event);
  const std::vector<TestEvent>& all() const { return events_; }

 private:
  std::vector<TestEvent> events_;
  std::map<std::string, int64_t> last_bytes_;
};

TestEvent RandomEvent(std::mt19937_64& random, int64_t from_us, int64_t to_us, int hosts, uint32_t partitions);

// What an owner or a segment would answer: a row a window, group and partition.
aggregation::v1::Partials RollUp(const std::vector<TestEvent>& events, const aggregation::v1::PartialsQuery& query);

// A frame as text, a line a row: "time|group|...|value|...", null for nulls; doubles with 9 digits.
std::vector<std::string> Lines(const v1::Frame& frame);
// The same lines, straight from the events.
std::vector<std::string> ReferenceLines(const Plan& plan, const std::vector<TestEvent>& events);

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_TEST_EVENTS_H_
