// What edits may cost: one that would pass a limit is refused before it is begun.
#include "crdt/limits.h"

#include <sys/mman.h>

#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "crdt/internal/store/room.h"
#include "crdt/testing/attack.h"
#include "crdt/testing/undo_fixture.h"
#include "crdt/versions.h"

namespace rivermeet::crdt {
namespace {

using internal::Exhausted;

const Attributes kBold = {{"bold", Any(true)}};
const Attributes kMany = {{"a", Any(1)}, {"b", Any("x")}, {"c", Any(Any::Null())}};

DeltaStep Inserted(Insertable what, Attributes attributes = {}) {
  return {.kind = DeltaStep::Kind::kInsert, .insert = std::move(what), .attributes = std::move(attributes)};
}
DeltaStep Retained(uint64_t length, Attributes attributes = {}) {
  return {.length = length, .attributes = std::move(attributes)};
}
DeltaStep Deleted(uint64_t length) { return {.kind = DeltaStep::Kind::kDelete, .length = length}; }

// A document with a text, a list and a map.
struct Room {
  explicit Room(const Limits& limits) : doc({.client_id = 1, .limits = limits}) { text(), list(), map(); }

  Text text() { return *doc.GetText("text"); }
  List list() { return *doc.GetArray("list"); }
  Map map() { return *doc.GetMap("map"); }
  uint64_t bytes() const { return internal::DocInside::Of(doc).growing_bytes(); }

  Doc doc;
};

using Edit = std::function<absl::Status(Room&, uint64_t random)>;

// Each adds something.
const std::vector<std::pair<std::string_view, Edit>>& Additions() {
  static const auto& edits = *new std::vector<std::pair<std::string_view, Edit>>{
      {"text", [](Room& room, uint64_t at) { return room.text().Insert(at, "text"); }},
      {"text with attributes", [](Room& room, uint64_t at) { return room.text().Insert(at, "bold", kBold); }},
      {"text with others", [](Room& room, uint64_t at) { return room.text().Insert(at, "many", kMany); }},
      {"an embed",
       [](Room& room, uint64_t at) {
         return room.text().InsertEmbed(at, MapOf({{"k", Num(1)}}));
       }},
      {"an embed with attributes",
       [](Room& room, uint64_t at) { return room.text().InsertEmbed(at, Any("embed"), &kMany); }},
      {"formats", [](Room& room, uint64_t at) { return room.text().Format(at / 2, 5, kBold); }},
      {"new lines", [](Room& room, uint64_t at) { return room.text().Format(0, at + 30, kMany); }},
      {"a delta",
       [](Room& room, uint64_t at) {
         return room.text().ApplyDelta({Retained(at, kBold), Inserted(Any("inserted"), kMany), Deleted(1),
                                        Inserted(MapOf({{"k", Any("embed")}})), Retained(3, kMany), Retained(2)});
       }},
      {"elements",
       [](Room& room, uint64_t at) {
         return room.list().Insert(at % (room.list().length() + 1), {Num(1), Any(Any::Bytes{"bytes"}), Num(2)});
       }},
      {"lists of texts",
       [](Room& room, uint64_t) {
         NewType text{.kind = SharedKind::kText, .text = "a text"};
         return room.list().Push({NewType{.kind = SharedKind::kArray, .items = {text, text, Num(3)}}});
       }},
      {"a value", [](Room& room, uint64_t at) { return room.map().Set(std::to_string(at % 5), Any("value")); }},
      {"a document", [](Room& room, uint64_t) { return room.map().Set("doc", NewSubdocument{.guid = "guid"}); }},
  };
  return edits;
}

// Deletes or takes away something.
absl::Status Remove(Room& room, uint64_t random) {
  const uint64_t at = random / 4;
  switch (random % 4) {
    case 0:
      return room.text().Delete(at % (room.text().length() + 1), 1 + at % 7);
    case 1:
      return room.list().length() == 0 ? absl::OkStatus() : room.list().Delete(at % room.list().length(), 1);
    case 2:
      return room.map().Delete(std::to_string(at % 5));
    default:
      return room.text().Format(at % (room.text().length() + 1), 1, {{"bold", Any(Any::Null())}});
  }
}

TEST_CASE("a full document refuses every edit that adds to it, and stays as it was", "[crdt][limits]") {
  for (const bool of_structs : {true, false}) {
    for (const auto& [what, edit] : Additions()) {
      CAPTURE(of_structs, what);
      Limits limits;
      Room measured(limits);
      Ok(measured.text().Insert(0, "a text of some length"));
      (of_structs ? limits.max_structs : limits.max_document_bytes) =
          of_structs ? measured.doc.StructCount() : measured.bytes();
      Room room(limits);
      Ok(room.doc.Apply(measured.doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
      const std::string before = internal::ViewOf(room.doc);
      uint64_t told = 0;
      const Subscription listening =
          room.doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) { ++told; });
      const absl::Status status = edit(room, 3);
      CHECK(Exhausted(status));
      CHECK(absl::StrContains(status.message(), of_structs ? "max_structs" : "max_document_bytes"));
      CHECK(internal::ViewOf(room.doc) == before);
      CHECK(told == 0);
      // What makes no struct goes on.
      CHECK(room.text().Delete(0, room.text().length()).ok());
      CHECK(room.map().Delete("0").ok());
      CHECK(told == 1);
    }
  }
}

TEST_CASE("no edit takes a document past its limits", "[crdt][limits]") {
  for (const bool in_one : {false, true}) {
    for (const uint32_t seed : {1, 2, 3, 4}) {
      CAPTURE(in_one, seed);
      std::mt19937 random(seed);
      Limits limits;
      limits.max_structs = 150;
      Room room(limits);
      testing::ManualClock clock;
      UndoManager undo(room.doc, {.capture_timeout = absl::ZeroDuration(), .clock = &clock});
      int done = 0, refused = 0, undone = 0;
      const auto step = [&] {
        const uint64_t choice = random() % (Additions().size() + 4);
        const uint64_t at = random() % 100;
        const bool reverts = choice >= Additions().size() + 2;
        const absl::Status status = reverts ? (choice % 2 == 0 ? undo.Undo() : undo.Redo()).status()
                                    : choice >= Additions().size() ? Remove(room, at)
                                                                   : Additions()[choice].second(room, at);
        CHECK((status.ok() || Exhausted(status)));
        CHECK(room.doc.StructCount() <= limits.max_structs);
        ++(!status.ok() ? refused : reverts ? undone : done);
      };
      for (int i = 0; i < 600; ++i) {
        if (in_one) {
          room.doc.Transact([&] {
            for (int j = 0; j < 3; ++j) step();
          });
        } else {
          step();
        }
        if (i % 50 == 49) Ok(room.text().Delete(0, room.text().length()));
      }
      CAPTURE(done, refused, undone);
      CHECK((done > 50 && refused > 50 && undone > 10));
      CHECK(internal::FaultOf(room.doc) == "");
    }
  }
}

TEST_CASE("edits add no more bytes than a document may have, but for the end of a block", "[crdt][limits]") {
  Limits limits;
  limits.max_document_bytes = 2 << 20;
  Room room(limits);
  const std::string text(10'000, 'x');
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    refused += room.text().Insert(0, text).ok() ? 0 : 1;
    refused += room.map().Set(std::to_string(i), Any(text)).ok() ? 0 : 1;
  }
  CHECK(refused > 300);
  CHECK(room.bytes() > 1 << 20);
  CHECK(room.bytes() < (2 << 20) + (512 << 10));
}

TEST_CASE("what others add counts for the edits that follow", "[crdt][limits]") {
  Limits limits;
  limits.max_structs = 100;
  Room room(limits);
  Ok(room.list().Push({Num(1)}));
  Doc other({.client_id = 2});
  for (int i = 0; i < 90; ++i) Ok(other.GetArray("others")->Push({MapOf({})}));
  Ok(room.doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
  CHECK(Exhausted(room.list().Push(std::vector<Insertable>(20, MapOf({})))));
  CHECK(room.doc.StructCount() == 91);
}

TEST_CASE("an edit brings a client that max_clients must have room for", "[crdt][limits]") {
  Limits limits;
  limits.max_clients = 1;
  Room room(limits);
  Doc other({.client_id = 2});
  Ok(other.GetText("text")->Insert(0, "x"));
  Ok(room.doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
  CHECK(Exhausted(room.text().Insert(0, "y")));
  CHECK(room.text().Delete(0, 1).ok());
}

TEST_CASE("undoing is refused when what comes back has no room, and goes on once it has", "[crdt][limits][undo]") {
  Limits limits;
  limits.max_structs = 40;
  Room room(limits);
  UndoManager undo(room.doc, {.capture_timeout = absl::ZeroDuration()});
  Ok(room.list().Push(std::vector<Insertable>(15, MapOf({}))));
  Ok(room.list().Delete(0, 15));
  Ok(room.map().Set("k", NewType{.kind = SharedKind::kArray, .items = std::vector<Insertable>(15, MapOf({}))}));
  const std::string before = internal::ViewOf(room.doc);
  Ok(undo.Undo().status());  // the map's value, which needs no room
  CHECK(Exhausted(undo.Undo().status()));
  CHECK(Exhausted(undo.Undo().status()));
  CHECK(room.list().length() == 0);
  CHECK(undo.undo_count() == 2);
  CHECK(room.doc.StructCount() <= 40);
}

TEST_CASE("new lines past the end of a text are limited by the document's bytes", "[crdt][limits]") {
  Limits limits;
  limits.max_document_bytes = 1 << 20;
  for (const uint64_t length : {uint64_t{1} << 20, uint64_t{4'000'000'000}, ~uint64_t{0}}) {
    Room room(limits);
    Ok(room.text().Insert(0, "text"));
    const std::string before = internal::ViewOf(room.doc);
    CHECK(Exhausted(room.text().Format(2, length, kBold)));
    CHECK(Exhausted(room.text().ApplyDelta({Retained(length)})));
    CHECK(Exhausted(room.text().ApplyDelta({Retained(1), Deleted(2), Retained(length, kBold)})));
    CHECK(internal::ViewOf(room.doc) == before);
  }
  Room room(limits);
  Ok(room.text().Insert(0, std::string(300'000, 'x')));
  // What lies inside costs nothing.
  for (int i = 0; i < 3; ++i) Ok(room.text().ApplyDelta({Retained(100'000), Deleted(1), Retained(150'000, kBold)}));
  Ok(room.text().Format(299'990, 10, kMany));
  CHECK(room.text().PlainText() == std::string(299'997, 'x') + "\n\n\n");
}

TEST_CASE("new lines behind values that a text passes over are counted", "[crdt][limits]") {
  const std::string nulls(100'000, '\x7e');
  internal::WireStruct values =
      internal::OfKind(internal::Text({2, 0}, "text", ""), internal::ContentKind::kAny, nulls.size());
  values.content.data = nulls;
  const std::string update = internal::Update(
      {values, internal::Behind(internal::Text({2, 100'000}, "", "x"), {2, 99'999})}, UpdateFormat::kV1);
  Room measured({});
  Ok(measured.doc.Apply(update, UpdateFormat::kV1));
  Limits limits;
  limits.max_document_bytes = measured.bytes() + update.size() + 1'000;
  Room room(limits);
  Ok(room.doc.Apply(update, UpdateFormat::kV1));
  Ok(room.list().Push({Any(Any::Bytes{std::string(60'000, 'x')})}));
  // The deletion steps over all values on its way to the one character.
  CHECK(Exhausted(room.text().ApplyDelta({Deleted(1), Retained(99'000)})));
  CHECK(room.text().length() == 100'001);
}

TEST_CASE("a refused edit leaves no name behind", "[crdt][limits]") {
  Limits limits;
  limits.max_structs = 2;
  Room room(limits);
  Ok(room.text().Insert(0, "x"));
  Ok(room.map().Set("k", Any(1)));
  const auto refused = [&](int i) {
    const std::string name = std::to_string(i) + std::string(1000, 'n');
    CHECK(Exhausted(room.text().Format(0, 1, {{name, Any(true)}})));
    CHECK(Exhausted(room.text().Insert(0, "x", {{name, Any(true)}})));
    CHECK(Exhausted(room.map().Set(name, Any(1))));
  };
  refused(0);
  const uint64_t bytes = room.bytes();
  for (int i = 1; i < 50; ++i) refused(i);
  CHECK(room.bytes() == bytes);
}

TEST_CASE("a subdocument that is gone leaves neither its name nor its options", "[crdt]") {
  for (const bool listens : {false, true}) {
    CAPTURE(listens);
    Room room({});
    std::string removed;
    Subscription hearing;
    if (listens) {
      hearing = room.doc.OnSubdocuments([&](const SubdocumentsEvent& event) {
        for (const Subdocument& document : event.removed) removed += document.guid;
      });
    }
    const uint64_t before = room.bytes();
    const Any options = Any::Object{{"meta", Any(std::string(1'000'000, 'x'))}};
    REQUIRE(room.list().Push({NewSubdocument{"d", options}}).ok());
    CHECK(room.bytes() > before + 1'000'000);
    REQUIRE(room.list().Delete(0, 1).ok());
    CHECK(room.bytes() < before + 10'000);
    CHECK(removed == (listens ? "dd" : ""));  // yjs tells it twice, too
  }
}

TEST_CASE("reading a text's delta adds nothing to a document", "[crdt]") {
  Room room({});
  REQUIRE(room.text().Insert(0, "x", kBold).ok());
  const uint64_t bytes = room.bytes();
  CHECK(room.text().ToDelta().size() == 1);
  CHECK(YjsDelta(room.text()).size() == 1);
  CHECK(room.bytes() == bytes);
}

TEST_CASE("roots that were got take from the room that edits have", "[crdt]") {
  Room room({.max_document_bytes = 300'000});
  REQUIRE(room.text().Insert(0, "x").ok());
  while (room.doc.GetText(std::to_string(room.bytes())).ok()) continue;
  const uint64_t full = room.bytes();
  while (room.text().Insert(0, "x").ok()) continue;
  CHECK(room.bytes() < full + 50'000);
}

// `size` bytes of nothing that take no memory while they are only read.
class Endless {
 public:
  explicit Endless(uint64_t size)
      : size_(size),
        data_(static_cast<char*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    REQUIRE(data_ != MAP_FAILED);
  }
  Endless(const Endless&) = delete;
  Endless& operator=(const Endless&) = delete;
  ~Endless() { munmap(data_, size_); }

  char* data() { return data_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  const uint64_t size_;
  char* const data_;
};

Limits Roomy() {
  Limits limits;
  limits.max_update_bytes = limits.max_document_bytes = uint64_t{64} << 30;
  return limits;
}

TEST_CASE("a text of 4 GiB is refused before it is looked at", "[crdt][limits]") {
  const Endless text(internal::kMaxContentBytes + 1);
  Room room(Roomy());
  const auto refused = [](const absl::Status& status) {
    CHECK(Exhausted(status));
    CHECK(absl::StrContains(status.message(), "4 GiB"));
  };
  refused(room.text().Insert(0, text.view()));
  refused(room.text().Insert(0, text.view(), kBold));
  CHECK(room.text().length() == 0);
  CHECK(internal::CheckContentSize(internal::kMaxContentBytes).ok());
  refused(internal::CheckContentSize(internal::kMaxContentBytes + 1));
}

TEST_CASE("an update with a struct of 4 GiB is refused, whatever its limits are", "[crdt][limits]") {
  for (const uint64_t size : {internal::kMaxContentBytes, internal::kMaxContentBytes + 1}) {
    // Bytes of client 1 in the list "t".
    std::string head = internal::Hex("0101010003010174");
    internal::WriteVarUint(head, size);
    Endless update(head.size() + size + 1);  // it ends with a zero: nothing is deleted
    head.copy(update.data(), head.size());
    CHECK(CheckUpdate(update.view(), UpdateFormat::kV1, Roomy()).ok() == (size == internal::kMaxContentBytes));
    CHECK((size == internal::kMaxContentBytes ||
           absl::StrContains(CheckUpdate(update.view(), UpdateFormat::kV1, Roomy()).message(), "4 GiB")));
  }
}

// Takes 9 GB: run it by its tag.
TEST_CASE("values and attributes of 4 GiB are refused", "[.][crdt][large]") {
  Room room(Roomy());
  const Insertable value(Any(std::string(internal::kMaxContentBytes, 'x')));  // in front of which stands its length
  CHECK(Exhausted(room.map().Set("k", value)));
  CHECK(Exhausted(room.text().InsertEmbed(0, value)));
  CHECK(Exhausted(room.list().Push(absl::MakeConstSpan(&value, 1))));
  CHECK(room.doc.StructCount() == 0);
}

// An update with a text of `size` bytes, all of them zero, of `client` in the text "text".
std::string HeadOf(uint64_t client, uint64_t size) {
  std::string head = internal::Hex("0101");
  internal::WriteVarUint(head, client);
  head += internal::Hex("0004010474657874");
  internal::WriteVarUint(head, size);
  return head;
}

// Takes 5 GB: run it by its tag.
TEST_CASE("texts and values that come to 4 GiB in all are refused, so that every place counts", "[.][crdt][large]") {
  constexpr uint64_t kHalf = (uint64_t{1} << 31) - 50'000'000;
  Room room(Roomy());
  for (const uint64_t client : {2, 3, 4}) {
    const std::string head = HeadOf(client, kHalf);
    Endless update(head.size() + kHalf + 1);
    head.copy(update.data(), head.size());
    const absl::Status status = room.doc.Apply(update.view(), UpdateFormat::kV1);
    CHECK(status.ok() == (client < 4));
    CHECK((client < 4 || absl::StrContains(status.message(), "4 GiB")));
  }
  CHECK(room.text().length() == 2 * kHalf);
  CHECK(room.text().length(TextUnit::kUtf8) == 2 * kHalf);
  while (room.text().Insert(0, std::string(1'000'000, 'x')).ok()) continue;
  CHECK(room.text().length() > 2 * kHalf + 90'000'000);
  CHECK(room.text().UnitAt(room.text().length() - 1) == u'\0');
}

}  // namespace
}  // namespace rivermeet::crdt
