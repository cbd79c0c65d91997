#include "crdt/internal/wire/merge_order.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "crdt/internal/wire/v8_sort.h"
#include "crdt/update.h"

namespace rivermeet::crdt::internal {

namespace {

bool Precedes(const MergeHead& a, const MergeHead& b) {
  return a.client != b.client ? a.client > b.client : a.clock < b.clock;
}

bool Contradict(const MergeHead& a, const MergeHead& b) {
  return a.gc != b.gc && a.client == b.client && a.clock == b.clock;
}

}  // namespace

bool MergeOrder::ByPlace::operator()(const Place& a, const Place& b) const {
  if (a.head.client != b.head.client) return a.head.client > b.head.client;
  if (a.head.clock != b.head.clock) return a.head.clock < b.head.clock;
  return a.stamp < b.stamp;
}

MergeOrder::MergeOrder(std::vector<MergeHead> heads)
    : size_(heads.size()), exact_(heads.size() <= kMaxMergedExactly), array_(std::move(heads)) {
  if (empty()) return;
  for (const MergeHead& head : array_) (head.gc ? has_gcs_ : has_items_) = true;
  std::vector<MergeHead> given;
  if (!std::is_sorted(array_.begin(), array_.end(), Precedes)) {
    given = array_;
    std::stable_sort(array_.begin(), array_.end(), Precedes);
  }
  if (exact_ && std::adjacent_find(array_.begin(), array_.end(), Contradict) != array_.end()) {
    if (!given.empty()) array_ = std::move(given);
    SortAnew();
  } else {
    TakeFront();
  }
}

void MergeOrder::ReplaceFront(const MergeHead& head) {
  (head.gc ? has_gcs_ : has_items_) = true;
  if (has_pair_) {
    array_[first_] = head;
    return SortAnew();
  }
  front_ = head;
  if (MakesPair(head)) {
    GatherArray();
    return SortAnew();
  }
  if ((tree_.empty() || !Precedes(tree_.begin()->head, head)) &&
      (first_ == array_.size() || !Precedes(array_[first_], head))) {
    return;
  }
  tree_.insert({head, --lowest_stamp_});
  TakeFront();
}

void MergeOrder::RemoveFront() {
  if (--size_ == 0) return;
  if (!has_pair_) return TakeFront();
  ++first_;
  SortAnew();
}

void MergeOrder::TakeFront() {
  if (!tree_.empty() && (first_ == array_.size() || !Precedes(array_[first_], tree_.begin()->head))) {
    front_ = tree_.begin()->head;
    tree_.erase(tree_.begin());
  } else {
    front_ = array_[first_++];
  }
}

// All equals of `head` are of one kind: any of them tells.
bool MergeOrder::MakesPair(const MergeHead& head) const {
  if (!exact_ || !has_items_ || !has_gcs_) return false;
  const auto touched = tree_.lower_bound({head, lowest_stamp_});
  if (touched != tree_.end() && Contradict(head, touched->head)) return true;
  const auto untouched = std::lower_bound(array_.begin() + first_, array_.end(), head, Precedes);
  return untouched != array_.end() && Contradict(head, *untouched);
}

// Puts all into the array, the front first.
void MergeOrder::GatherArray() {
  std::vector<MergeHead> all = {front_};
  while (all.size() < size_) {
    TakeFront();
    all.push_back(front_);
  }
  array_ = std::move(all);
  first_ = 0;
}

void MergeOrder::SortAnew() {
  bool has_pair = false;  // in the end neighbours have been compared
  SortAsV8(absl::MakeSpan(array_).subspan(first_), [&has_pair](const MergeHead& a, const MergeHead& b) {
    if (a.client != b.client) return a.client > b.client;
    if (a.clock != b.clock) return a.clock < b.clock;
    if (a.gc == b.gc) return false;
    has_pair = true;
    return true;
  });
  has_pair_ = has_pair;
  front_ = array_[first_];
  if (!has_pair) ++first_;
}

}  // namespace rivermeet::crdt::internal
