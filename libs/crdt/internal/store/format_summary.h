// What the formats of a stretch of text do to the attributes that hold before it.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_FORMAT_SUMMARY_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_FORMAT_SUMMARY_H_

#include "crdt/internal/store/attributes.h"
#include "crdt/internal/store/item.h"
#include "crdt/internal/store/keyed_list.h"

namespace rivermeet::crdt::internal {

// Formats one after the other, as short as their keys are many. Two stretches next to each other add up to one, which
// is how the attributes at any place are known in O(log n): AttributeMap's order of keys included.
class FormatSummary {
 public:
  // A format item behind what is here.
  void Append(const Item& format, ItemRef ref);
  // All of the stretch behind it.
  void Append(const FormatSummary& next);
  void ApplyTo(const ItemArena& items, AttributeMap& attributes) const;

 private:
  struct Entry {
    KeyIndex key;
    ItemRef last;  // the format that holds at the end; none when the attribute is gone
    bool cleared;  // it was gone at some place in between: what held before says nothing, also not of the key's place
  };

  void Set(KeyIndex key, ItemRef ref);
  void Clear(KeyIndex key, ItemRef ref);

  KeyedList<Entry> entries_;  // those with `last` in the order in which their keys came, or came again
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_FORMAT_SUMMARY_H_
