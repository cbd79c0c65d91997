// Local edits of lists and maps (yjs: types/AbstractType.js): by index, inside a transaction. text_editor.h has those
// of texts.
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_EDITOR_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_EDITOR_H_

#include <string_view>

#include "absl/status/status.h"
#include "crdt/internal/integrate/integrator.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

class Prepared;

class Editor {
 public:
  // Edits are those of `client`.
  Editor(Document& document, Transaction& transaction, uint64_t client);

  // Puts a new item between `left` and `right` (as they are linked now) of `parent`'s list, or makes it the value of
  // `key`. Returns it. There must be room for it (CheckRoom).
  ItemRef Insert(TypeIndex parent, ItemRef left, ItemRef right, const WireContent& content, bool entry = false,
                 KeyIndex key = 0);

  // The type that an item holds.
  TypeIndex TypeIn(ItemRef item) const { return document_.items[item].extra; }

  // --- lists: arrays and XML
  // OUT_OF_RANGE when `index` is past the end; nothing changes then.
  absl::Status ListInsert(TypeIndex list, uint64_t index, const Prepared& prepared);
  // Behind everything, also what was deleted.
  void ListPush(TypeIndex list, const Prepared& prepared);
  // OUT_OF_RANGE when there are fewer than `length` elements from `index` on; those are deleted.
  absl::Status ListDelete(TypeIndex list, uint64_t index, uint64_t length);

  // --- maps, and attributes of XML elements and texts
  void MapSet(TypeIndex map, std::string_view key, const Prepared& prepared);
  void MapDelete(TypeIndex map, KeyIndex key);

  // --- what an edit of a text is made of (text_editor.h)
  // The item that ends at `index`, split off when need be; none at the start, the last one, visible or not, past the
  // end.
  ItemRef ItemEndingAt(TypeIndex list, uint64_t index);
  // Cuts an item behind its first `units`, when it has more.
  void CutBehind(ItemRef ref, uint64_t units);
  // As Insert(); what is typed straight behind the last that this client typed makes that longer.
  ItemRef InsertText(TypeIndex text, ItemRef left, ItemRef right, const WireContent& content);
  Document& document() { return document_; }
  Transaction& transaction() { return transaction_; }

 private:
  // As yjs begins to walk to an index in an array with search markers: from where, and how far from there on; the
  // marker may stand behind the index.
  struct Walk {
    ItemRef item;
    int64_t left;
  };
  Walk FromMarker(TypeIndex list, uint64_t index);
  // As yjs walks in an array with search markers: to the item that an insertion goes behind, and to the first one that
  // is deleted; none where that leads past the end.
  ItemRef MarkedItemEndingAt(TypeIndex list, uint64_t index);
  ItemRef MarkedItemAt(TypeIndex list, uint64_t index);
  void InsertAll(TypeIndex list, ItemRef left, const Prepared& prepared);
  bool IsLastOf(ClientIndex client, ItemRef ref) const;

  Document& document_;
  Transaction& transaction_;
  const uint64_t client_;
  Integrator integrator_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_EDITOR_H_
