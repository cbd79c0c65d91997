#include "crdt/internal/store/position_index.h"

#include <random>
#include <vector>

#include "catch2/catch.hpp"

namespace rivermeet::crdt::internal {
namespace {

// A list of items without a document, and what the index should say of it.
class ItemList {
 public:
  ItemArena items;
  ItemRef start = kNoItem;

  // A format sets or takes away one of four attributes.
  ItemRef InsertAfter(ItemRef left, uint32_t length, uint32_t astral, bool format) {
    items.Reserve(2);
    const ItemRef ref = items.Allocate();
    Item& item = items[ref];
    item.length = format ? 1 : length;
    item.kind = format ? ContentKind::kFormat : ContentKind::kString;
    item.flags = format ? 0 : Item::kCountable;
    item.size = length + astral;
    item.extra = format ? 1 + length % 4 : astral;
    if (format) {
      const AttributeValue value = astral > 0 ? kNullValue : AttributeValue("\x78");
      item.data = value.data();
      item.size = static_cast<uint32_t>(value.size());
    }
    item.left = left;
    item.right = left == kNoItem ? start : items[left].right;
    (left == kNoItem ? start : items[left].right) = ref;
    if (item.right != kNoItem) items[item.right].left = ref;
    return ref;
  }
  ItemRef Split(ItemRef left, uint32_t units) {
    const ItemRef right = InsertAfter(left, items[left].length - units, 0, false);
    items[right].flags = items[left].flags;
    items[right].extra = std::min(items[left].extra, items[right].length);
    items[right].size = items[right].length + items[right].extra;
    items[left].length = units;
    items[left].extra -= items[right].extra;
    items[left].size = units + items[left].extra;
    return right;
  }
  void MergeIntoLeft(ItemRef right) {
    Item& item = items[right];
    Item& left = items[item.left];
    left.length += item.length;
    left.size += item.size;
    left.extra += item.extra;
    left.right = item.right;
    if (item.right != kNoItem) items[item.right].left = item.left;
    items.Free(right);
  }
  std::vector<ItemRef> All() const {
    std::vector<ItemRef> all;
    for (ItemRef ref = start; ref != kNoItem; ref = items[ref].right) all.push_back(ref);
    return all;
  }
};

uint32_t Counted(const Extent& extent, PositionIndex::Unit unit) {
  if (unit == PositionIndex::Unit::kUtf8) return extent.bytes;
  return unit == PositionIndex::Unit::kUtf16 ? extent.units : extent.units - extent.astral;
}

std::vector<std::pair<KeyIndex, const char*>> Told(const AttributeMap& attributes) {
  std::vector<std::pair<KeyIndex, const char*>> told;
  for (const auto& [key, value] : attributes) told.emplace_back(key, value.data());
  return told;
}

void CheckSame(const ItemList& list, PositionIndex& index) {
  Extent before;
  AttributeMap attributes;
  ItemRef last = kNoItem;
  size_t number = 0;
  for (const ItemRef ref : list.All()) {
    const Extent extent = ExtentOf(list.items[ref]);
    REQUIRE(index.Before(ref) == before);
    if (extent.formats > 0) attributes.Apply(list.items[ref].extra, list.items[ref].bytes());
    if (number++ % 16 == 0) {
      AttributeMap found;
      index.FormatsUpTo(ref).ApplyTo(list.items, found);
      REQUIRE(Told(found) == Told(attributes));
    }
    for (const auto unit : {PositionIndex::Unit::kUtf16, PositionIndex::Unit::kUtf8, PositionIndex::Unit::kCodePoint}) {
      for (uint32_t i = 0; i < Counted(extent, unit); i += 3) {
        const PositionIndex::Place place = index.Find(Counted(before, unit) + i, unit);
        REQUIRE(place.item == ref);
        REQUIRE(place.before == before);
      }
    }
    before.Add(extent);
    last = ref;
  }
  REQUIRE(index.total() == before);
  REQUIRE(index.Last() == last);
  REQUIRE(index.Find(before.units).item == kNoItem);
}

// One question straight after a change, when what is remembered or not counted yet would show.
void CheckAt(const ItemList& list, PositionIndex& index, ItemRef wanted, uint32_t question) {
  Extent before;
  AttributeMap attributes;
  for (ItemRef ref = list.start;; ref = list.items[ref].right) {
    const Extent extent = ExtentOf(list.items[ref]);
    if (extent.formats > 0) attributes.Apply(list.items[ref].extra, list.items[ref].bytes());
    if (ref == wanted) break;
    before.Add(extent);
  }
  if (question == 0) {
    REQUIRE(index.Before(wanted) == before);
  } else if (question == 1) {
    AttributeMap found;
    index.FormatsUpTo(wanted).ApplyTo(list.items, found);
    REQUIRE(Told(found) == Told(attributes));
  } else {
    const auto unit = question == 2 ? PositionIndex::Unit::kUtf8 : PositionIndex::Unit::kUtf16;
    if (Counted(ExtentOf(list.items[wanted]), unit) == 0) return;
    const PositionIndex::Place place = index.Find(Counted(before, unit), unit);
    REQUIRE(place.item == wanted);
    REQUIRE(place.before == before);
  }
}

TEST_CASE("an index that follows every change finds what a walk finds, in every unit", "[crdt]") {
  const uint32_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  ItemList list;
  std::vector<ItemRef> all;
  for (int i = 0; i < 500; ++i) list.InsertAfter(kNoItem, 1 + random() % 5, random() % 2, random() % 8 == 0);
  PositionIndex index(list.items, list.start);
  CheckSame(list, index);
  for (int step = 0; step < 6'000; ++step) {
    if (step % 64 == 0) all = list.All();
    const ItemRef ref = all[random() % all.size()];
    Item& item = list.items[ref];
    const Extent before = ExtentOf(item);
    // After 4,000 steps mostly merging, so that segments empty and nodes go.
    const bool shrinking = step > 4'000;
    switch (random() % (shrinking ? 8 : 4)) {
      case 0:
        index.Inserted(
            list.InsertAfter(random() % 50 == 0 ? kNoItem : ref, 1 + random() % 5, random() % 2, random() % 8 == 0));
        break;
      case 1:
        if (item.kind == ContentKind::kString && item.length > 1) index.Split(list.Split(ref, 1), before);
        break;
      case 2:
        if (item.deleted()) break;
        item.flags |= Item::kDeleted;
        index.Changed(ref, before);
        break;
      default: {
        const ItemRef right = item.right;
        if (right == kNoItem || list.items[right].kind != item.kind || list.items[right].flags != item.flags) break;
        if (item.kind == ContentKind::kFormat) break;
        index.Merging(right);
        list.MergeIntoLeft(right);
        all = list.All();
      }
    }
    CheckAt(list, index, random() % 2 == 0 ? ref : all[random() % all.size()], random() % 8);
    if (step % 500 == 0) CheckSame(list, index);
  }
  CheckSame(list, index);
}

TEST_CASE("an index tells the first format of a stretch that had none", "[crdt]") {
  ItemList list;
  for (int i = 0; i < 200; ++i) list.InsertAfter(kNoItem, 1, 0, false);
  PositionIndex index(list.items, list.start);
  index.Inserted(list.InsertAfter(list.start, 1, 0, true));
  AttributeMap found;
  index.FormatsUpTo(index.Last()).ApplyTo(list.items, found);
  CHECK(!found.empty());
}

TEST_CASE("an index of an empty list takes the first item", "[crdt]") {
  ItemList list;
  PositionIndex index(list.items, list.start);
  CHECK(index.Last() == kNoItem);
  CHECK(index.Find(0).item == kNoItem);
  index.Inserted(list.InsertAfter(kNoItem, 3, 0, false));
  CheckSame(list, index);
  // As many as fill nodes, so that the root grows twice.
  for (int i = 0; i < 10'000; ++i) index.Inserted(list.InsertAfter(list.start, 1, 0, false));
  CheckSame(list, index);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
