#include "crdt/internal/store/search_markers.h"

#include <algorithm>
#include <cstdlib>

namespace rivermeet::crdt::internal {

namespace {

bool Counts(const Item& item) { return !item.deleted() && item.countable(); }

// Could once have been merged with its left neighbour, and may yet be.
bool ContinuesLeft(const ItemArena& items, ItemRef ref) {
  const Item& item = items[ref];
  if (item.left == kNoItem) return false;
  const Item& left = items[item.left];
  return left.id.client == item.id.client && left.end_clock() == item.id.clock;
}

}  // namespace

void SearchMarkers::Move(ItemArena& items, Marker& marker, ItemRef item, int64_t index) {
  items[marker.item].flags &= ~Item::kMarked;
  marker.item = item;
  items[item].flags |= Item::kMarked;
  marker.index = index;
  marker.used = clock_++;
}

const SearchMarkers::Marker* SearchMarkers::Mark(ItemArena& items, ItemRef item, int64_t index) {
  if (markers_.size() < kMost) {
    items[item].flags |= Item::kMarked;
    markers_.push_back({item, index, clock_++});
    return &markers_.back();
  }
  const auto oldest = std::min_element(markers_.begin(), markers_.end(),
                                       [](const Marker& a, const Marker& b) { return a.used < b.used; });
  Move(items, *oldest, item, index);
  return &*oldest;
}

const SearchMarkers::Marker* SearchMarkers::Find(ItemArena& items, ItemRef start, uint32_t length, uint64_t wanted) {
  if (start == kNoItem || wanted == 0) return nullptr;
  const int64_t index = static_cast<int64_t>(wanted);
  Marker* nearest = nullptr;
  for (Marker& marker : markers_) {
    if (nearest == nullptr || std::abs(index - nearest->index) >= std::abs(index - marker.index)) nearest = &marker;
  }
  ItemRef at = start;
  int64_t at_index = 0;
  if (nearest != nullptr) {
    at = nearest->item;
    at_index = nearest->index;
    nearest->used = clock_++;
  }
  while (items[at].right != kNoItem && at_index < index) {
    if (Counts(items[at])) {
      if (index < at_index + items[at].length) break;
      at_index += items[at].length;
    }
    at = items[at].right;
  }
  const auto step_left = [&] {
    at = items[at].left;
    if (Counts(items[at])) at_index -= items[at].length;
  };
  while (items[at].left != kNoItem && at_index > index) step_left();
  while (ContinuesLeft(items, at)) step_left();
  if (nearest != nullptr && std::abs(nearest->index - at_index) < static_cast<double>(length) / kMost) {
    Move(items, *nearest, at, at_index);
    return nearest;
  }
  return Mark(items, at, at_index);
}

void SearchMarkers::Changed(ItemArena& items, uint64_t at, int64_t units) {
  const int64_t index = static_cast<int64_t>(at);
  for (size_t i = markers_.size(); i-- > 0;) {
    Marker& marker = markers_[i];
    if (units > 0) {
      ItemRef item = marker.item;
      items[item].flags &= ~Item::kMarked;
      while (item != kNoItem && !Counts(items[item])) {
        item = items[item].left;
        if (item != kNoItem && Counts(items[item])) marker.index -= items[item].length;
      }
      if (item == kNoItem || (items[item].flags & Item::kMarked) != 0) {
        markers_.erase(markers_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      marker.item = item;
      items[item].flags |= Item::kMarked;
    }
    if (index < marker.index || (units > 0 && index == marker.index))
      marker.index = std::max(index, marker.index + units);
  }
}

void SearchMarkers::Merging(const ItemArena& items, ItemRef left, ItemRef right) {
  for (Marker& marker : markers_) {
    if (marker.item != right) continue;
    marker.item = left;
    if (Counts(items[left])) marker.index -= items[left].length;
  }
}

}  // namespace rivermeet::crdt::internal
