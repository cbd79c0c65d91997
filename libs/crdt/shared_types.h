// Handles of the shared types in a document: to read and edit texts, lists and maps (yjs: Y.Text, Y.Array, Y.Map, XML).
//
// A handle is small and is copied freely. Every edit is a transaction of its own unless it is made inside
// Doc::Transact. Errors of all edits:
//   FAILED_PRECONDITION  The type isn't in the document any more. Nothing changed.
//   INVALID_ARGUMENT     What is to be inserted can't be; the message says why. Nothing changed.
//   OUT_OF_RANGE         The index is past the end. Lists only.
//   RESOURCE_EXHAUSTED   This client has made as many units as a document takes (2^32 - 2), or a limit is passed.
//                        Nothing changed.
#ifndef RIVERMEET_CRDT_SHARED_TYPES_H_
#define RIVERMEET_CRDT_SHARED_TYPES_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "crdt/any.h"
#include "crdt/insertable.h"
#include "crdt/text_unit.h"

namespace rivermeet::crdt {

class Event;
class List;
class Map;
class SharedType;
class Subscription;
class Text;

namespace internal {
struct HandleAccess;
struct Session;
}  // namespace internal

// A document inside the document.
struct Subdocument {
  std::string guid;
  Any options;
};

// Of one transaction, each in the order in which they came.
struct SubdocumentsEvent {
  std::vector<Subdocument> added;
  std::vector<Subdocument> removed;
  std::vector<Subdocument> loaded;
};

// Neighbours in a list, or units of a text, that one client wrote; and when, where Doc::KeepAttribution noted it.
struct AuthorRun {
  uint64_t length = 0;
  uint64_t client = 0;
  std::optional<absl::Time> time;

  bool operator==(const AuthorRun&) const = default;
};

// A step down from a type to one inside it: a key, or the index in its list.
using PathStep = std::variant<std::string, uint64_t>;

// A shared type of any kind.
//
// Valid while its Doc, moved or not, exists: any use after that is undefined. Once its type is thrown away with what
// held it, its functions give FAILED_PRECONDITION, or nothing.
class SharedType {
 public:
  // The same type of the same document.
  bool operator==(const SharedType&) const = default;

  // Nothing when it is a root that was never asked for as a kind, or is gone.
  std::optional<SharedKind> kind() const;
  // Still in the document.
  bool alive() const;
  // The node or hook name of XML; empty otherwise.
  std::string name() const;
  // The type that it is in, and the step from there to this one, in O(log n). Nothing of a root, or when it is gone.
  std::optional<SharedType> parent() const;
  std::optional<PathStep> step() const;

  // The same type as a list (arrays; children of XML elements and fragments), as a map (maps, hooks; attributes of XML
  // elements and texts) or as a text. FAILED_PRECONDITION when its kind has none.
  absl::StatusOr<List> AsList() const;
  absl::StatusOr<Map> AsMap() const;
  absl::StatusOr<Text> AsText() const;

  // Places in its list that a reader sees: elements, or UTF-16 units of a text; 0 when it is gone.
  uint64_t length() const;
  // The text in its list, without embeds and formats.
  std::string PlainText() const;
  // What yjs's JSON.stringify(type.toJSON()) gives: an array, a map (hooks, too) with its keys in JavaScript's order, a
  // text's text without formats and embeds as a string, XML as a string. Bytes are an object of their indices, a
  // subdocument is {}. Empty for an untyped root.
  // INVALID_ARGUMENT where yjs throws: a bigint is in it, or null, undefined or an object with a member `toString`
  // where XML should be.
  absl::StatusOr<std::string> ToJson(BigInts bigints = BigInts::kRefuse) const;
  // As yjs's toString() of XML types: elements with sorted attributes; formats of texts are elements around them.
  // Nothing is escaped. Of other types what they are inside of XML. Its size isn't bounded by Limits: each run of a
  // text has a copy of all attributes that hold. INVALID_ARGUMENT as of ToJson.
  absl::StatusOr<std::string> ToXml() const;

  // Calls `observer` at the end of each transaction that changed this type itself: its elements, text, formats, keys.
  // It may edit: its edits are transactions that end after this one. Nothing is observed when the type is gone.
  // The handle's type, not the handle, has to live.
  Subscription Observe(std::function<void(const Event&)> observer) const;
  // The same with all changes of this type and those inside it, shorter paths first.
  Subscription ObserveDeep(std::function<void(absl::Span<const Event>)> observer) const;

  // What stands at `index` of its list, or of its text (one code unit, or an embed); nothing past the end. In O(log n)
  // and the length of the run of values that were inserted together. A type has a list and entries whatever its kind:
  // peers may disagree about a root's.
  std::optional<std::variant<Any, SharedType, Subdocument>> At(uint64_t index) const;
  // The value of `key`.
  std::optional<std::variant<Any, SharedType, Subdocument>> Entry(std::string_view key) const;
  // Who wrote what stands at [`from`, `to`) of its list or text. In O(log n) and the number of runs passed.
  std::vector<AuthorRun> Authors(uint64_t from, uint64_t to) const;

 protected:
  friend struct internal::HandleAccess;

  SharedType(internal::Session& session, uint32_t type);

  internal::Session* session_;
  uint32_t type_;
  uint32_t generation_;
};

// What stands in a list or map.
using Value = std::variant<Any, SharedType, Subdocument>;

// One step of how a list or text changed, or of what a text is: new values, or `length` places that are stepped over or
// gone.
struct DeltaChange {
  using Kind = DeltaStep::Kind;
  Kind kind = Kind::kRetain;
  uint64_t length = 0;          // not of an insertion
  std::vector<Value> inserted;  // of a text just one: a text, an embed or a shared type
  Attributes attributes;        // of text: what is inserted has, or what changes; null: it lost that one
};

class List : public SharedType {
 public:
  // All of it, or the elements [`from`, `to`) as far as it has them: in O(log n), their number and the length of the
  // runs of values that were inserted together and are cut.
  std::vector<Value> ToValues(uint64_t from = 0, uint64_t to = std::numeric_limits<uint64_t>::max()) const;

  absl::Status Insert(uint64_t index, absl::Span<const Insertable> values);
  // At the end.
  absl::Status Push(absl::Span<const Insertable> values);
  // OUT_OF_RANGE when it has fewer than `length` elements from `index` on; those are deleted, as in yjs.
  absl::Status Delete(uint64_t index, uint64_t length);

 private:
  friend class SharedType;
  explicit List(const SharedType& type) : SharedType(type) {}
};

class Map : public SharedType {
 public:
  // In the order in which they were set first.
  std::vector<std::string> Keys() const;
  absl::Status Set(std::string_view key, const Insertable& value);
  // OK also when there is none.
  absl::Status Delete(std::string_view key);
  absl::Status Clear();

 private:
  friend class SharedType;
  explicit Map(const SharedType& type) : SharedType(type) {}
};

// Indices and lengths count UTF-16 code units, as in yjs. Past the end counts as the end.
class Text : public SharedType {
 public:
  using SharedType::length;
  // In any unit, in O(log n).
  uint64_t length(TextUnit unit) const;
  // The place that is `place` in `from`, counted in `to`: for callers whose strings are UTF-8, or arrays of code
  // points. In O(log n). A place inside a character is the character's start, except from UTF-16 to UTF-16. Of the
  // places before and behind an embed, which are one in UTF-8, it means the one behind.
  uint64_t ConvertPlace(uint64_t place, TextUnit from, TextUnit to) const;

  // The code unit at `index`, in O(log n); nothing past the end or where an embed is.
  std::optional<char16_t> UnitAt(uint64_t index) const;

  // All of it, with its attributes: a run of text ends at each format, as in yjs. Each run has a copy of all that hold:
  // their number times that of the runs isn't bounded by Limits.
  std::vector<DeltaChange> ToDelta() const;

  // `text` is UTF-8. It takes the attributes that hold at its place.
  absl::Status Insert(uint64_t index, std::string_view text);
  // It has just these.
  absl::Status Insert(uint64_t index, std::string_view text, const Attributes& attributes);
  // With no attributes when none are given, unlike a text: those that hold end before it and go on behind it.
  absl::Status InsertEmbed(uint64_t index, const Insertable& embed, const Attributes* attributes = nullptr);
  absl::Status Delete(uint64_t index, uint64_t length);
  // What of a range that begins in the text is past its end becomes new lines, as in yjs.
  absl::Status Format(uint64_t index, uint64_t length, const Attributes& attributes);
  absl::Status ApplyDelta(absl::Span<const DeltaStep> delta);
  // The same of what ToDelta() or Event::Delta() told, also of another text: copies or mirrors it. A subdocument
  // becomes another with its guid. INVALID_ARGUMENT also when a shared type is inserted, which can't be in two places.
  absl::Status ApplyChanges(absl::Span<const DeltaChange> changes);

 private:
  friend class SharedType;
  explicit Text(const SharedType& type) : SharedType(type) {}
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_SHARED_TYPES_H_
