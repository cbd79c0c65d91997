// Undo managers where yjs's own tests don't go: time, nesting, listeners, what was collected.
#include <string>
#include <utility>

#include "catch2/catch.hpp"
#include "crdt/testing/attack.h"
#include "crdt/testing/undo_fixture.h"
#include "crdt/undo_manager.h"

namespace rivermeet::crdt {
namespace {

TEST_CASE("a filter keeps transactions from being captured", "[crdt][undo]") {
  UndoOptions options;
  options.capture_filter = [](const CapturedTransaction& transaction) { return transaction.local; };
  Fixture f(SharedKind::kArray, options);
  Doc other;
  Ok(other.GetArray("t")->Push({Num(2)}));
  Send(other, f.doc, "");
  Ok(f.root.AsList()->Insert(0, {Num(1)}));
  CHECK(f.ShowAfterUndo() == "[2]");
  CHECK_FALSE(f.undo.can_undo());
}

TEST_CASE("changes that follow each other in time are undone together", "[crdt][undo]") {
  Fixture f;
  Text text = *f.root.AsText();
  Ok(text.Insert(0, "a"));
  f.clock.Advance(absl::Milliseconds(499));
  Ok(text.Insert(1, "b"));
  f.clock.Advance(absl::Milliseconds(500));
  Ok(text.Insert(2, "c"));
  f.clock.SetWall(absl::UnixEpoch());
  Ok(text.Insert(3, "d"));
  CHECK(f.ShowAfterUndo() == "\"ab\"");
  CHECK(f.ShowAfterUndo() == "\"\"");
}

TEST_CASE("inside a transaction undoing is an edit like any", "[crdt][undo]") {
  Fixture f(SharedKind::kText, OneByOne());
  Text text = *f.root.AsText();
  Ok(text.Insert(0, "a"));
  f.doc.Transact([&] {
    Ok(text.Insert(1, "b"));
    CHECK(f.Undo());
    CHECK(f.Show() == "\"b\"");
  });
  CHECK_FALSE(f.undo.can_redo());
  CHECK(f.ShowAfterUndo() == "\"a\"");
}

TEST_CASE("listeners may clear the stacks and undo", "[crdt][undo]") {
  Fixture f(SharedKind::kText, OneByOne());
  bool nested = true;
  const Subscription popped = f.undo.OnPopped([&](UndoManager::Event& event) {
    nested = *f.undo.Undo();
    f.undo.Clear();
    event.notes["still"] = Any(true);
  });
  Text text = *f.root.AsText();
  Ok(text.Insert(0, "a"));
  Ok(text.Insert(1, "b"));
  CHECK(f.ShowAfterUndo() == "\"a\"");
  CHECK_FALSE(nested);
  CHECK_FALSE((f.undo.can_undo() || f.undo.can_redo()));
}

// yjs throws here: it finds the places of neighbours that were collected.
TEST_CASE("listeners and filters may destroy the manager", "[crdt][undo]") {
  for (const std::string_view where : {"added", "popped", "cleared", "capturing", "deleting"}) {
    Doc doc({.client_id = 1});
    Text text = *doc.GetText("t");
    std::unique_ptr<UndoManager> undo;
    std::string told;
    const auto destroy = [&](std::string_view here) {
      told += here;
      if (where == here) undo.reset();
      return true;
    };
    UndoOptions options;
    options.capture_timeout = absl::ZeroDuration();
    options.capture_filter = [&](const CapturedTransaction&) { return destroy("capturing"); };
    options.delete_filter = [&](const UndoneItem&) { return destroy("deleting"); };
    undo = std::make_unique<UndoManager>(doc, options);
    const Subscription added = undo->OnAdded([&](UndoManager::Event&) { destroy("added"); });
    const Subscription popped = undo->OnPopped([&](UndoManager::Event&) { destroy("popped"); });
    const Subscription cleared = undo->OnCleared([&](bool, bool) { destroy("cleared"); });
    Ok(text.Insert(0, "a"));
    if (undo != nullptr) CHECK(*undo->Undo());
    if (undo != nullptr) undo->Clear();
    CHECK(undo == nullptr);
    told.clear();
    Ok(text.Insert(0, "b"));
    CHECK(told.empty());
  }
}

TEST_CASE("what lay in something that was collected stays away", "[crdt][undo]") {
  Fixture f(SharedKind::kArray, OneByOne());
  List list = *f.root.AsList();
  f.doc.Transact(
      [&] {
        Ok(list.Insert(0, {NewType{.kind = SharedKind::kArray}}));
        Ok(TypeAt(list, 0).AsList()->Insert(0, {Num(1), Num(2), Num(3)}));
      },
      "setup");
  Ok(TypeAt(list, 0).AsList()->Delete(1, 1));
  Ok(list.Delete(0, 1));
  CHECK(f.ShowAfterUndo() == "[[1,3]]");
  Ok(TypeAt(list, 0).AsList()->Push({Num(9)}));
  f.Undo();
  Ok(TypeAt(list, 0).AsList()->Push({Num(8)}));  // the redo stack no longer keeps the list from being collected
  Doc other({.client_id = 2});
  Send(f.doc, other);
  Ok(other.GetArray("t")->Delete(0, 1));
  REQUIRE(f.doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1, "remote").ok());
  CHECK_FALSE(f.Undo());
  CHECK(f.Show() == "[]");
  Doc copy;
  Send(f.doc, copy);
  CHECK(copy.EncodeSnapshot(UpdateFormat::kV2) == f.doc.EncodeSnapshot(UpdateFormat::kV2));
}

TEST_CASE("the deepest nesting comes back", "[crdt][undo]") {
  Fixture f(SharedKind::kMap);
  Map map = *f.root.AsMap();
  for (int depth = 1; depth <= Limits().max_depth; ++depth) {
    Ok(map.Set("k", MapOf({})));
    map = *TypeOf(map, "k").AsMap();
  }
  const std::string before = f.Show();
  f.undo.StopCapturing();
  Ok(f.root.AsMap()->Delete("k"));
  CHECK(f.ShowAfterUndo() == before);
}

TEST_CASE("a list of 200,000 elements comes back", "[crdt][undo]") {
  constexpr int kElements = 200'000;
  Fixture f(SharedKind::kArray, OneByOne());
  List list = *f.root.AsList();
  Ok(list.Push({NewType{.kind = SharedKind::kArray}}));
  Ok(TypeAt(list, 0).AsList()->Push(std::vector<Insertable>(kElements, MapOf({{"k", Num(1)}}))));
  Ok(list.Delete(0, 1));
  CHECK(f.Undo());  // looking through the rest for each takes longer than a test may
  CHECK(TypeAt(list, 0).length() == kElements);
}

TEST_CASE("what doesn't fit any more is neither undone nor redone, not even in part", "[crdt][undo]") {
  for (const bool redoes : {false, true}) {
    CAPTURE(redoes);
    Fixture f(SharedKind::kText, OneByOne());
    Text text = *f.root.AsText();
    Ok(text.Insert(0, "one"));
    Ok(text.Insert(3, "two"));
    // Either brings six units back, in two pieces.
    f.doc.Transact([&] {
      Ok(text.Delete(4, 2));
      Ok(text.Delete(0, 4));
      if (redoes) Ok(text.Insert(0, "sixth!"));
    });
    if (redoes) {
      CHECK(f.ShowAfterUndo() == "\"onetwo\"");
    }
    internal::LeaveRoomFor(5, f.doc);
    const std::string before = State(f.doc);
    const auto again = [&] { return redoes ? f.undo.Redo() : f.undo.Undo(); };
    for (int i = 0; i < 2; ++i) {
      CHECK(again().status().code() == absl::StatusCode::kResourceExhausted);
      CHECK(State(f.doc) == before);
      CHECK(f.undo.undo_count() == (redoes ? 2 : 3));
      CHECK(f.undo.redo_count() == (redoes ? 1 : 0));
    }
    // Taking back what needs no room goes on.
    if (redoes) CHECK(f.ShowAfterUndo() == "\"one\"");
  }
}

TEST_CASE("a document may move while it has an undo manager", "[crdt][undo]") {
  Doc moved;
  Doc doc;
  Text text = *doc.GetText("t");
  UndoManager undo(doc, {text});
  moved = std::move(doc);
  Ok(moved.GetText("t")->Insert(0, "a"));
  CHECK(*undo.Undo());
  CHECK(moved.GetText("t")->PlainText().empty());
}

}  // namespace
}  // namespace rivermeet::crdt
