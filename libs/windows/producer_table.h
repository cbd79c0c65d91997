// Tells repeats of numbered batches from new ones, in bounded memory.
#ifndef RIVERMEET_WINDOWS_PRODUCER_TABLE_H_
#define RIVERMEET_WINDOWS_PRODUCER_TABLE_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace rivermeet::windows {

enum class SequenceCheck {
  kNew,     // fold it
  kRepeat,  // it was folded before
  kStale,   // below the window: whether it was folded can't be told
};

// Of one partition: per producer the highest sequence and which of the kWindow sequences up to it were seen.
// Not thread-safe.
class ProducerTable {
 public:
  static constexpr uint64_t kWindow = 1024;
  // By log time, since the producer's last batch.
  static constexpr int64_t kForgetAfterUs = int64_t{7} * 24 * 3600 * 1'000'000;

  struct Producer {
    uint64_t highest = 0;
    int64_t seen_us = 0;
    // Bit (sequence % kWindow) for the sequences in (highest - kWindow, highest].
    std::array<uint64_t, kWindow / 64> seen{};
    bool operator==(const Producer&) const = default;
  };

  // Records that (producer, sequence) arrived at log time `now_us`. A producer that was forgotten starts anew: any
  // sequence is taken as its first. Producer 0 numbers nothing: always kNew.
  SequenceCheck Check(uint64_t producer, uint64_t sequence, int64_t now_us);

  // Those not forgotten at `now_us`, by id. The same log gives the same list, whenever it is asked.
  std::vector<std::pair<uint64_t, Producer>> Sorted(int64_t now_us) const;
  void Restore(uint64_t id, const Producer& producer) { producers_[id] = producer; }

  // Frees the memory of those forgotten at `now_us`.
  void Purge(int64_t now_us);
  size_t size() const { return producers_.size(); }

 private:
  absl::flat_hash_map<uint64_t, Producer> producers_;
};

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_PRODUCER_TABLE_H_
