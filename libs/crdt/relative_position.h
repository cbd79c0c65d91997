// Places that stay with what stands there while a document is edited: cursors, selections, marks (yjs:
// RelativePosition).
#ifndef RIVERMEET_CRDT_RELATIVE_POSITION_H_
#define RIVERMEET_CRDT_RELATIVE_POSITION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crdt/doc.h"
#include "crdt/id.h"
#include "crdt/shared_types.h"

namespace rivermeet::crdt {

// A value; equal are those that yjs's compareRelativePositions takes as equal.
struct RelativePosition {
  // The type it is in, as far as it was told: a root by its name, any other by the id of what holds it. What travels in
  // bytes has only one of the three: the unit, else the type.
  std::optional<UnitId> type;
  std::optional<std::string> root;
  // The unit it is at. Without one it is at the end of the type, or, with assoc < 0, at its start.
  std::optional<UnitId> item;
  // At least 0: it stays with the unit behind it; less: with the one before it.
  int64_t assoc = 0;

  bool operator==(const RelativePosition&) const = default;

  // The place before `index` of a list or text; past the end it is the end. In O(log n).
  // FAILED_PRECONDITION: the type isn't in the document any more.
  static absl::StatusOr<RelativePosition> At(const SharedType& type, uint64_t index, int64_t assoc = 0);

  // yjs's bytes (encodeRelativePosition): of the item, else of the type. Empty when it says no place, where yjs throws.
  std::string Encode() const;
  // INVALID_ARGUMENT: the bytes are no position, to their last; the message has the byte offset. Bytes of yjs before
  // 13.5, which end without assoc, are accepted.
  static absl::StatusOr<RelativePosition> Decode(std::string_view bytes);

  // As JSON.stringify writes yjs's relativePositionToJSON, but for a root named "", which is lost there.
  std::string ToJson() const;
  // What yjs's createRelativePositionFromJSON takes; other members are ignored.
  // Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED as those of Any::FromJson; INVALID_ARGUMENT also when it says no
  // place.
  static absl::StatusOr<RelativePosition> FromJson(std::string_view json);

  struct Place {
    SharedType type;
    uint64_t index = 0;
    int64_t assoc = 0;
  };
  // Where it is now, in O(log n). The type may be deleted; the index is 0 then. Where what it was at is deleted it is
  // where that stood. Nothing when the document lacks what it was at, has collected it, or never had such a root (yjs
  // makes one then).
  //
  // With `follow_redone`, what was deleted and brought back by an undo in this document is found where it is now.
  // Others don't know what came of what: leave it out to get what they get.
  std::optional<Place> Resolve(const Doc& doc, bool follow_redone = true) const;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_RELATIVE_POSITION_H_
