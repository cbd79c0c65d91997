// Local edits that are refused, and leave the document as it was.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "crdt/insertable.h"
#include "crdt/testing/attack.h"

namespace rivermeet::crdt {
namespace {

using absl::StatusCode;

// A text, an array and a map with something in each.
struct Desk {
  explicit Desk(const Limits& limits = {}) : doc({.client_id = 1, .limits = limits}) {
    CHECK(text.Insert(0, "text").ok());
    CHECK(list.Push({Any(1)}).ok());
    CHECK(map.Set("key", Any("value")).ok());
  }
  void Refuses(const absl::Status& status, StatusCode code) {
    CHECK(status.code() == code);
    CHECK(internal::ViewOf(doc) == before);
  }

  Doc doc;
  Text text = *doc.GetText("text");
  List list = *doc.GetArray("list");
  Map map = *doc.GetMap("map");
  std::string before;
};

NewType ListOf(std::vector<Insertable> items) { return NewType{.kind = SharedKind::kArray, .items = std::move(items)}; }
NewType TextOf(std::string text) { return NewType{.kind = SharedKind::kText, .text = std::move(text)}; }

TEST_CASE("what can't be written for others is refused before anything is changed", "[crdt]") {
  const Any undefined, bigint = Any::BigInt{1};
  const Attributes no_json = {{"bold", Any(true)}, {"size", bigint}};
  const std::string not_utf8 = "a\xff";
  const Any no_guid = Any::Object{{"guid", Any(5)}};
  const std::vector<std::function<absl::Status(Desk&)>> edits = {
      [&](Desk& desk) { return desk.text.Insert(1, not_utf8); },
      [&](Desk& desk) {
        return desk.text.Insert(1, not_utf8, {{"bold", Any(true)}});
      },
      [&](Desk& desk) { return desk.text.Insert(1, "b", no_json); },
      [&](Desk& desk) { return desk.text.Format(1, 1, no_json); },
      [&](Desk& desk) { return desk.text.InsertEmbed(1, undefined); },
      [&](Desk& desk) { return desk.text.InsertEmbed(1, Any(1), &no_json); },
      [&](Desk& desk) {
        return desk.text.ApplyDelta({{DeltaStep{.kind = DeltaStep::Kind::kInsert, .insert = Any("b")},
                                      DeltaStep{.kind = DeltaStep::Kind::kInsert, .insert = bigint}}});
      },
      [&](Desk& desk) {
        return desk.list.Insert(0, {Any(2), undefined});
      },
      [&](Desk& desk) {
        return desk.list.Push({Any(2), bigint});
      },
      [&](Desk& desk) { return desk.list.Push({TextOf(not_utf8)}); },
      [&](Desk& desk) {
        return desk.list.Push({Any(2), NewSubdocument{.guid = "g", .options = Any::Null()}});
      },
      [&](Desk& desk) { return desk.map.Set("key", ListOf({TextOf(not_utf8)})); },
      [&](Desk& desk) { return desk.map.Set(not_utf8, Any(1)); },
      [&](Desk& desk) {
        return desk.map.Set("key", NewType{.entries = {{not_utf8, Any(1)}}});
      },
      [&](Desk& desk) { return desk.list.Push({NewType{.kind = SharedKind::kXmlElement, .name = not_utf8}}); },
      [&](Desk& desk) { return desk.list.Push({NewSubdocument{.guid = not_utf8}}); },
      [&](Desk& desk) {
        return desk.text.Format(1, 1, {{not_utf8, Any(true)}});
      },
      [&](Desk& desk) { return desk.doc.GetText(not_utf8).status(); },
      [&](Desk& desk) { return desk.map.Set("key", NewSubdocument{.guid = "g", .options = no_guid}); },
  };
  for (size_t edit = 0; edit < edits.size(); ++edit) {
    CAPTURE(edit);
    Desk desk;
    desk.before = internal::ViewOf(desk.doc);
    desk.Refuses(edits[edit](desk), StatusCode::kInvalidArgument);
  }
}

TEST_CASE("new types nest up to the limit, with all that is put into them at once", "[crdt]") {
  Desk desk({.max_depth = 3});
  REQUIRE(desk.list.Push({ListOf({Any(1)})}).ok());
  const List inner = *std::get<SharedType>(desk.list.ToValues()[1]).AsList();
  desk.before = internal::ViewOf(desk.doc);
  desk.Refuses(List(inner).Push({ListOf({ListOf({ListOf({})})})}), StatusCode::kResourceExhausted);
  desk.Refuses(List(inner).Push({ListOf({ListOf({TextOf("")})})}), StatusCode::kResourceExhausted);
  desk.Refuses(desk.map.Set("key", ListOf({ListOf({ListOf({ListOf({})})})})), StatusCode::kResourceExhausted);
  desk.Refuses(desk.text.InsertEmbed(0, ListOf({ListOf({ListOf({ListOf({})})})})), StatusCode::kResourceExhausted);
  CHECK(List(inner).Push({ListOf({ListOf({})})}).ok());
  CHECK(desk.map.Set("key", ListOf({ListOf({ListOf({})})})).ok());
}

TEST_CASE("values nest up to the limit, as in updates", "[crdt]") {
  const auto nested = [](int depth) {
    Any value(1);
    for (; depth > 0; --depth) value = depth % 2 == 0 ? Any(Any::Array{value}) : Any(Any::Object{{"in", value}});
    return value;
  };
  const Limits limits{.max_depth = 3};
  Desk desk(limits);
  desk.before = internal::ViewOf(desk.doc);
  const Attributes deep = {{"deep", nested(4)}};
  desk.Refuses(desk.list.Push({Any(1), nested(4)}), StatusCode::kResourceExhausted);
  desk.Refuses(desk.map.Set("key", nested(4)), StatusCode::kResourceExhausted);
  desk.Refuses(desk.map.Set("key", ListOf({nested(4)})), StatusCode::kResourceExhausted);
  desk.Refuses(desk.text.InsertEmbed(0, nested(4)), StatusCode::kResourceExhausted);
  desk.Refuses(desk.text.Insert(0, "a", deep), StatusCode::kResourceExhausted);
  desk.Refuses(desk.text.Format(0, 1, deep), StatusCode::kResourceExhausted);
  const Any options = Any::Object{{"meta", nested(3)}};
  desk.Refuses(desk.list.Push({NewSubdocument{.guid = "g", .options = options}}), StatusCode::kResourceExhausted);
  CHECK(desk.list.Push({Any(1), nested(3)}).ok());
  CHECK(desk.text.Format(0, 1, {{"deep", nested(3)}}).ok());
  CHECK(Doc({.limits = limits}).Apply(desk.doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
}

TEST_CASE("new roots need room, known ones don't", "[crdt]") {
  Desk desk;
  Limits limits;
  limits.max_document_bytes = 0;
  Doc full({.limits = limits});
  CHECK(full.GetText("t").status().code() == StatusCode::kResourceExhausted);
  CHECK(desk.doc.GetText("text").ok());
}

TEST_CASE("what an edit throws comes out of its transaction, which has ended", "[crdt]") {
  Desk desk;
  int told = 0;
  const Subscription listening =
      desk.doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) { ++told; });
  const auto fail = [&] {
    CHECK(desk.text.Insert(0, "half").ok());
    throw std::string("thrown");
  };
  CHECK_THROWS_AS(desk.doc.Transact(fail), std::string);
  CHECK(told == 1);
  CHECK(desk.text.Insert(0, "next").ok());
  CHECK(told == 2);
}

TEST_CASE("what a client has no clocks left for is refused", "[crdt]") {
  // Edits are reckoned by what they need at most, a few units more than what they insert.
  constexpr uint64_t kLeft = 20;
  const std::vector<Insertable> all(kLeft, Any(1)), all_but_one(kLeft - 1, Any(1)), half(kLeft / 2, Any(1));
  const auto with_list = [](const std::vector<Insertable>& items) { return std::vector<Insertable>{ListOf(items)}; };
  const auto with_text = [](const std::string& text) { return std::vector<Insertable>{TextOf(text)}; };
  Desk desk;
  internal::LeaveRoomFor(kLeft, desk.doc);
  desk.before = internal::ViewOf(desk.doc);
  desk.Refuses(desk.text.Insert(0, std::string(kLeft + 1, 'x')), StatusCode::kResourceExhausted);
  desk.Refuses(desk.list.Push(with_list(all)), StatusCode::kResourceExhausted);
  desk.Refuses(desk.list.Push(with_text(std::string(kLeft, 'x'))), StatusCode::kResourceExhausted);
  desk.Refuses(desk.list.Push({ListOf(with_list(all_but_one))}), StatusCode::kResourceExhausted);
  desk.Refuses(desk.map.Set("key", NewType{.entries = {{"a", ListOf(all_but_one)}}}), StatusCode::kResourceExhausted);
  CHECK(desk.list.Push(with_list(half)).ok());
  CHECK(internal::FaultOf(desk.doc) == "");
}

TEST_CASE("a root has one kind for ever", "[crdt]") {
  Desk desk;
  desk.before = internal::ViewOf(desk.doc);
  desk.Refuses(desk.doc.GetText("list").status(), StatusCode::kFailedPrecondition);
  desk.Refuses(desk.doc.GetMap("text").status(), StatusCode::kFailedPrecondition);
  CHECK(desk.doc.GetMap("text").status().message() == R"(the root "text" is a text already, and can't be a map)");
  CHECK(desk.doc.GetArray("list").ok());
}

TEST_CASE("of several updates those before a refused one stay, and those behind it aren't looked at", "[crdt]") {
  const auto letter = [](uint64_t client) {
    return internal::Update({internal::Text({client, 0}, "t", "x")}, UpdateFormat::kV1);
  };
  const std::string good = letter(1), cut = letter(2).substr(0, 5), last = letter(3);
  Doc doc;
  const absl::Status status = doc.ApplyAll({{{good}, {cut}, {last}}});
  CHECK(internal::Refused(status));
  CHECK(absl::StrContains(status.message(), "update 1"));
  CHECK(doc.EncodeState(UpdateFormat::kV1) == good);
}

TEST_CASE("who meets updates of his own client goes on as another", "[crdt]") {
  Doc doc({.client_id = 1});
  REQUIRE(doc.Apply(internal::Update({internal::Text({1, 0}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(doc.client_id() != 1);
}

}  // namespace
}  // namespace rivermeet::crdt
