// Who numbers the batches, so that the fold recognises a repeat.
#ifndef RIVERMEET_INGEST_PRODUCERS_H_
#define RIVERMEET_INGEST_PRODUCERS_H_

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace rivermeet::ingest {

// A batch's number.
struct Numbered {
  uint64_t producer_id = 0;
  uint64_t sequence = 0;
};

// What a record says for batch `batch` (from 0) of a request that a producer of `tenant` has numbered: the first 8
// bytes, little-endian, of SHA-256(tenant, a zero byte, producer id and batch number as little-endian 64-bit integers),
// with the sign bit clear. So a producer id means nothing to another tenant, and the batches of one body, which share
// its sequence, don't pass for each other.
uint64_t RecordProducer(std::string_view tenant, uint64_t producer_id, uint32_t batch);

// Numbers for requests that bring none, so that what ingest itself sends again is recognised. Thread-safe.
//
// The owner of a partition remembers 1,024 sequences of a producer: a number is given only while all given before it
// and not released are less than 512 behind; else by a further producer.
class ProducerLanes {
 public:
  static constexpr uint64_t kWindow = 512;

  Numbered Take();
  // The request is answered: nothing will be appended with this number any more.
  void Release(const Numbered& number);

  // Producers in use so far; for tests.
  size_t lanes() const;

 private:
  struct Lane {
    uint64_t producer_id;
    uint64_t next = 1;
    // Of the numbers from `next` - size() on: whether they are released. The first isn't.
    std::deque<bool> released;
  };

  mutable Mutex mutex_;
  std::vector<Lane> lanes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_PRODUCERS_H_
