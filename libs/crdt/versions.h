// What stood in a shared type at a version of its document, and how two versions differ: what came, what went, by whom.
//
// Handles may be of types that are deleted by now, as long as the document doesn't collect garbage; what a version
// showed and was collected since is missing here. Nothing here changes the document, except YjsDelta. A type that is
// gone gives nothing.
//
// Where yjs has the function (typeListToArraySnapshot, typeMapGetSnapshot, typeMapGetAllSnapshot) it takes an item as a
// whole, so that units that joined since the version show too, or one overwritten later shows in place of the one
// before; here each unit counts by itself, which is what yjs gives once the items are cut at the version.
#ifndef RIVERMEET_CRDT_VERSIONS_H_
#define RIVERMEET_CRDT_VERSIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "crdt/attribution.h"
#include "crdt/shared_types.h"
#include "crdt/snapshot.h"

namespace rivermeet::crdt {

// --- what stood there

// The elements of a list (yjs: typeListToArraySnapshot). Of a text one unit each.
std::vector<Value> ValuesAt(const SharedType& list, const Snapshot& version);
// The value of `key`, or of all keys that had one, in the order in which they were set first (yjs: typeMapGetSnapshot,
// typeMapGetAllSnapshot).
std::optional<Value> EntryAt(const SharedType& map, std::string_view key, const Snapshot& version);
std::vector<std::pair<std::string, Value>> EntriesAt(const SharedType& map, const Snapshot& version);

// --- how two versions differ

enum class Change : uint8_t { kNone, kAdded, kRemoved };

// Who made something, and what became of it.
struct Authorship {
  uint64_t client = 0;  // who wrote it: `clock` is the number of its first unit among all that he wrote
  uint64_t clock = 0;
  std::optional<absl::Time> written;
  std::optional<Attribution::Removal> removed;  // only of what is kRemoved; nothing where it wasn't noted

  bool operator==(const Authorship&) const = default;
};

// One run of a text that one client wrote at one time, with the same attributes, or one embed.
struct TextRun {
  Value content;  // a text, or what is embedded
  bool is_text = true;
  uint64_t length = 0;  // in UTF-16 units; of an embed 1
  Attributes attributes;
  Change change = Change::kNone;
  Authorship author;
};

struct ListRun {
  Value value;
  Change change = Change::kNone;
  Authorship author;
};

// Of a key whose value isn't the same in both; of a value set anew to an equal one, too.
struct EntryChange {
  std::string key;
  std::optional<Value> before;
  std::optional<Value> after;
  std::optional<Authorship> before_author;  // with who took it away
  std::optional<Authorship> after_author;
};

// The text at `version`. Here and below each run has a copy of all attributes that hold, as in Text::ToDelta().
std::vector<TextRun> TextAt(const SharedType& text, const Snapshot& version);
// All that is in one of the versions, in the order of the text; null is the document as it is now. Attributes are those
// of `after`. What came and went in between isn't told.
std::vector<TextRun> DiffText(const SharedType& text, const Snapshot& before, const Snapshot* after = nullptr);
// The same of a list, element by element.
std::vector<ListRun> DiffList(const SharedType& list, const Snapshot& before, const Snapshot* after = nullptr);
std::vector<EntryChange> DiffMap(const SharedType& map, const Snapshot& before, const Snapshot* after = nullptr);

// --- in yjs's own form

// One operation of a delta of insertions.
struct DeltaInsertion {
  Value insert;
  bool is_text = true;
  Attributes attributes;
};

// The value of the attribute `ychange` for what was added or removed, from its unit `clock` of `client` on. As in yjs
// runs of text go on only while its members `type` ("added", "removed") and `user` (the client) fit. It must not touch
// the document, which is being read.
using YChange = std::function<Any(Change change, uint64_t client, uint64_t clock)>;

// Exactly what yjs's toDelta(snapshot, prevSnapshot, computeYChange) gives, each of them null when it isn't given. As
// in yjs, what is between two runs of text takes the mark of the one before it, and items are cut at the versions'
// edges and joined again, with the effects that Doc::RestoreSnapshot tells. DiffText has neither.
std::vector<DeltaInsertion> YjsDelta(const SharedType& text, const Snapshot* snapshot = nullptr,
                                     const Snapshot* previous = nullptr, const YChange& compute_ychange = nullptr);

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_VERSIONS_H_
