// The cases of yjs's own tests of its undo manager. The bytes are what yjs 13.6.33 has at their end.
#include "crdt/undo_manager.h"

#include "catch2/catch.hpp"
#include "crdt/testing/undo_fixture.h"
#include "fmt/format.h"

namespace rivermeet::crdt {
namespace {

TEST_CASE("an endless capture timeout still lets go on demand", "[crdt][undo]") {
  Fixture f(SharedKind::kArray, {.capture_timeout = absl::InfiniteDuration()});
  List list = *f.root.AsList();
  Ok(list.Push({Num(1), Num(2), Num(3)}));
  f.undo.StopCapturing();
  Ok(list.Push({Num(4), Num(5), Num(6)}));
  CHECK(f.ShowAfterUndo() == "[1,2,3]");
}

TEST_CASE("text comes and goes beside what others do to it, with its formats", "[crdt][undo]") {
  Fixture f;
  Doc other({.client_id = 2});
  Text text = *f.root.AsText(), others = *other.GetText("t");
  Ok(text.Insert(0, "test"));
  Ok(text.Delete(0, 4));
  f.Undo();
  CHECK(f.Show() == "\"\"");

  Ok(text.Insert(0, "a"));
  f.undo.StopCapturing();
  Ok(text.Delete(0, 1));
  f.undo.StopCapturing();
  CHECK(f.ShowAfterUndo() == "\"a\"");
  CHECK(f.ShowAfterUndo() == "\"\"");

  Ok(text.Insert(0, "abc"));
  Ok(others.Insert(0, "xyz"));
  Sync(f.doc, other);
  CHECK(f.Show() == "\"abcxyz\"");
  CHECK(f.ShowAfterUndo() == "\"xyz\"");
  CHECK(f.ShowAfterRedo() == "\"abcxyz\"");
  Sync(f.doc, other);
  Ok(others.Delete(0, 1));
  Sync(f.doc, other);
  CHECK(f.ShowAfterUndo() == "\"xyz\"");
  CHECK(f.ShowAfterRedo() == "\"bcxyz\"");

  Ok(text.Format(1, 3, {{"bold", Any(true)}}));
  CHECK(f.Undo());
  CHECK(f.Redo());
  CHECK(State(f.doc) ==
        "0202020004010174027879840201017a0c01000401017404746573748401030161c401030104016184010403616263c4010401060161c4"
        "01090106026263c40109010a0162c4010c010a0163c6010c010d04626f6c640474727565c60201020204626f6c64046e756c6cc6010c01"
        "0e04626f6c640474727565c60201010f04626f6c64046e756c6c010102000c0e02");
}

TEST_CASE("formatting over runs that differ leaves the same formats however the text came", "[crdt][undo]") {
  Doc first({.client_id = 1, .gc = false}), second({.client_id = 2, .gc = false});
  Text text = *first.GetText("text");
  Ok(text.Insert(0, " After", {{"type", Any("text")}, {"italic", Any(true)}}));
  Ok(text.Insert(0, "Test", {{"type", Any("text")}}));
  Ok(text.Insert(0, "Merge ", {{"type", Any("text")}, {"bold", Any(true)}}));
  (void)second.GetText("text");
  Send(first, second);
  for (Doc* doc : {&first, &second}) {
    Text formatted = *doc->GetText("text");
    Ok(formatted.Format(0, 6, {{"bold", Any(Any::Null())}}));
    Ok(formatted.Format(6, 4, {{"type", Any("text")}}));
    CHECK(State(*doc) ==
          "0109010006010474657874047479706506227465787422860100066974616c6963047472756584010106204166746572860107047479"
          "7065046e756c6c860108066974616c6963046e756c6cc4010001010454657374c60100010a04626f6c640474727565c4010e010a064d"
          "6572676520c60114010a04626f6c64046e756c6c0101020e011501");
  }
}

TEST_CASE("a scope may be empty at first", "[crdt][undo]") {
  Doc doc;
  UndoManager undo(doc, absl::Span<const SharedType>());
  List list = *doc.GetArray("a");
  undo.AddToScope(list);
  Ok(list.Insert(0, {Num(1)}));
  CHECK(*undo.Undo());
  CHECK(list.length() == 0);
}

TEST_CASE("what an update does where it mustn't is rejected by undoing it", "[crdt][undo]") {
  Doc first({.client_id = 1}), second({.client_id = 2}), doc({.client_id = 3});
  Ok(first.GetArray("restricted")->Insert(0, {Num(1)}));
  Ok(first.GetArray("public")->Insert(0, {Num(1)}));
  Ok(second.GetArray("public")->Insert(0, {Num(2)}));
  const SharedType restricted = *doc.GetArray("restricted");
  for (const Doc* from : {&first, &second}) {
    UndoManager undo(doc, {restricted}, {.tracked_origins = {"remote"}});
    Send(*from, doc);
    while (undo.can_undo()) (void)undo.Undo();
  }
  CHECK(restricted.length() == 0);
  CHECK(doc.GetArray("public")->length() == 2);
  CHECK(State(doc) ==
        "020102000801067075626c6963017d0202010008010a72657374726963746564017d010801067075626c6963017d01"
        "0101010001");
}

TEST_CASE("the whole document may be the scope", "[crdt][undo]") {
  Doc doc({.client_id = 1});
  UndoManager undo(doc);
  List list = *doc.GetArray("a");
  Ok(list.Insert(0, {Num(1)}));
  CHECK(*undo.Undo());
  CHECK(list.length() == 0);
  CHECK(State(doc) == "0101010008010161017d010101010001");
}

TEST_CASE("after one undo too many edits go where they should", "[crdt][undo]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  Ok(text.Insert(0, "1221"));
  UndoManager undo(doc, {text});
  Ok(text.Insert(2, "3"));
  Ok(text.Insert(3, "3"));
  CHECK(*undo.Undo());
  CHECK_FALSE(*undo.Undo());
  Ok(text.Insert(2, "3"));
  CHECK(text.PlainText() == "12321");
  CHECK(State(doc) == "0104010004010174023132840101023231c401010102023333c40105010201330101010402");
}

TEST_CASE("a key gets back its value, but not over one that somebody else gave it", "[crdt][undo]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  Map map = *doc.GetMap("m"), others = *other.GetMap("m");
  Ok(map.Set("a", Num(0)));
  UndoManager undo(doc, {map});
  const auto after = [&](const absl::StatusOr<bool>& done) {
    REQUIRE(done.ok());
    return Shown(map);
  };
  Ok(map.Set("a", Num(1)));
  CHECK(after(undo.Undo()) == "{a:0}");
  CHECK(after(undo.Redo()) == "{a:1}");
  Ok(map.Set("a", MapOf({})));
  Ok(TypeOf(map, "a").AsMap()->Set("x", Num(42)));
  CHECK(after(undo.Undo()) == "{a:1}");
  CHECK(after(undo.Redo()) == "{a:{x:42}}");
  Sync(doc, other);
  Ok(others.Set("a", Num(44)));
  Sync(doc, other);
  CHECK(after(undo.Undo()) == "{a:44}");
  CHECK(after(undo.Redo()) == "{a:44}");

  Ok(map.Set("b", Any("initial")));
  undo.StopCapturing();
  Ok(map.Set("b", Any("val1")));
  Ok(map.Set("b", Any("val2")));
  undo.StopCapturing();
  CHECK(after(undo.Undo()) == "{a:44,b:\"initial\"}");
  CHECK(State(doc) ==
        "02010200a80107017d2c0c01002801016d0161017d00a80100017d01a80101017d00a80102017d01a7010301280001040178017d2aa801"
        "04017d01a7010601280001070178017d2a2801016d0162017707696e697469616ca8010902770476616c31770476616c32a8010b017707"
        "696e697469616c010101000c");
}

TEST_CASE("an embedded type comes back with its attributes, for others too", "[crdt][undo]") {
  Fixture f;
  Doc other({.client_id = 2});
  Text text = *f.root.AsText();
  NewType button{.kind = SharedKind::kXmlElement, .name = "button"};
  button.items = {NewType{.kind = SharedKind::kXmlText, .text = "Click me"}};
  button.entries = {{"type", Any("button")}, {"test", Any("yes")}};
  Ok(text.InsertEmbed(0, button));
  Sync(f.doc, other);
  f.undo.StopCapturing();
  Ok(TypeAt(text, 0).AsMap()->Set("type", Any("paragraph")));
  Ok(text.Delete(0, 1));
  CHECK(f.Undo());
  const std::string expected = "<button type:\"button\",test:\"yes\">[\"Click me\"]";
  CHECK(Shown(text.At(0)) == expected);
  Sync(f.doc, other);
  CHECK(Shown(other.GetText("t")->At(0)) == expected);
  CHECK(State(f.doc) ==
        "010b0100070101740306627574746f6e07000100060400010108436c69636b206d65280001000474797065017706627574746f6e280001"
        "000474657374017703796573a8010a0177097061726167726170684701000306627574746f6e0700010d060400010e08436c69636b206d"
        "652800010d0474797065017706627574746f6e2800010d0474657374017703796573010101000d");
}

TEST_CASE("elements of a list come and go, and what changed inside them", "[crdt][undo]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  List list = *doc.GetArray("a"), others = *other.GetArray("a");
  UndoManager undo(doc, {list});
  const auto after = [&](const absl::StatusOr<bool>& done) { return *done ? Shown(list) : "nothing done"; };
  Ok(list.Insert(0, {Num(1), Num(2), Num(3)}));
  Ok(others.Insert(0, {Num(4), Num(5), Num(6)}));
  Sync(doc, other);
  CHECK(after(undo.Undo()) == "[4,5,6]");
  CHECK(after(undo.Redo()) == "[1,2,3,4,5,6]");
  Sync(doc, other);
  Ok(others.Delete(0, 1));
  Sync(doc, other);
  CHECK(after(undo.Undo()) == "[4,5,6]");
  CHECK(after(undo.Redo()) == "[2,3,4,5,6]");
  Ok(list.Delete(0, 5));
  Ok(list.Insert(0, {MapOf({})}));
  undo.StopCapturing();
  Ok(TypeAt(list, 0).AsMap()->Set("a", Num(1)));
  CHECK(after(undo.Undo()) == "[{}]");
  CHECK(after(undo.Undo()) == "[2,3,4,5,6]");
  CHECK(after(undo.Redo()) == "[{}]");
  CHECK(after(undo.Redo()) == "[{a:1}]");
  Sync(doc, other);
  Ok(TypeAt(others, 0).AsMap()->Set("b", Num(2)));
  Sync(doc, other);
  CHECK(after(undo.Undo()) == "[{b:2}]");
  CHECK(after(undo.Undo()) == "[2,3,4,5,6]");
  CHECK(after(undo.Redo()) == "[{b:2}]");
  CHECK(after(undo.Redo()) == "[{b:2,a:1}]");
  CHECK(
      State(doc) ==
      "0202020008010161037d047d057d062800010f0162017d020f010008010161037d017d027d03480100017d01c801030100027d027d03c8"
      "01030104027d027d0347010301280001080161017d01c801030106027d027d03c801020200037d047d057d06470108012800010f016101"
      "7d01c80103010a027d027d03c80102010c037d047d057d0647010f01280001160162017d02280001160161017d01020201000401010016");
}

TEST_CASE("a node of XML comes back with the formats of its text", "[crdt][undo]") {
  Doc doc({.client_id = 1});
  const SharedType root = *doc.GetRoot("x", SharedKind::kXmlElement);
  UndoManager undo(doc, {root});
  List nodes = *root.AsList();
  Ok(nodes.Insert(0, {NewType{.kind = SharedKind::kXmlElement, .name = "p"}}));
  Ok(TypeAt(root, 0).AsList()->Insert(0, {NewType{.kind = SharedKind::kXmlText, .text = "content"}}));
  undo.StopCapturing();
  Ok(TypeAt(TypeAt(root, 0), 0).AsText()->Format(3, 4, {{"bold", Any(Any::Object())}}));
  CHECK(*undo.Undo());
  CHECK(*undo.Redo());
  Ok(nodes.Delete(0, 1));
  CHECK(Shown(root) == "< >[]");
  CHECK(*undo.Undo());
  CHECK(Shown(root) == "< >[<p >[\"content\"]]");
  CHECK(State(doc) ==
        "010e01000701017803017007000100060400010103636f6e8401040474656e74c60104010504626f6c64027b7d86010804626f6c64046e"
        "756c6cc60104010904626f6c64027b7dc60108010a04626f6c64046e756c6c4701000301700700010d060400010e03636f6e8401110474"
        "656e74c60111011204626f6c64027b7d86011504626f6c64046e756c6c010101000d");
}

TEST_CASE("listeners keep notes with an item of the stack and get them back", "[crdt][undo]") {
  Fixture f;
  int counter = 0;
  std::vector<std::string> told;
  const auto changed = [&](const UndoManager::Event& event) {
    return event.changed.size() == 1 && event.changed[0].PlainText() == f.root.PlainText();
  };
  const Subscription added = f.undo.OnAdded([&](UndoManager::Event& event) {
    CHECK(changed(event));
    event.notes["test"] = Num(counter++);
  });
  const Subscription updated =
      f.undo.OnUpdated([&](UndoManager::Event& event) { told.push_back("updated by " + std::string(event.origin)); });
  const Subscription popped = f.undo.OnPopped([&](UndoManager::Event& event) {
    CHECK(changed(event));
    told.push_back((event.stack == UndoManager::Stack::kUndo ? "undone " : "redone ") + *event.notes["test"].ToJson());
  });
  const Subscription cleared =
      f.undo.OnCleared([&](bool undo, bool redo) { told.push_back(fmt::format("cleared {} {}", undo, redo)); });
  Text text = *f.root.AsText();
  Ok(text.Insert(0, "abc"));
  Ok(text.Insert(0, "d"));
  f.Undo();
  f.Redo();
  f.undo.Clear();
  CHECK(told == std::vector<std::string>{"updated by ", "undone 0", "redone 1", "cleared true true"});
}

TEST_CASE("origins can be tracked by name, or all that have one", "[crdt][undo]") {
  Fixture named(SharedKind::kText, {.tracked_origins = {"user"}});
  Fixture all(SharedKind::kText, {.tracked_origins = {}, .track_named_origins = true});
  for (Fixture* f : {&named, &all}) {
    Text text = *f->root.AsText();
    Ok(text.Insert(0, "x"));
    CHECK_FALSE(f->Undo());
    f->doc.Transact([&] { Ok(text.Insert(1, "abc")); }, "user");
    f->doc.Transact([&] { Ok(text.Insert(0, "imported ")); }, "import");
    CHECK(f->Undo());
  }
  CHECK(named.Show() == "\"imported x\"");
  CHECK(all.Show() == "\"x\"");
}

TEST_CASE("a type inside another may be the scope", "[crdt][undo]") {
  Doc doc;
  List list = *doc.GetArray("a");
  Ok(list.Insert(0, {NewType{.kind = SharedKind::kText}, NewType{.kind = SharedKind::kText}}));
  const SharedType first = TypeAt(list, 0), second = TypeAt(list, 1);
  UndoManager undo_first(doc, {first}), undo_both(doc, {first, second});
  Ok(second.AsText()->Insert(0, "abc"));
  CHECK(undo_first.undo_count() == 0);
  CHECK(undo_both.undo_count() == 1);
  CHECK_FALSE(*undo_first.Undo());
  CHECK(second.PlainText() == "abc");
  CHECK(*undo_both.Undo());
  CHECK(second.PlainText().empty());
}

TEST_CASE("what changed in an embedded text is undone before the text itself", "[crdt][undo]") {
  Fixture f;
  Text text = *f.root.AsText();
  const Attributes bold = {{"bold", Any(true)}};
  Ok(text.InsertEmbed(0, NewType{.kind = SharedKind::kText, .text = "initial text"}, &bold));
  f.undo.StopCapturing();
  Text nested = *TypeAt(text, 0).AsText();
  Ok(nested.Delete(0, nested.length()));
  Ok(nested.Insert(0, "other text"));
  CHECK(f.Undo());
  CHECK(nested.PlainText() == "initial text");
  CHECK(f.Undo());
  CHECK(text.length() == 0);
  CHECK(State(f.doc) ==
        "010601000601017404626f6c64047472756587010002040001010c696e697469616c207465787486010104626f6c64046e756c6c84010d"
        "0a6f7468657220746578744401020c696e697469616c20746578740101010025");
}

TEST_CASE("a filter keeps things from being deleted by undoing", "[crdt][undo]") {
  UndoOptions options;
  options.delete_filter = [](const UndoneItem& item) {
    CHECK((item.key == "hi" || item.parent.kind() == SharedKind::kArray));
    return item.type.has_value() && item.type->AsMap()->Keys().empty();
  };
  Fixture f(SharedKind::kArray, options);
  Ok(f.root.AsList()->Insert(0, {MapOf({{"hi", Num(1)}}), MapOf({})}));
  CHECK(f.ShowAfterUndo() == "[{hi:1}]");
}

TEST_CASE("what somebody else made meaningless is passed over", "[crdt][undo]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  const Subscription there = Link(doc, other), back = Link(other, doc);
  List list = *doc.GetArray("a"), others = *other.GetArray("a");
  Ok(list.Push({MapOf({{"hello", Any("world")}})}));
  Ok(list.Push({MapOf({{"key", Any("value")}})}));
  UndoManager undo(doc, {list}, {.tracked_origins = {"1"}});
  UndoManager others_undo(other, {others}, {.tracked_origins = {"2"}});
  const SharedType first = TypeAt(list, 0), second = TypeAt(list, 1);
  doc.Transact([&] { Ok(second.AsMap()->Set("key", Any("value modified"))); }, "1");
  undo.StopCapturing();
  doc.Transact([&] { Ok(first.AsMap()->Set("hello", Any("world modified"))); }, "1");
  other.Transact([&] { Ok(others.Delete(0, 1)); }, "2");
  CHECK(*others_undo.Undo());
  CHECK(*undo.Undo());
  CHECK(Shown(list) == "[{hello:\"world modified\"},{key:\"value\"}]");
  CHECK(State(doc) ==
        "0202020047010001280002000568656c6c6f01770e776f726c64206d6f6469666965640701000701016101280001000568656c6c6f0177"
        "05776f726c648701000128000102036b657901770576616c7565a8010301770e76616c7565206d6f646966696564a1010101a801040177"
        "0576616c756501010200020303");
}

TEST_CASE("maps inside maps are undone and redone step by step", "[crdt][undo]") {
  const int blocks = GENERATE(3, 4);
  Fixture f(SharedKind::kMap, OneByOne(), /*gc=*/false);
  Map design = *f.root.AsMap();
  const auto block = [](int number) { return MapOf({{"text", Any(std::to_string(number))}}); };
  const auto expected = [](int number) {
    return number == 0 ? std::string("{}") : fmt::format("{{text:{{blocks:{{text:\"{}\"}}}}}}", number);
  };
  Ok(design.Set("text", MapOf({{"blocks", block(1)}})));
  for (int i = 2; i <= blocks; ++i) Ok(TypeOf(design, "text").AsMap()->Set("blocks", block(i)));
  CHECK(f.Show() == expected(blocks));
  for (int i = blocks - 1; i >= 0; --i) CHECK(f.ShowAfterUndo() == expected(i));
  for (int i = 1; i <= blocks; ++i) CHECK(f.ShowAfterRedo() == expected(i));
  if (blocks == 4) {
    CHECK(
        State(f.doc) ==
        "01180100270101740474657874012700010006626c6f636b730128000101047465787401770131a701010128000103047465787401770"
        "132a701030128000105047465787401770133a701050128000107047465787401770134a701070128000109047465787401770133a701"
        "09012800010b047465787401770132a7010b012800010d047465787401770131a70100012700010f06626c6f636b73012800011004746"
        "5787401770131a701100128000112047465787401770132a701120128000114047465787401770133a7011401280001160474657874"
        "01770134010102000f1006");
  }
}

TEST_CASE("redo follows a map through all the maps that took its place", "[crdt][undo]") {
  Fixture f(SharedKind::kMap);
  Ok(f.root.AsMap()->Set("a", MapOf({{"x", Num(0)}, {"y", Num(0)}})));
  for (const int value : {100, 200, 300}) {
    f.undo.StopCapturing();
    Ok(TypeOf(f.root, "a").AsMap()->Set("x", Num(value)));
    Ok(TypeOf(f.root, "a").AsMap()->Set("y", Num(value)));
  }
  const auto expected = [](int value) { return fmt::format("{{a:{{x:{0},y:{0}}}}}", value); };
  for (const int value : {200, 100, 0}) CHECK(f.ShowAfterUndo() == expected(value));
  CHECK(f.ShowAfterUndo() == "{}");
  for (const int value : {0, 100, 200, 300}) CHECK(f.ShowAfterRedo() == expected(value));
}

TEST_CASE("redo brings back every change of an element's attributes", "[crdt][undo]") {
  UndoOptions options = OneByOne();
  options.tracked_origins = {"origin"};
  Fixture f(SharedKind::kXmlFragment, options);
  List fragment = *f.root.AsList();
  const auto change = [&](std::vector<std::pair<std::string, std::string>> attributes) {
    f.doc.Transact(
        [&] {
          for (const auto& [key, value] : attributes) Ok(TypeAt(fragment, 0).AsMap()->Set(key, Any(value)));
        },
        "origin");
  };
  NewType node{.kind = SharedKind::kXmlElement, .name = "test-node"};
  node.entries = {{"a", Any("100")}, {"b", Any("0")}};
  f.doc.Transact([&] { Ok(fragment.Insert(0, {node})); }, "origin");
  change({{"a", "200"}});
  change({{"a", "180"}, {"b", "50"}});
  for (int i = 0; i < 3; ++i) f.Undo();
  CHECK(f.Show() == "[]");
  for (int i = 0; i < 3; ++i) f.Redo();
  CHECK(f.Show() == "[<test-node b:\"50\",a:\"180\">[]]");
  CHECK(State(f.doc) ==
        "010e0100070101740309746573742d6e6f646528000100016101770331303028000100016201770130a80101017703323030a801030177"
        "03313830a801020177023530a8010501770130a80104017703323030a801070177033130304701000309746573742d6e6f646528000109"
        "0162017701302800010901610277033130307703323030a8010c017703313830a8010a017702353001010200090a03");
}

TEST_CASE("undoing a format leaves others the same text", "[crdt][undo]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  Text text = *doc.GetText("t");
  Ok(text.Insert(0, "Attack ships on fire off the shoulder of Orion."));
  (void)other.GetText("t");
  Send(doc, other);
  UndoManager undo(doc, {text});
  Ok(text.Format(13, 7, {{"bold", Any(true)}}));
  undo.StopCapturing();
  Send(doc, other);
  Ok(text.Format(16, 4, {{"bold", Any(Any::Null())}}));
  Send(doc, other);
  CHECK(*undo.Undo());
  REQUIRE(other.Apply(doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(State(doc) ==
        "01080100040101740d41747461636b2073686970732084010c036f6e2084010f04666972658401131b206f6666207468652073686f756c"
        "646572206f66204f72696f6e2ec6010c010d04626f6c640474727565c60113011404626f6c64046e756c6cc6010f011004626f6c64046e"
        "756c6cc60113013004626f6c64046e756c6c0101013002");
  CHECK(other.EncodeSnapshot(UpdateFormat::kV1) == doc.EncodeSnapshot(UpdateFormat::kV1));
}

TEST_CASE("others' values of a key can be undone away", "[crdt][undo]") {
  Fixture f(SharedKind::kMap, {.ignore_remote_map_changes = true});
  Doc other({.client_id = 2});
  const Subscription there = Link(f.doc, other), back = Link(other, f.doc);
  Map map = *f.root.AsMap(), others = *other.GetMap("t");
  Ok(map.Set("x", Num(1)));
  Ok(others.Set("x", Num(2)));
  Ok(map.Set("x", Num(3)));
  Ok(others.Set("x", Num(4)));
  CHECK(f.ShowAfterUndo() == "{x:2}");
  CHECK(Shown(others) == "{x:2}");
}

TEST_CASE("an attribute that changed before its element went comes back as it was", "[crdt][undo]") {
  Fixture f(SharedKind::kXmlFragment, {.tracked_origins = {"undoable"}});
  List fragment = *f.root.AsList();
  NewType node{.kind = SharedKind::kXmlElement, .name = "test"};
  node.entries = {{"a", Any("1")}, {"b", Any("2")}};
  Ok(fragment.Insert(0, {node}));
  f.doc.Transact(
      [&] {
        Ok(TypeAt(fragment, 0).AsMap()->Set("b", Any("3")));
        Ok(fragment.Delete(0, 1));
      },
      "undoable");
  CHECK(f.Show() == "[]");
  CHECK(f.ShowAfterUndo() == "[<test a:\"1\",b:\"2\">[]]");
}

TEST_CASE("deleted values of a key come back one by one", "[crdt][undo]") {
  Fixture f(SharedKind::kMap, OneByOne());
  Map map = *f.root.AsMap();
  for (const char* value : {"a", "b", "c"}) {
    Ok(map.Set("a", Any(value)));
    Ok(map.Delete("a"));
  }
  Ok(map.Set("a", Any("d")));
  for (const char* expected : {"{}", "{a:\"c\"}", "{}", "{a:\"b\"}", "{}", "{a:\"a\"}"})
    CHECK(f.ShowAfterUndo() == expected);
}

TEST_CASE("the notes of what is undone are there while the change is told", "[crdt][undo]") {
  Fixture f;
  const Subscription added = f.undo.OnAdded([](UndoManager::Event& event) { event.notes["str"] = Any("42"); });
  std::vector<std::string> seen;
  const Subscription listening = f.doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) {
    seen.push_back(f.undo.current_notes() == nullptr ? "none" : *(*f.undo.current_notes())["str"].text());
  });
  Ok(f.root.AsText()->Insert(0, "abc"));
  f.Undo();
  f.Redo();
  CHECK(seen == std::vector<std::string>{"none", "42", "42"});
  CHECK(f.undo.current_notes() == nullptr);
}

}  // namespace
}  // namespace rivermeet::crdt
