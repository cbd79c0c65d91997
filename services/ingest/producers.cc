#include "ingest/producers.h"

#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/sha256.h"
#include "base/status.h"

namespace rivermeet::ingest {

uint64_t RecordProducer(std::string_view tenant, uint64_t producer_id, uint32_t batch) {
  std::string text(tenant);
  text += '\0';
  AppendLittleEndian(text, producer_id);
  AppendLittleEndian(text, uint64_t{batch});
  const uint64_t id = LoadLittleEndian<uint64_t>(Sha256(text).data()) & INT64_MAX;
  // 0 says that nobody numbered it.
  return id == 0 ? 1 : id;
}

Numbered ProducerLanes::Take() {
  MutexLock lock(mutex_);
  for (Lane& lane : lanes_) {
    if (lane.released.size() >= kWindow) continue;
    lane.released.push_back(false);
    return {lane.producer_id, lane.next++};
  }
  lanes_.push_back({.producer_id = RandomId(), .next = 2, .released = {false}});
  return {lanes_.back().producer_id, 1};
}

void ProducerLanes::Release(const Numbered& number) {
  MutexLock lock(mutex_);
  for (Lane& lane : lanes_) {
    if (lane.producer_id != number.producer_id) continue;
    const uint64_t first = lane.next - lane.released.size();
    RM_CHECK(number.sequence >= first && number.sequence < lane.next);
    lane.released[number.sequence - first] = true;
    while (!lane.released.empty() && lane.released.front()) lane.released.pop_front();
    return;
  }
}

size_t ProducerLanes::lanes() const {
  MutexLock lock(mutex_);
  return lanes_.size();
}

}  // namespace rivermeet::ingest
