// Deleting what an update names as deleted (yjs: utils/DeleteSet.js, readAndApplyDeleteSet).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_RANGE_DELETION_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_RANGE_DELETION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/clock_ranges.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// Takes one range after the other.
class RangeDeletion {
 public:
  // Both outlive this.
  RangeDeletion(Document& document, Transaction& transaction) : document_(document), transaction_(transaction) {}

  // Ranges may overlap: what one has deleted the next doesn't look at.
  void ExpectOverlaps() {
    if (overlaps_ == nullptr) overlaps_ = std::make_unique<Overlaps>();
  }
  // The next range; the one before is done.
  void Begin(uint64_t client, ClockRange range) {
    if (client != client_) passed_ = 0;
    client_ = client;
    left_ = range;
    cut_ = false;
  }
  // Goes on. True once all of the range that is there is deleted; the rest is added to `unknown`.
  bool Step(Budget& budget, WireDeleteSet& unknown);

 private:
  void CutOutDone();
  // Whether this transaction has deleted all that is left of the range, as it mostly has of what came deleted.
  bool IsDone(ClientIndex client);
  bool DeleteKnown(ClientIndex client, Budget& budget);

  Document& document_;
  Transaction& transaction_;
  uint64_t client_ = 0;
  ClockRange left_;
  bool cut_ = false;   // what was done before is cut out of the range
  size_t passed_ = 0;  // how many of the client's ranges in the transaction end before this one
  struct Overlaps {
    std::vector<ClockRange> gaps;  // what else is left of the range, the last one first
    ClockRanges done;              // gone through
  };
  std::unique_ptr<Overlaps> overlaps_;  // none when ranges don't
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_RANGE_DELETION_H_
