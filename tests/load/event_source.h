// The benches' event, the same everywhere so that figures compare: a time within a second of now, three string
// dimensions (10,000 series together, shuffled), two measures (a percentage with two decimals, an integer counter).
#ifndef RIVERMEET_LOAD_EVENT_SOURCE_H_
#define RIVERMEET_LOAD_EVENT_SOURCE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace rivermeet::load {

inline constexpr uint32_t kSeries = 10'000;
inline constexpr uint32_t kBatchEvents = 8'192;
inline constexpr std::array<const char*, 3> kDimensions = {"host", "region", "service"};
inline constexpr const char* kPercentMeasure = "cpu_percent";
inline constexpr const char* kCounterMeasure = "requests";

// What was sent, to compare with what is read back. The percentage is counted in hundredths, so that it is exact.
struct Sums {
  uint64_t events = 0;
  int64_t percent_hundredths = 0;
  int64_t counter = 0;

  void Add(const Sums& other) {
    events += other.events;
    percent_hundredths += other.percent_hundredths;
    counter += other.counter;
  }
};

// xoshiro256++ (Blackman, Vigna 2019): seeded, fast, the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>((Next() >> 32) * bound >> 32); }

 private:
  uint64_t state_[4];
};

// The value of dimension `dimension` of series `series`.
std::string DimensionValue(uint32_t series, size_t dimension);

// One event without its time.
struct EventValues {
  uint32_t series;
  uint32_t percent_hundredths;  // 0 to 10,000
  int64_t counter;
  uint32_t age_us;  // before now, 0 to 999,999
};

// A seeded, endless sequence of events. `partitions` > 0 keeps to the series that hash to `partition`.
class EventSource {
 public:
  EventSource(uint64_t seed, uint32_t partitions, uint32_t partition);

  // The next `count` events.
  std::vector<EventValues> Next(uint32_t count);

 private:
  Random random_;
  std::vector<uint32_t> series_;
  std::vector<int64_t> counters_;
};

Sums SumOf(const std::vector<EventValues>& events);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_EVENT_SOURCE_H_
