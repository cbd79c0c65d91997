// Does what a history of yjs did, in libs/crdt, and tells the first thing that came out otherwise.
#ifndef RIVERMEET_YJS_HISTORY_CHECK_H_
#define RIVERMEET_YJS_HISTORY_CHECK_H_

#include <cstdint>
#include <string>

#include "yjs/history_stream.h"
#include "yjs/yrs_check.h"

namespace rivermeet::yjs {

// What the histories checked so far were like.
struct CheckCounts {
  uint64_t histories = 0;
  uint64_t steps = 0;
  uint64_t results = 0;   // compared, each as a whole
  uint64_t stepwise = 0;  // histories with the bytes of the state after every step
  uint64_t pending = 0;   // steps after which something was pending
  uint64_t behind = 0;    // histories in which yjs fell behind
  uint64_t threw = 0;     // histories in which yjs threw
  // Histories that ended at a difference, in which yjs's search markers had lost their places by then.
  uint64_t misplaced = 0;
  YrsCounts yrs;
};

// Empty when everything came out as in yjs, as long as that is a measure; otherwise the first that didn't: step,
// result, both values.
std::string CheckHistory(const History& history, CheckCounts& counts);

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_HISTORY_CHECK_H_
