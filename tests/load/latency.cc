#include "latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rivermeet::load {

void Latencies::Record(int64_t us) {
  const uint64_t value = static_cast<uint64_t>(std::max<int64_t>(us, 0));
  // Values below 64 are exact; above, the top seven bits choose the bucket.
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - 7);
  const size_t index = static_cast<size_t>(shift) * kSubBuckets + static_cast<size_t>(value >> shift);
  ++buckets_[std::min(index, buckets_.size() - 1)];
  ++count_;
}

void Latencies::Add(const Latencies& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
}

double Latencies::Quantile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t index = 0; index < buckets_.size(); ++index) {
    seen += buckets_[index];
    if (seen < wanted || buckets_[index] == 0) continue;
    // Values of a shift above 0 start at 64: the index of shift s runs from s * 64 + 64.
    const size_t shift = index < 2 * kSubBuckets ? 0 : index / kSubBuckets - 1;
    return static_cast<double>((index - shift * kSubBuckets) << shift);
  }
  return 0;
}

}  // namespace rivermeet::load
