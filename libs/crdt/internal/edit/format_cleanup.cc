#include "crdt/internal/edit/format_cleanup.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace rivermeet::crdt::internal {

// A format that still has its effect.
bool FormatCleanup::Holds(ItemRef ref) const {
  const Item& item = document_.items[ref];
  return item.kind == ContentKind::kFormat && !item.deleted();
}

void FormatCleanup::CleanUpGap(ItemRef start, ItemRef current, const AttributeMap& at_start, AttributeMap& at_current) {
  ItemRef end = start;
  absl::flat_hash_map<KeyIndex, ItemRef> last;
  while (end != kNoItem && (!document_.items[end].countable() || document_.items[end].deleted())) {
    if (Holds(end)) last[document_.items[end].extra] = end;
    end = document_.items[end].right;
  }
  bool reached = false;
  for (ItemRef ref = start; ref != end; ref = document_.items[ref].right) {
    if (ref == current) reached = true;
    if (!Holds(ref)) continue;
    const KeyIndex key = document_.items[ref].extra;
    const AttributeValue value = document_.items[ref].bytes();
    const AttributeValue before = at_start.GetOrNull(key);
    const bool repeats = Identical(before, value);
    if (last.at(key) != ref || repeats) {
      document_.Delete(transaction_, ref);
      if (!reached && Identical(at_current.GetOrNull(key), value) && !repeats) at_current.Apply(key, before);
    }
    if (!reached && Holds(ref)) at_current.Apply(key, value);
  }
}

// Around `ref`, in the gap that it lies in: of several formats of one key only the last says something. A gap is gone
// through once: a long one's items are noted in `tidied`.
void FormatCleanup::CleanUpContextless(ItemRef ref, absl::flat_hash_set<ItemRef>& tidied) {
  if (tidied.contains(ref)) return;
  const auto in_gap = [this](ItemRef candidate) {
    return document_.items[candidate].deleted() || !document_.items[candidate].countable();
  };
  while (document_.items[ref].right != kNoItem && in_gap(document_.items[ref].right)) ref = document_.items[ref].right;
  constexpr uint32_t kLongGap = 16;
  absl::flat_hash_set<KeyIndex> seen;
  for (uint32_t passed = 0; ref != kNoItem && in_gap(ref); ref = document_.items[ref].left) {
    if (++passed > kLongGap) tidied.insert(ref);
    if (Holds(ref) && !seen.insert(document_.items[ref].extra).second) document_.Delete(transaction_, ref);
  }
}

// As in yjs only what stands before the first visible item is tidied: from there on it looks for a gap where that item
// is, and finds none.
void FormatCleanup::CleanUpText(TypeIndex text) {
  const ItemRef start = document_.types[text].start;
  AttributeMap current;
  for (ItemRef end = start; end != kNoItem; end = document_.items[end].right) {
    const Item& item = document_.items[end];
    if (item.deleted()) continue;
    if (item.kind != ContentKind::kFormat) return CleanUpGap(start, end, {}, current);
    current.Apply(item.extra, item.bytes());
  }
}

void FormatCleanup::After(Transaction& brought) {
  std::vector<TypeIndex> whole;  // texts that got or lost a format
  absl::flat_hash_set<TypeIndex> is_whole;
  const auto add = [&](TypeIndex text) {
    if (is_whole.insert(text).second) whole.push_back(text);
  };
  std::vector<Transaction::Touched> touched = brought.touched;
  std::sort(touched.begin(), touched.end(), [](const auto& a, const auto& b) { return a.client < b.client; });
  for (const auto& [client, before] : touched) {
    const StructList& list = document_.structs[client].structs;
    for (StructList::Position at = list.Find(before); list.Valid(at); at = list.Next(at)) {
      const ItemRef ref = list.ItemAt(at);
      if (Holds(ref)) add(document_.items[ref].parent);
    }
  }
  absl::flat_hash_set<ItemRef> tidied;
  for (size_t d = 0; d < brought.deleted().size(); ++d) {
    const ClientIndex client = brought.deleted()[d].client;
    const StructList& list = document_.structs[client].structs;
    for (const ClockRange range : brought.deleted()[d].ranges) {
      for (StructList::Position at = list.Find(static_cast<uint32_t>(range.clock));
           list.Valid(at) && list[at].clock < range.clock + range.length; at = list.Next(at)) {
        const Item& item = document_.items[list.ItemAt(at)];
        if (item.is_gc() || !document_.types[item.parent].has_formatting) continue;
        if (is_whole.contains(item.parent)) continue;
        if (item.kind == ContentKind::kFormat) {
          add(item.parent);
        } else {
          CleanUpContextless(list.ItemAt(at), tidied);
        }
      }
    }
  }
  for (const TypeIndex text : whole) CleanUpText(text);
}

}  // namespace rivermeet::crdt::internal
