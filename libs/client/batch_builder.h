// Makes event batches from rows.
#ifndef RIVERMEET_CLIENT_BATCH_BUILDER_H_
#define RIVERMEET_CLIENT_BATCH_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "rivermeet/events/v1/event_batch.pb.h"

namespace rivermeet::client {

// At most so many events fit a batch, and at most so many bytes when encoded.
inline constexpr size_t kMaxBatchEvents = 16'384;
inline constexpr size_t kMaxBatchBytes = size_t{1} << 20;

// One batch at a time: AddSeries() and AddMeasure() as names come up, then an event after the other, then Encode().
// Not thread-safe.
class BatchBuilder {
 public:
  using Dimensions = std::vector<std::pair<std::string, std::string>>;  // name, value

  explicit BatchBuilder(std::string stream) : stream_(std::move(stream)) {}

  // The row of the series table with these dimensions, added when it is new. Names are distinct.
  uint32_t AddSeries(const Dimensions& dimensions);

  // The column of a measure, added when it is new: null in every event before it was set. Its type is fixed by the
  // first call.
  size_t AddFloat64(std::string_view name) { return AddMeasure(name, false); }
  size_t AddInt64(std::string_view name) { return AddMeasure(name, true); }

  // Starts the next event, with no measure set. `time_us` is microseconds since the Unix epoch, UTC.
  void BeginEvent(uint32_t series, int64_t time_us);
  // Sets a measure of the event begun last; the column is of that type.
  void SetFloat64(size_t column, double value);
  void SetInt64(size_t column, int64_t value);

  size_t event_count() const { return times_us_.size(); }

  // The batch, without measures that no event has; the builder is empty after it but for its stream's name.
  events::v1::EventBatch Build();

 private:
  struct Measure {
    std::string name;
    bool is_int64;
    std::vector<double> float64_values;
    std::vector<int64_t> int64_values;
    std::vector<bool> present;
  };
  size_t AddMeasure(std::string_view name, bool is_int64);
  Measure& Reach(size_t column);

  std::string stream_;
  std::vector<Dimensions> series_;
  std::map<Dimensions, uint32_t> series_by_dimensions_;
  std::vector<Measure> measures_;
  StringMap<size_t> measure_by_name_;
  std::vector<uint32_t> series_index_;
  std::vector<int64_t> times_us_;
};

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_BATCH_BUILDER_H_
