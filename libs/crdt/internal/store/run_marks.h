// Finds places inside long runs of text or values without reading them from their start.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_RUN_MARKS_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_RUN_MARKS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "crdt/internal/wire/utf.h"
#include "crdt/text_unit.h"

namespace rivermeet::crdt::internal {

template <class Mark>
struct MarkedRun {
  const char* end = nullptr;
  std::vector<Mark> marks;  // of the places kMarkedValues, or kMarkedBytes, apart; the first is not at the start
};
template <class Mark>
using MarkedRuns = absl::btree_map<const char*, MarkedRun<Mark>>;

// Keeps of each run that is long and was asked for how much there is before every few values, or every few thousand
// bytes of text, as far as it was read. Runs are named by where they lie: they are cut, which changes no bytes, and go
// on behind their end, but don't move. One thread at a time.
class RunMarks {
 public:
  // `values` without the first `count`.
  std::string_view Skip(std::string_view values, uint64_t count);
  // The place `count` behind the start of `text`; the end when that has fewer.
  TextPlace Find(std::string_view text, TextUnit unit, uint64_t count);

  // The character of four bytes at `at` has become others, of the same bytes and UTF-16 units in all.
  void LoseAstral(const char* at);
  // From `at` on bytes have changed.
  void Forget(const char* at);

  void Clear();
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr uint64_t kMarkedValues = 8;
  static constexpr size_t kMarkedBytes = 4096;

  struct SmallSize {
    uint32_t utf16, astral;
  };

  // Of the first `bytes` of a run.
  TextSize MeasureUpTo(const char* run, const MarkedRun<SmallSize>& of, size_t bytes) const;
  void MarkUpTo(const char* run, MarkedRun<SmallSize>& of, size_t bytes);

  MarkedRuns<uint32_t> values_;  // marks: bytes
  MarkedRuns<SmallSize> texts_;
  uint64_t bytes_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_RUN_MARKS_H_
