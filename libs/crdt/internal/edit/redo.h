// Brings deleted items back, for undo and redo (yjs: structs/Item.js, redoItem and followRedone).
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_REDO_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_REDO_H_

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "crdt/internal/edit/editor.h"

namespace rivermeet::crdt::internal {

// An item isn't revived: a new one with the same content takes its place, and the old one notes which (Item::kRedone).
// What it stood beside, or in, may itself have been brought back since, perhaps several times.
class Redoer {
 public:
  struct Rules {
    // What is to be brought back; a deleted parent that is in it comes back before what it holds.
    const absl::flat_hash_set<ItemRef>& wanted;
    // Whether the value with that id may be replaced by an older one that comes back: it is of the same user.
    absl::FunctionRef<bool(Id)> replaceable;
    // Whether others' values may be replaced too.
    bool ignore_remote_map_changes;
  };

  // All outlive this.
  Redoer(Document& document, Transaction& transaction, Editor& editor, const Rules& rules)
      : document_(document), transaction_(transaction), editor_(editor), rules_(rules) {}

  // Makes sure that `ref`, a deleted item, has one that took its place. False when it can't: it lies in something that
  // stays deleted, its key has got a value of somebody else's, or what it belongs to was collected. (There yjs throws.)
  bool Redo(ItemRef ref);
  // The item that took the place of `ref` in the end, `ref` itself when none did; perhaps a collected one.
  static ItemRef Latest(Document& document, Transaction& transaction, ItemRef ref);

 private:
  bool IsRedone(ItemRef ref) const { return (document_.items[ref].flags & Item::kRedone) != 0; }
  ItemRef Successor(ItemRef ref);
  ItemRef HolderOf(ItemRef ref) const { return document_.types[document_.items[ref].parent].item; }
  bool RedoBelowParent(ItemRef ref);
  void FindNeighbours(ItemRef ref, ItemRef holder, ItemRef& left, ItemRef& right);
  ItemRef TraceInto(ItemRef ref, ItemRef holder);
  bool FindValueToFollow(ItemRef ref, ItemRef holder, TypeIndex parent, ItemRef& left);
  void Copy(ItemRef ref, TypeIndex parent, ItemRef left, ItemRef right);

  Document& document_;
  Transaction& transaction_;
  Editor& editor_;
  const Rules rules_;
  std::vector<ItemRef> waiting_;
  // By the holder of a list: the item that came back there last, if nothing right of where it was ever did.
  absl::flat_hash_map<ItemRef, ItemRef> last_in_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_REDO_H_
