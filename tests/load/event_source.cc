#include "event_source.h"

#include <bit>
#include <string_view>

#include "base/strings.h"
#include "events/series_hash.h"

namespace rivermeet::load {
namespace {

constexpr std::array<const char*, 10> kRegions = {"eu-west-1",  "eu-north-1", "us-east-1", "us-east-2",  "us-west-2",
                                                  "ap-south-1", "ap-east-1",  "sa-east-1", "af-south-1", "me-south-1"};

// The partition hash of each of the 10,000 series.
std::vector<uint64_t> HashAllSeries() {
  std::array<std::vector<std::string>, kDimensions.size()> texts;
  std::array<std::vector<std::string_view>, kDimensions.size()> values;
  std::vector<uint32_t> index(kSeries);
  std::array<events::DimensionView, kDimensions.size()> dimensions;
  for (uint32_t series = 0; series < kSeries; ++series) index[series] = series + 1;
  for (size_t i = 0; i < kDimensions.size(); ++i) {
    for (uint32_t series = 0; series < kSeries; ++series) texts[i].push_back(DimensionValue(series, i));
    values[i].assign(texts[i].begin(), texts[i].end());
    dimensions[i] = {.name = kDimensions[i], .values = values[i], .value_index = index};
  }
  events::BatchView batch;
  batch.series_count = kSeries;
  batch.dimensions = dimensions;
  return events::HashSeries(batch);
}

}  // namespace

Random::Random(uint64_t seed) {
  // splitmix64, as the authors advise for seeding.
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::string DimensionValue(uint32_t series, size_t dimension) {
  const uint32_t host = series / 10;
  if (dimension == 0) return fmt::format("host-{:04}", host);
  if (dimension == 1) return kRegions[host % kRegions.size()];
  return fmt::format("service-{}", series % 10);
}

EventSource::EventSource(uint64_t seed, uint32_t partitions, uint32_t partition)
    : random_(seed), counters_(kSeries, 0) {
  const std::vector<uint64_t> hashes = HashAllSeries();
  for (uint32_t series = 0; series < kSeries; ++series) {
    if (partitions == 0 || hashes[series] % partitions == partition) series_.push_back(series);
  }
  for (size_t i = series_.size(); i > 1; --i) {
    std::swap(series_[i - 1], series_[random_.Below(static_cast<uint32_t>(i))]);
  }
}

std::vector<EventValues> EventSource::Next(uint32_t count) {
  std::vector<EventValues> events(count);
  for (EventValues& event : events) {
    event.series = series_[random_.Below(static_cast<uint32_t>(series_.size()))];
    event.percent_hundredths = random_.Below(10'001);
    event.counter = counters_[event.series] += 1 + random_.Below(50);
    event.age_us = random_.Below(1'000'000);
  }
  return events;
}

Sums SumOf(const std::vector<EventValues>& events) {
  Sums sums;
  sums.events = events.size();
  for (const EventValues& event : events) {
    sums.percent_hundredths += event.percent_hundredths;
    sums.counter += event.counter;
  }
  return sums;
}

}  // namespace rivermeet::load
