// What the tests of hostile bytes are written with.
#ifndef RIVERMEET_CRDT_TESTING_ATTACK_H_
#define RIVERMEET_CRDT_TESTING_ATTACK_H_

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/internal/integrate/integrator.h"
#include "crdt/internal/wire/struct_writer.h"
#include "crdt/internal/wire/utf.h"
#include "crdt/testing/document_check.h"
#include "crdt/testing/load_check.h"
#include "crdt/update.h"

namespace rivermeet::crdt::internal {

inline std::string Hex(std::string_view hex) { return absl::HexStringToBytes({hex.data(), hex.size()}); }
inline std::string Hexed(std::string_view bytes) { return absl::BytesToHexString({bytes.data(), bytes.size()}); }

// A text under a root, beside nothing. Views of literals only.
inline WireStruct Text(UnitId id, std::string_view root, std::string_view text) {
  WireStruct made;
  made.id = id;
  made.parent_kind = WireStruct::Parent::kRoot;
  made.root = root;
  made.content.kind = ContentKind::kString;
  made.content.data = text;
  const TextSize size = Measure(text);
  made.content.length = size.utf16;
  made.content.astral = size.astral;
  return made;
}
inline WireStruct Behind(WireStruct item, UnitId origin) {
  item.has_origin = true;
  item.origin = origin;
  item.parent_kind = WireStruct::Parent::kFromNeighbour;
  return item;
}
inline WireStruct Before(WireStruct item, UnitId right_origin) {
  item.has_right_origin = true;
  item.right_origin = right_origin;
  item.parent_kind = WireStruct::Parent::kFromNeighbour;
  return item;
}
inline WireStruct Inside(WireStruct item, UnitId parent) {
  item.parent_kind = WireStruct::Parent::kItem;
  item.parent = parent;
  return item;
}
inline WireStruct Under(WireStruct item, std::string_view key) {
  item.has_parent_sub = true;
  item.parent_sub = key;
  return item;
}
inline WireStruct OfKind(WireStruct item, ContentKind kind, uint64_t length = 1) {
  item.content.kind = kind;
  item.content.data = {};
  item.content.length = length;
  item.content.astral = 0;
  return item;
}

inline std::string Update(const std::vector<WireStruct>& items, UpdateFormat format,
                          const WireDeleteSet& deletes = {}) {
  if (format == UpdateFormat::kV1) {
    StructWriter<WriterV1> writer;
    for (const WireStruct& item : items) writer.Write(item, 0);
    return writer.Finish(deletes);
  }
  StructWriter<WriterV2> writer;
  for (const WireStruct& item : items) writer.Write(item, 0);
  return writer.Finish(deletes);
}

inline std::string FaultOf(const Doc& doc) { return FindFault(DocInside::Of(doc)); }

// All that can be seen of it.
inline std::string ViewOf(const Doc& doc) {
  return doc.EncodeState(UpdateFormat::kV1) + "|" + doc.EncodeState(UpdateFormat::kV2) + "|" + doc.EncodeStateVector() +
         "|" + doc.EncodeSnapshot(UpdateFormat::kV1);
}

// Applies it, and when it is refused sees to it that nothing has changed. Loaded in small steps it comes to the same.
inline absl::Status Attack(Doc& doc, std::string_view update, UpdateFormat format) {
  const std::string before = ViewOf(doc);
  const absl::Status applied = doc.Apply(update, format);
  if (!applied.ok()) CHECK(ViewOf(doc) == before);
  CHECK(FaultOf(doc) == "");
  if (update.size() < 100'000) CHECK(LoadDifference(update, format, {.client_id = 1}, /*work=*/3) == "");
  return applied;
}

inline bool Refused(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument && absl::StrContains(status.message(), "byte ");
}
inline bool Exhausted(const absl::Status& status) { return status.code() == absl::StatusCode::kResourceExhausted; }

// Its client makes deleted units, so that only `left` more fit into the document.
inline void LeaveRoomFor(uint64_t left, Doc& doc) {
  Session& session = HandleAccess::SessionOf(doc);
  session.transactor.Run(/*local=*/true, {"filler"}, [&](Transaction& transaction) {
    const UnitId id{doc.client_id(), session.document.structs.StateOf(doc.client_id())};
    const uint64_t length = Document::kMaxClock - left - id.clock;
    Integrator(session.document, transaction)
        .Integrate(OfKind(Text(id, "filler", ""), ContentKind::kDeleted, length), 0);
  });
}

// An update of V2 from its columns: each given without its length.
inline std::string Columns(const std::vector<std::string>& columns, std::string_view rest) {
  std::string update(1, '\0');
  for (const std::string& column : columns) WriteVarBytes(update, column);
  return update.append(rest);
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_TESTING_ATTACK_H_
