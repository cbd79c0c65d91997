#include "crdt/internal/store/format_summary.h"

namespace rivermeet::crdt::internal {

void FormatSummary::Set(KeyIndex key, ItemRef ref) {
  Entry* entry = entries_.Find(key);
  if (entry == nullptr) {
    entries_.Add({key, ref, false});
  } else if (entry->last != kNoItem) {
    entry->last = ref;
  } else {
    Clear(key, ref);
  }
}

void FormatSummary::Clear(KeyIndex key, ItemRef ref) {
  entries_.Erase(key);
  entries_.Add({key, ref, true});
}

void FormatSummary::Append(const Item& format, ItemRef ref) {
  if (format.bytes() == kNullValue) {
    Clear(format.extra, kNoItem);
  } else {
    Set(format.extra, ref);
  }
}

void FormatSummary::Append(const FormatSummary& next) {
  for (const Entry& entry : next.entries_) {
    if (entry.cleared) {
      Clear(entry.key, entry.last);
    } else {
      Set(entry.key, entry.last);
    }
  }
}

void FormatSummary::ApplyTo(const ItemArena& items, AttributeMap& attributes) const {
  for (const Entry& entry : entries_) {
    if (entry.cleared) attributes.Erase(entry.key);
    if (entry.last != kNoItem) attributes.Set(entry.key, items[entry.last].bytes());
  }
}

}  // namespace rivermeet::crdt::internal
