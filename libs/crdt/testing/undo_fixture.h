// What the tests of undo managers share.
#ifndef RIVERMEET_CRDT_TESTING_UNDO_FIXTURE_H_
#define RIVERMEET_CRDT_TESTING_UNDO_FIXTURE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/testing/events.h"
#include "crdt/undo_manager.h"
#include "testing/manual_clock.h"

namespace rivermeet::crdt {

// As JSON, XML as JSON with a node's attributes before its children. A text is what it reads.
inline std::string Shown(const SharedType& type);

inline std::string Shown(const std::optional<Value>& value) {
  if (!value.has_value()) return "nothing";
  if (const SharedType* type = std::get_if<SharedType>(&*value)) return Shown(*type);
  return *std::get<Any>(*value).ToJson();
}

inline std::string Shown(const SharedType& type) {
  std::string entries, items;
  if (const absl::StatusOr<Map> map = type.AsMap(); map.ok()) {
    for (const std::string& key : map->Keys())
      entries += (entries.empty() ? "" : ",") + key + ":" + Shown(map->Entry(key));
  }
  for (uint64_t i = 0; i < type.length() && type.AsList().ok(); ++i) items += (i == 0 ? "" : ",") + Shown(type.At(i));
  switch (*type.kind()) {
    case SharedKind::kText:
    case SharedKind::kXmlText:
      return '"' + type.PlainText() + '"';
    case SharedKind::kMap:
    case SharedKind::kXmlHook:
      return '{' + entries + '}';
    case SharedKind::kXmlElement:
      return '<' + type.name() + ' ' + entries + '>' + '[' + items + ']';
    case SharedKind::kArray:
    case SharedKind::kXmlFragment:
      break;
  }
  return '[' + items + ']';
}

inline std::string State(const Doc& doc) { return absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)); }

inline void Sync(Doc& a, Doc& b) {
  Send(a, b);
  Send(b, a);
}
// Gives `to` at once what `from` does.
inline Subscription Link(Doc& from, Doc& to) {
  return from.OnUpdate(UpdateFormat::kV1, [&to](std::string_view update, std::string_view) {
    REQUIRE(to.Apply(update, UpdateFormat::kV1, "o").ok());
  });
}

inline Any Num(int number) { return Any(number); }
inline NewType MapOf(std::vector<std::pair<std::string, Insertable>> entries) {
  return {.kind = SharedKind::kMap, .entries = std::move(entries)};
}

// A document with one root, and an undo manager of it. Time stands still.
struct Fixture {
  explicit Fixture(SharedKind kind = SharedKind::kText, UndoOptions options = {}, bool gc = true)
      : doc({.client_id = 1, .gc = gc}),
        root(*doc.GetRoot("t", kind)),
        undo(doc, {root}, Clocked(std::move(options))) {}

  UndoOptions Clocked(UndoOptions options) {
    options.clock = &clock;
    return options;
  }
  bool Undo() { return *undo.Undo(); }
  bool Redo() { return *undo.Redo(); }
  std::string Show() const { return Shown(root); }
  std::string ShowAfterUndo() { return Undo() ? Shown(root) : "nothing done"; }
  std::string ShowAfterRedo() { return Redo() ? Shown(root) : "nothing done"; }

  testing::ManualClock clock;
  Doc doc;
  SharedType root;
  UndoManager undo;
};

inline UndoOptions OneByOne() { return {.capture_timeout = absl::ZeroDuration()}; }

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_TESTING_UNDO_FIXTURE_H_
