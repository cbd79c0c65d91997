// Sorts as V8 does, comparison by comparison: for comparators that contradict themselves, where the order that comes
// out is a property of the algorithm.
//
// It follows V8 11.3 (Node.js 20), third_party/v8/builtins/array-sort.tq, and what that follows, CPython's
// Objects/listsort.txt: natural runs, lengthened to a least length by binary insertion, merged on a stack by galloping.
// Later versions of V8 differ for fewer than 10 elements (they insert from the first one on, without looking for a
// run); for comparators that don't contradict themselves all give the same, a stable sort.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_V8_SORT_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_V8_SORT_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace rivermeet::crdt::internal {

// `before`(a, b) is true where the JavaScript comparator gives less than 0. O(n log n) calls whatever it says, O(n) for
// few ascending runs.
template <class T, class Before>
class V8Sort {
 public:
  static void Sort(absl::Span<T> items, Before before) {
    if (items.size() >= 2) V8Sort(items, before).Run();
  }

 private:
  using Index = std::ptrdiff_t;
  static constexpr Index kFirstGallop = 7;

  struct RunOfItems {
    Index start;
    Index length;
  };

  V8Sort(absl::Span<T> items, Before& before) : items_(items.data()), size_(items.size()), before_(before) {}

  void Run() {
    const Index least = LeastRun(size_);
    for (Index start = 0; start < size_;) {
      Index length = FindRun(start);
      if (length < least) {
        const Index forced = std::min(least, size_ - start);
        InsertFrom(start, start + length, start + forced);
        length = forced;
      }
      runs_.push_back({start, length});
      MergeWhereUneven();
      start += length;
    }
    while (runs_.size() > 1) {
      const Index last = runs_.size() - 1;
      MergeRuns(last >= 2 && Length(last - 2) < Length(last) ? last - 2 : last - 1);
    }
  }

  // The six highest bits of `size`, one more where a lower bit is set.
  static Index LeastRun(Index size) {
    Index lost = 0;
    for (; size >= 64; size >>= 1) lost |= size & 1;
    return size + lost;
  }

  // The length of the ascending run at `start`; a descending one is turned round.
  Index FindRun(Index start) {
    Index end = start + 1;
    if (end == size_) return 1;
    const bool descending = before_(items_[end], items_[end - 1]);
    do ++end;
    while (end < size_ && before_(items_[end], items_[end - 1]) == descending);
    if (descending) std::reverse(items_ + start, items_ + end);
    return end - start;
  }

  // Inserts [from, end) into the run [start, from), one after the other.
  void InsertFrom(Index start, Index from, Index end) {
    for (; from < end; ++from) {
      const T item = items_[from];
      const Index place = Search(start, from, [&](Index i) { return !before_(item, items_[i]); });
      std::copy_backward(items_ + place, items_ + from, items_ + from + 1);
      items_[place] = item;
    }
  }

  // --- the stack of runs: each is to be longer than the next two together
  Index Length(Index run) const { return runs_[run].length; }
  bool IsEven(Index run) const { return run < 2 || Length(run - 2) > Length(run - 1) + Length(run); }

  void MergeWhereUneven() {
    while (runs_.size() > 1) {
      const Index last = runs_.size() - 1;
      if (!IsEven(last) || !IsEven(last - 1)) {
        MergeRuns(Length(last - 2) < Length(last) ? last - 2 : last - 1);
      } else if (Length(last - 1) <= Length(last)) {
        MergeRuns(last - 1);
      } else {
        return;
      }
    }
  }

  // Merges `run` with the next.
  void MergeRuns(Index run) {
    auto [left, left_size] = runs_[run];
    const auto [right, right_length] = runs_[run + 1];
    Index right_size = right_length;
    runs_[run].length += right_size;
    runs_.erase(runs_.begin() + run + 1);

    // What of the left run stays in front, and what of the right one behind.
    const Index kept = CountNotAfter(items_[right], items_ + left, left_size, 0);
    left += kept;
    left_size -= kept;
    if (left_size == 0) return;
    right_size = CountBefore(items_[right - 1], items_ + right, right_size, right_size - 1);
    if (right_size == 0) return;
    if (left_size <= right_size) {
      MergeForward(left, left_size, right, right_size);
    } else {
      MergeBackward(left, left_size, right, right_size);
    }
  }

  // --- galloping: outwards from `hint` in steps of 1, 3, 7, ..., then a binary search in between
  Index CountBefore(const T& key, const T* run, Index size, Index hint) {
    return Gallop(size, hint, [&](Index i) { return before_(run[i], key); });
  }
  Index CountNotAfter(const T& key, const T* run, Index size, Index hint) {
    return Gallop(size, hint, [&](Index i) { return !before_(key, run[i]); });
  }

  template <class IsLeft>
  static Index Gallop(Index size, Index hint, IsLeft is_left) {
    const bool rightwards = is_left(hint);
    const Index most = rightwards ? size - hint : hint + 1;
    Index inside = 0;
    Index step = 1;
    while (step < most && is_left(rightwards ? hint + step : hint - step) == rightwards) {
      inside = step;
      step = 2 * step + 1;
    }
    step = std::min(step, most);
    return rightwards ? Search(hint + inside + 1, hint + step, is_left)
                      : Search(hint - step + 1, hint - inside, is_left);
  }

  template <class IsLeft>
  static Index Search(Index low, Index high, IsLeft is_left) {
    while (low < high) {
      const Index middle = low + (high - low) / 2;
      if (is_left(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // --- merging neighbours, the shorter one through a copy. The first of the right run is known to come first, the last
  // of the left one to come last; with a contradicting comparator either can run out early.
  void MergeForward(Index left, Index left_size, Index right, Index right_size) {
    copy_.assign(items_ + left, items_ + left + left_size);
    const T* a = copy_.data();
    const T* const a_end = a + left_size;
    const T* b = items_ + right;
    const T* const b_end = b + right_size;
    T* to = items_ + left;
    const auto take = [&to](const T*& from, Index count) {
      to = std::copy(from, from + count, to);
      from += count;
    };
    // What is left when one side has run out, or only the last of `a`.
    const auto finish = [&] {
      if (a_end - a == 1) take(b, b_end - b);
      std::copy(a, a_end, to);
    };

    take(b, 1);
    if (b == b_end || a_end - a == 1) return finish();
    for (;;) {
      Index a_wins = 0;
      Index b_wins = 0;
      do {
        if (before_(*b, *a)) {
          take(b, 1);
          ++b_wins;
          a_wins = 0;
          if (b == b_end) return finish();
        } else {
          take(a, 1);
          ++a_wins;
          b_wins = 0;
          if (a_end - a == 1) return finish();
        }
      } while (a_wins < gallop_ && b_wins < gallop_);
      ++gallop_;
      do {
        gallop_ = std::max<Index>(1, gallop_ - 1);
        a_wins = CountNotAfter(*b, a, a_end - a, 0);
        take(a, a_wins);
        if (a_end - a <= 1) return finish();
        take(b, 1);
        if (b == b_end) return finish();
        b_wins = CountBefore(*a, b, b_end - b, 0);
        take(b, b_wins);
        if (b == b_end) return finish();
        take(a, 1);
        if (a_end - a == 1) return finish();
      } while (a_wins >= kFirstGallop || b_wins >= kFirstGallop);
      ++gallop_;
    }
  }

  // The same from the back.
  void MergeBackward(Index left, Index left_size, Index right, Index right_size) {
    copy_.assign(items_ + right, items_ + right + right_size);
    const T* const a = items_ + left;
    const T* a_end = a + left_size;
    const T* const b = copy_.data();
    const T* b_end = b + right_size;
    T* to = items_ + right + right_size;
    const auto take = [&to](const T*& end, Index count) {
      to = std::copy_backward(end - count, end, to);
      end -= count;
    };
    const auto finish = [&] {
      if (b_end - b == 1) take(a_end, a_end - a);
      std::copy_backward(b, b_end, to);
    };

    take(a_end, 1);
    if (a_end == a || b_end - b == 1) return finish();
    for (;;) {
      Index a_wins = 0;
      Index b_wins = 0;
      do {
        if (before_(b_end[-1], a_end[-1])) {
          take(a_end, 1);
          ++a_wins;
          b_wins = 0;
          if (a_end == a) return finish();
        } else {
          take(b_end, 1);
          ++b_wins;
          a_wins = 0;
          if (b_end - b == 1) return finish();
        }
      } while (a_wins < gallop_ && b_wins < gallop_);
      ++gallop_;
      do {
        gallop_ = std::max<Index>(1, gallop_ - 1);
        const Index a_size = a_end - a;
        a_wins = a_size - CountNotAfter(b_end[-1], a, a_size, a_size - 1);
        take(a_end, a_wins);
        if (a_end == a) return finish();
        take(b_end, 1);
        if (b_end - b == 1) return finish();
        const Index b_size = b_end - b;
        b_wins = b_size - CountBefore(a_end[-1], b, b_size, b_size - 1);
        take(b_end, b_wins);
        if (b_end - b <= 1) return finish();
        take(a_end, 1);
        if (a_end == a) return finish();
      } while (a_wins >= kFirstGallop || b_wins >= kFirstGallop);
      ++gallop_;
    }
  }

  T* const items_;
  const Index size_;
  Before& before_;
  std::vector<RunOfItems> runs_;
  std::vector<T> copy_;
  Index gallop_ = kFirstGallop;  // wins in a row from which on a merge gallops
};

template <class T, class Before>
void SortAsV8(absl::Span<T> items, Before before) {
  V8Sort<T, Before>::Sort(items, before);
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_V8_SORT_H_
