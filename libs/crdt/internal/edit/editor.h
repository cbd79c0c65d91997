// Local edits (yjs: types/AbstractType.js, YText.js): by index, inside a transaction.
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_EDITOR_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_EDITOR_H_

#include <optional>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "crdt/internal/integrate/integrator.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// A place between two items of a text, with the attributes that hold there.
struct TextPosition {
  ItemRef left = kNoItem;
  ItemRef right = kNoItem;
  uint64_t index = 0;
  AttributeMap attributes;
};

class Prepared;

class Editor {
 public:
  // Edits are those of `client`.
  Editor(Document& document, Transaction& transaction, uint64_t client);

  // Appends an item that `client` makes, or lets his last one grow if that is `left` and they would be merged anyway,
  // between `left` and `right` (as they are linked now) of `parent`'s list, or as the value of `key`. Returns it.
  // RESOURCE_EXHAUSTED past Document::kMaxClock.
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

  // --- texts; indices past the end count as the end
  // Without `attributes` what is inserted takes those that hold there.
  void TextInsert(TypeIndex text, uint64_t index, const WireContent& content, const AttributeObject* attributes);
  // With no attributes, when none are given.
  void TextInsertEmbed(TypeIndex text, uint64_t index, const Prepared& embed, const AttributeObject* attributes);
  void TextDelete(TypeIndex text, uint64_t index, uint64_t length);
  // Past the end of the text new lines are appended.
  void TextFormat(TypeIndex text, uint64_t index, uint64_t length, const AttributeObject& attributes);
  // The steps of a delta, from the text's start on.
  TextPosition TextStart(TypeIndex text) const { return {kNoItem, document_.types[text].start, 0, {}}; }
  // `embed` is what `content` is from, when it is no text.
  void InsertAt(TypeIndex text, TextPosition& at, const WireContent& content, AttributeObject attributes,
                const Prepared* embed = nullptr);
  void FormatAt(TypeIndex text, TextPosition& at, uint64_t length, const AttributeObject& attributes);
  void DeleteAt(TypeIndex text, TextPosition& at, uint64_t length);

  // Takes formats away that say nothing, as yjs does after somebody else's change (cleanupYTextAfterTransaction):
  // in `after`, the transaction that brought it, for each text that it changed.
  void CleanUpFormatting(Transaction& after);

 private:
  uint32_t Clock() const { return document_.structs.StateOf(client_); }
  bool IsLastOf(ClientIndex client, ItemRef ref) const;
  ItemRef InsertOrGrow(TypeIndex text, const TextPosition& at, const WireContent& content);
  // The item that ends at `index`, split off when need be; none at the start, the last visible one past the end.
  ItemRef ItemEndingAt(TypeIndex list, uint64_t index);
  // As yjs walks in an array with search markers: to the item that an insertion goes behind, and to the first one that
  // is deleted; none where that leads past the end.
  ItemRef MarkedItemEndingAt(TypeIndex list, uint64_t index);
  ItemRef MarkedItemAt(TypeIndex list, uint64_t index);
  void CutBehind(ItemRef ref, int64_t units);
  // What the place is for: attributes that are given don't let yjs take a shortcut to it.
  enum class Seek : uint8_t { kInherit, kGiven, kDelete, kFormat };
  TextPosition FindText(TypeIndex text, uint64_t index, Seek seek);
  TextPosition FindMarked(TypeIndex text, uint64_t index, Seek seek);
  bool DeleteOn(TypeIndex text, uint64_t index, uint64_t length);
  void InsertAll(TypeIndex list, ItemRef left, const Prepared& prepared);
  void Forward(TextPosition& at) const;
  void InsertFormat(TypeIndex text, TextPosition& at, KeyIndex key, AttributeValue value, bool of_document);
  AttributeMap InsertAttributes(TypeIndex text, TextPosition& at, const AttributeObject& attributes);
  void InsertNegated(TypeIndex text, TextPosition& at, AttributeMap negated);
  void PassMatching(TextPosition& at, const AttributeObject& attributes) const;
  bool HasFormats(TypeIndex text) { return document_.Index(text).total().formats > 0; }
  std::optional<AttributeValue> Read(const AttributeObject& attributes, KeyIndex key) const {
    return attributes.Read(key, document_.keys[key]);
  }
  AttributeValue ValueOf(const Item& format) const { return format.bytes(); }
  bool Holds(ItemRef ref) const;

  void CleanUpGap(ItemRef start, ItemRef current, const AttributeMap& at_start, AttributeMap& at_current);
  void CleanUpContextless(ItemRef ref, absl::flat_hash_set<ItemRef>& tidied);
  void CleanUpText(TypeIndex text);

  Document& document_;
  Transaction& transaction_;
  const uint64_t client_;
  Integrator integrator_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_EDITOR_H_
