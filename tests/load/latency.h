// Latencies in microseconds, exact to a part in 64.
#ifndef RIVERMEET_LOAD_LATENCY_H_
#define RIVERMEET_LOAD_LATENCY_H_

#include <cstdint>
#include <vector>

namespace rivermeet::load {

class Latencies {
 public:
  void Record(int64_t us);
  void Add(const Latencies& other);
  // The smallest value that at least `share` of the recorded ones do not exceed; 0 when there are none.
  double Quantile(double share) const;
  uint64_t count() const { return count_; }

 private:
  static constexpr int kSubBuckets = 64;
  std::vector<uint64_t> buckets_ = std::vector<uint64_t>(64 * kSubBuckets);
  uint64_t count_ = 0;
};

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_LATENCY_H_
