// Where the events of one stream in one partition went.
#ifndef RIVERMEET_WINDOWS_LEDGER_H_
#define RIVERMEET_WINDOWS_LEDGER_H_

#include <cstdint>

namespace rivermeet::windows {

// In events, of the records that the fold has seen. A repeat counts each time it arrives.
struct Ledger {
  uint64_t appended = 0;
  uint64_t rejected = 0;
  uint64_t folded = 0;
  uint64_t deduplicated = 0;
  uint64_t stale = 0;
  uint64_t too_late = 0;
  // Of series beyond the limit.
  uint64_t over_series_limit = 0;

  uint64_t received() const { return appended + rejected; }
  bool balanced() const { return appended == folded + deduplicated + stale + too_late + over_series_limit; }
  bool operator==(const Ledger&) const = default;
};

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_LEDGER_H_
