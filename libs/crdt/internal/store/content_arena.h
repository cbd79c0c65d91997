// Where the texts and values of items lie.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_CONTENT_ARENA_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_CONTENT_ARENA_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "crdt/internal/store/run_marks.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

// Bytes, put one after the other in blocks and never moved or freed by themselves: whoever owns the contents copies
// them into a new arena once most of this one is garbage(). Two runs that lie end to end join without a copy, which is
// what typing gives; the ends of the last few runs that had to be copied have room behind them to grow into.
class ContentArena {
 public:
  // A copy of `bytes`, counted as live.
  std::string_view Add(std::string_view bytes);
  // `left` with `right` behind it; both are live and count as before.
  std::string_view Join(std::string_view left, std::string_view right);
  // `values`, which lie here, without the first `count`: in O(log n) once that much of their run was stepped over.
  std::string_view Skip(std::string_view values, uint64_t count) const;
  // The place `count` behind the start of `text`, which lies here: in O(log n) once its run was read.
  TextPlace Find(std::string_view text, TextUnit unit, uint64_t count) const;

  struct CutText {
    std::string_view left, right;
    bool lost_astral = false;  // a character of two units went
  };
  // Cuts `text` at `at`, its place `units` behind the start, inside a character or behind a lone high surrogate: both
  // UTF-16 units beside the cut become U+FFFD. Copies the shorter part.
  CutText CutCharacter(std::string_view text, const TextPlace& at);
  // `left`, which ends in a lone high surrogate, with `right` behind it, which starts with a low one: they become one
  // character. Both are live.
  std::string_view JoinCharacter(std::string_view left, std::string_view right);
  // `size` bytes aren't used any more.
  void Release(uint64_t size) { live_ -= size; }
  // `size` bytes that are in use already have a second user.
  void Share(uint64_t size) { live_ += size; }

  // Bytes taken from the heap.
  uint64_t bytes() const { return allocated_ + marks_.bytes(); }
  uint64_t live() const { return live_; }
  // Whether a copy of the live bytes would free most of what isn't room for more: the owner's cue to move all contents
  // to a new arena. Not so again before as much was added or released as was copied.
  bool mostly_garbage() const { return allocated_ - room_ - (limit_ - next_) > 2 * live_ + kSlack; }

 private:
  static constexpr uint64_t kSlack = 64 << 10;
  static constexpr uint64_t kFirstBlock = 256;
  static constexpr uint64_t kLargestBlock = 256 << 10;

  // A run with unused bytes behind it.
  struct Tail {
    const char* end = nullptr;
    const char* limit = nullptr;
  };

  char* Take(uint64_t size);
  void DropOldMarks() const;
  static void Overwrite(const char* at, std::string_view bytes);

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  char* limit_ = nullptr;
  uint64_t next_block_ = kFirstBlock;
  uint64_t allocated_ = 0;
  uint64_t live_ = 0;
  uint64_t room_ = 0;  // behind `tails_`
  std::array<Tail, 16> tails_;
  size_t next_tail_ = 0;
  mutable RunMarks marks_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_CONTENT_ARENA_H_
