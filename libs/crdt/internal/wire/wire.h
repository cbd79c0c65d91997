// One struct of an update as it travels, whatever the format: docs/formats/yjs-update.md.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_WIRE_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_WIRE_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/id.h"

namespace rivermeet::crdt::internal {

// A struct's first byte: its content, and of an item which neighbours and whether a key follow.
constexpr uint8_t kContentBits = 0x1f;
constexpr uint8_t kHasOrigin = 0x80;
constexpr uint8_t kHasRightOrigin = 0x40;
constexpr uint8_t kHasKey = 0x20;

// The kContentBits.
enum class ContentKind : uint8_t {
  kGc = 0,       // a collected range: no content, no neighbours
  kDeleted = 1,  // deleted content; its place is kept
  kJson = 2,     // JSON values, each its own element (written by old clients)
  kBinary = 3,
  kString = 4,
  kEmbed = 5,   // one value inside a text
  kFormat = 6,  // from here on an attribute of the text has a value; takes no place
  kType = 7,    // a shared type
  kAny = 8,     // values, each its own element
  kDoc = 9,     // a subdocument
  kSkip = 10,   // a hole in a merged update
};

// The shared types, as numbered on the wire.
enum class TypeRef : uint8_t { kArray, kMap, kText, kXmlElement, kXmlFragment, kXmlHook, kXmlText };
constexpr uint64_t kTypeRefs = 7;

// The most that one struct's content takes, in bytes: Item::size counts no further.
constexpr uint64_t kMaxContentBytes = std::numeric_limits<uint32_t>::max();

// What a struct holds. The views belong to the reader that gave it and end with its next read.
struct WireContent {
  ContentKind kind = ContentKind::kGc;
  TypeRef type = TypeRef::kArray;  // kType
  uint64_t length = 0;             // clocks it takes: UTF-16 units, elements or 1
  uint64_t astral = 0;             // kString: characters of two units
  // kString: the text (utf.h). kAny, kJson: `length` values; kEmbed, kFormat: one; kDoc: the options kept; all as
  // canonical Any (any_codec.h). kBinary: the bytes.
  std::string_view data;
  std::string_view name;  // kFormat: key. kType: node or hook name. kDoc: guid.
};

struct WireStruct {
  enum class Parent : uint8_t { kFromNeighbour, kRoot, kItem };

  UnitId id;
  bool has_origin = false;
  bool has_right_origin = false;
  bool has_parent_sub = false;  // only where the parent is written: with no origin at all
  Parent parent_kind = Parent::kFromNeighbour;
  UnitId origin;                // last id of the left neighbour at the time of creation
  UnitId right_origin;          // first id of the right neighbour
  UnitId parent;                // kItem
  std::string_view root;        // kRoot: the root's name
  std::string_view parent_sub;  // key in a map, or attribute
  WireContent content;

  uint64_t end_clock() const { return id.clock + content.length; }
  bool is_item() const { return content.kind != ContentKind::kGc && content.kind != ContentKind::kSkip; }
};

// Deleted ranges by client, both in the order in which they were read or added.
struct WireDeleteSet {
  std::vector<std::pair<uint64_t, std::vector<ClockRange>>> clients;  // each client once

  bool empty() const { return clients.empty(); }
  std::vector<ClockRange>& RangesOf(uint64_t client);  // made when new
  // SortAndMergeRanges of each client, or only of those whose ranges aren't in order and apart already, which V2 can't
  // say.
  void SortAndMerge();
  void KeepApart();

 private:
  absl::flat_hash_map<uint64_t, size_t> places_;  // of each client in `clients`
};

// Ranges by clock, touching and overlapping ones made one (yjs: sortAndMergeDeleteSet).
void SortAndMergeRanges(std::vector<ClockRange>& ranges);

// Of ranges in order and apart: the first that begins behind `clock`, so that only the one before it may hold that.
template <class Range>
auto FirstBehind(const std::vector<Range>& ranges, uint64_t clock) {
  return std::upper_bound(ranges.begin(), ranges.end(), clock,
                          [](uint64_t c, const Range& range) { return c < range.clock; });
}
// Whether one of them holds `clock`.
template <class Range>
bool Hold(const std::vector<Range>& ranges, uint64_t clock) {
  const auto behind = FirstBehind(ranges, clock);
  return behind != ranges.begin() && clock < (behind - 1)->clock + (behind - 1)->length;
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_WIRE_H_
