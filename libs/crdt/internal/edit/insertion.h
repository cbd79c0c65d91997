// Puts what callers hand over into the form of items, and fills new types.
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_INSERTION_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_INSERTION_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "crdt/insertable.h"
#include "crdt/internal/edit/edit_cost.h"
#include "crdt/internal/edit/editor.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// Where it is to go: what yjs refuses differs.
enum class Slot : uint8_t { kList, kEntry, kEmbed };

// Contents ready to insert; owns what they view.
class Prepared {
 public:
  // Plain values that stand beside each other in a list become one content.
  // INVALID_ARGUMENT for what the slot doesn't take: undefined and bigints in a list, what JSON lacks as an embed.
  // RESOURCE_EXHAUSTED when one content is over kMaxContentBytes.
  static absl::Status Prepare(absl::Span<const Insertable> values, Slot slot, Prepared& out);

  absl::Span<const WireContent> contents() const { return contents_; }
  // Of all of it, with what is inside.
  const EditCost& cost() const { return cost_; }
  // Fills the new type that content number `content` is, if it is one; `item` is what it became.
  void Fill(Editor& editor, size_t content, ItemRef item) const;

 private:
  absl::Status Add(const Insertable& value, Slot slot);
  absl::Status AddValue(const Any& value, Slot slot);
  absl::Status AddType(const NewType& type);
  absl::Status AddSubdocument(const NewSubdocument& document);

  struct Inside {
    size_t content;  // whose type it fills
    const NewType* type;
    std::deque<Prepared> items;    // none or one
    std::deque<Prepared> entries;  // one each
  };

  std::vector<WireContent> contents_;
  std::deque<std::string> bytes_;
  std::deque<Inside> insides_;  // in the order of their contents
  bool open_run_ = false;       // the last content takes more values
  EditCost cost_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_INSERTION_H_
