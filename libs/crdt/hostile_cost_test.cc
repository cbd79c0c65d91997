// What hostile bytes may cost: memory in proportion to their number, but for a fixed amount; and time, too. Where time
// grew with the square these take minutes, and gigabytes.
#include <string>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

constexpr uint64_t kMany = 40'000;

WireStruct Deleted(UnitId id, uint64_t length = 1, std::string_view root = "t") {
  return OfKind(Text(id, root, ""), ContentKind::kDeleted, length);
}
WireStruct TypeItem(UnitId id, std::string_view root = "t") { return OfKind(Text(id, root, ""), ContentKind::kType); }
WireStruct Between(WireStruct item, UnitId origin, UnitId right_origin) {
  return Before(Behind(item, origin), right_origin);
}

// `count` structs, each made from its clock.
template <class Make>
std::vector<WireStruct> Each(uint64_t count, Make make) {
  std::vector<WireStruct> items;
  for (uint64_t clock = 0; clock < count; ++clock) items.push_back(make(clock));
  return items;
}

// Applies both, of which the second is the attack.
void Endure(const std::vector<WireStruct>& known, const std::vector<WireStruct>& items,
            const WireDeleteSet& deletes = {}) {
  Doc doc;
  REQUIRE(doc.GetText("t").ok());
  REQUIRE(doc.Apply(Update(known, UpdateFormat::kV2), UpdateFormat::kV2).ok());
  REQUIRE(doc.Apply(Update(items, UpdateFormat::kV1, deletes), UpdateFormat::kV1).ok());
  CHECK(FaultOf(doc) == "");
}

TEST_CASE("with the default limits an update of 1 kB adds less than 128 MiB to a document", "[crdt][hostile]") {
  const uint64_t most = Limits().max_repeats;
  const std::vector<WireStruct> known = {Deleted({9, 0}, 4 * most), Text({8, 0}, "u", "x")};
  const std::vector<std::pair<std::string_view, std::vector<WireStruct>>> attacks = {
      {"types", Each(most,
                     [](uint64_t i) {
                       return TypeItem({1, i}, "");
                     })},
      {"types that each cut a run twice", Each(most,
                                               [](uint64_t i) {
                                                 return Between(TypeItem({1, i}), {9, 3 * i + 1}, {9, 3 * i + 3});
                                               })},
      {"types that are each the value of a key of another",
       [&] {
         std::vector<WireStruct> items = Each(most / 2, [](uint64_t i) { return TypeItem({2, i}, ""); });
         for (uint64_t i = 0; i < most / 2; ++i) {
           items.push_back(Under(OfKind(Inside(Text({1, i}, "", ""), {2, i}), ContentKind::kType), ""));
         }
         return items;
       }()},
      {"deleted units", Each(most,
                             [](uint64_t i) {
                               return Deleted({1, i}, 1, "");
                             })},
  };
  for (const auto& [what, items] : attacks) {
    CAPTURE(what);
    const std::string update = Update(items, UpdateFormat::kV2);
    REQUIRE(update.size() < 1000);
    Doc doc;
    REQUIRE(doc.Apply(Update(known, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    const uint64_t before = doc.MemoryBytes();
    REQUIRE(doc.Apply(update, UpdateFormat::kV2).ok());
    CHECK(doc.MemoryBytes() - before < 128 << 20);
    CHECK(doc.StructCount() > most / 2);
  }
  Doc doc;
  const std::string more = Update(Each(most + 1000,
                                       [](uint64_t i) {
                                         return TypeItem({1, i}, "");
                                       }),
                                  UpdateFormat::kV2);
  CHECK(Exhausted(Attack(doc, more, UpdateFormat::kV2)));
  CHECK(Exhausted(CheckUpdate(more, UpdateFormat::kV2)));
  CHECK(Exhausted(ConvertUpdate(more, UpdateFormat::kV2, UpdateFormat::kV1).status()));
  // Who wants more says so.
  Limits limits;
  limits.max_repeats = 2 * most;
  CHECK(CheckUpdate(more, UpdateFormat::kV2, limits).ok());
}

TEST_CASE("many that go before many others, each before another, are placed", "[crdt][hostile]") {
  Endure({Deleted({9, 0}, kMany + 2)}, Each(kMany, [](uint64_t i) {
           return Between(TypeItem({5, i}), {9, 0}, {9, i + 1});
         }));
}

TEST_CASE("many that go behind all that goes on from where they do are placed", "[crdt][hostile]") {
  Endure(Each(kMany,
              [](uint64_t i) {
                return i == 0 ? TypeItem({5, 0}) : Behind(TypeItem({5, i}), {5, i - 1});
              }),
         Each(kMany, [](uint64_t i) {
           return Behind(TypeItem({9, i}), {5, i});
         }));
}

TEST_CASE("values that two give one key in turns, each knowing only his own, are placed", "[crdt][hostile]") {
  std::vector<WireStruct> low, high;
  for (uint64_t turn = 0; turn < kMany / 2; ++turn) {
    low.push_back(Under(TypeItem({5, 2 * turn}), "k"));
    low.push_back(Behind(TypeItem({5, 2 * turn + 1}), {6, turn == 0 ? 0 : 2 * turn - 1}));
    high.push_back(Under(TypeItem({6, 2 * turn}), "k"));
    high.push_back(Behind(TypeItem({6, 2 * turn + 1}), {5, 2 * turn}));
  }
  high.insert(high.end(), low.begin(), low.end());
  Endure({}, high);
}

TEST_CASE("ranges that all delete the same are gone through once", "[crdt][hostile]") {
  WireDeleteSet deletes;
  for (uint64_t i = 0; i < 4 * kMany; ++i) deletes.RangesOf(5).push_back({i % 7, kMany});
  const auto before_the_last = [](uint64_t i) {
    return i == 0 ? TypeItem({5, 0}) : Before(Deleted({5, i}), {5, i - 1});
  };
  Endure(Each(kMany, before_the_last), {}, deletes);
}

TEST_CASE("a text is cut in all its characters from behind, between them, and from both sides", "[crdt][hostile]") {
  std::string pairs, letters;
  for (uint64_t i = 0; i < kMany; ++i) pairs += "\xf0\x9f\x98\x80";
  for (uint64_t i = 0; i < 4 * kMany; ++i) letters += "\xc3\xa9";
  Endure({Text({5, 0}, "t", pairs)}, Each(kMany, [](uint64_t i) {
           return Behind(Deleted({6, i}), {5, 2 * (kMany - 1 - i)});
         }));
  Endure({Text({5, 0}, "t", pairs)}, Each(kMany, [](uint64_t i) { return Behind(Deleted({6, i}), {5, 2 * i}); }));
  Endure({Text({5, 0}, "t", letters)}, Each(kMany, [](uint64_t i) {
           return Behind(Deleted({6, i}), {5, 4 * (kMany - 1 - i) + 1});
         }));
  Endure({Text({5, 0}, "t", letters)}, Each(kMany, [](uint64_t i) {
           return Behind(Deleted({6, i}), {5, i % 2 == 0 ? 2 * i + 1 : 4 * (kMany - 1 - i / 2) + 1});
         }));
}

TEST_CASE("values are cut from both sides", "[crdt][hostile]") {
  const std::string nulls(8 * kMany, '\x7e');
  WireStruct values = OfKind(Text({5, 0}, "t", ""), ContentKind::kAny, nulls.size());
  values.content.data = nulls;
  Endure({values}, Each(kMany, [](uint64_t i) {
           return Behind(Deleted({6, i}), {5, i % 2 == 0 ? 4 * i + 1 : 8 * (kMany - 1 - i / 2) + 1});
         }));
}

TEST_CASE("halves of characters that meet one after the other become a text", "[crdt][hostile]") {
  std::vector<WireStruct> items;
  for (uint64_t i = 0; i < kMany; ++i) {
    const WireStruct halves = Text({5, 2 * i}, "t", "\xed\xb8\x80\xed\xa0\xbd");
    items.push_back(i == 0 ? halves : Behind(halves, {5, 2 * i - 1}));
  }
  Doc doc;
  REQUIRE(doc.Apply(Update(items, UpdateFormat::kV2), UpdateFormat::kV2).ok());
  CHECK(doc.StructCount() == 1);
  CHECK(FaultOf(doc) == "");
  CHECK(doc.MemoryBytes() < 10 << 20);
}

TEST_CASE("many deleted between two characters of a formatted text are tidied once", "[crdt][hostile]") {
  WireStruct bold = OfKind(Behind(Text({5, 1}, "t", ""), {5, 0}), ContentKind::kFormat);
  bold.content.name = "b";
  bold.content.data = "\x78";
  std::vector<WireStruct> known = {Text({5, 0}, "t", "x"), bold};
  for (uint64_t i = 2; i < kMany; ++i) known.push_back(Behind(TypeItem({5, i}), {5, i - 1}));
  WireDeleteSet deletes;
  deletes.RangesOf(5).push_back({2, kMany - 2});
  Endure(known, {}, deletes);
}

TEST_CASE("what an update cuts makes three times the structs of the limit at most", "[crdt][hostile]") {
  constexpr uint64_t kMost = 1'000;
  DocOptions options;
  options.limits.max_structs = kMost + 1;
  Doc doc(options);
  REQUIRE(doc.Apply(Update({Deleted({9, 0}, 9 * kMost)}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  const auto cutting = [](uint64_t client) {
    return Update(Each(kMost,
                       [client](uint64_t i) {
                         return Between(TypeItem({client, i}), {9, 3 * i + 1}, {9, 3 * i + 3});
                       }),
                  UpdateFormat::kV1);
  };
  REQUIRE(Attack(doc, cutting(1), UpdateFormat::kV1).ok());
  CHECK(doc.StructCount() > 2 * kMost);
  CHECK(doc.StructCount() <= 3 * options.limits.max_structs);
  CHECK(Exhausted(Attack(doc, cutting(2), UpdateFormat::kV1)));
  WireDeleteSet deletes;
  deletes.RangesOf(9).push_back({8 * kMost, 1});
  CHECK(Exhausted(Attack(doc, Update({}, UpdateFormat::kV1, deletes), UpdateFormat::kV1)));
}

TEST_CASE("types that wait aren't looked at with every update that comes", "[crdt][hostile]") {
  Doc doc;
  const std::string waits = Update(Each(5 * kMany,
                                        [](uint64_t i) {
                                          return i == 0 ? Behind(TypeItem({1, 0}), {2, 0}) : TypeItem({1, i}, "");
                                        }),
                                   UpdateFormat::kV1);
  REQUIRE(doc.Apply(waits, UpdateFormat::kV1).ok());
  for (uint64_t i = 0; i < kMany; ++i) {
    REQUIRE(doc.Apply(Update({TypeItem({3, i}, "")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  }
  CHECK(doc.HasPending());
  CHECK(doc.StructCount() == kMany);
}

TEST_CASE("of what waits only that is tried again which may go on", "[crdt][hostile]") {
  Doc doc;
  SECTION("each struct waits for the next one of another client") {
    REQUIRE(doc.Apply(Update(Each(kMany,
                                  [](uint64_t i) {
                                    return Behind(Text({1, i}, "", "x"), {2, i});
                                  }),
                             UpdateFormat::kV2),
                      UpdateFormat::kV2)
                .ok());
    for (uint64_t i = 0; i < kMany; ++i) {
      REQUIRE(doc.Apply(Update({Text({2, i}, "t", "y")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    }
  }
  SECTION("every other update of one client has come") {
    for (const uint64_t first : {1, 0}) {
      for (uint64_t i = first; i < 2 * kMany; i += 2) {
        REQUIRE(doc.Apply(Update({Text({1, i}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
      }
    }
  }
  SECTION("all the while others wait for what never comes of a client that goes on") {
    std::vector<WireStruct> waiting;
    for (uint64_t i = 0; i < kMany; ++i) waiting.push_back(Behind(Text({kMany - i + 2, 0}, "", "z"), {1, kMany + 1}));
    for (uint64_t i = 0; i < kMany; ++i) waiting.push_back(Behind(Text({1, i}, "", "x"), {2, i}));
    REQUIRE(doc.Apply(Update(waiting, UpdateFormat::kV2), UpdateFormat::kV2).ok());
    constexpr uint64_t kCome = kMany / 4;
    for (uint64_t i = 0; i < kCome; ++i) {
      REQUIRE(doc.Apply(Update({Text({2, i}, "t", "y")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    }
    CHECK(doc.HasPending());
    CHECK(doc.GetText("t")->length() == 2 * kCome);
    return;
  }
  CHECK(!doc.HasPending());
  CHECK(doc.GetText("t")->length() == 2 * kMany);
  CHECK(FaultOf(doc) == "");
}

TEST_CASE("a text with tens of thousands of attributes is tidied, and written on", "[crdt][hostile]") {
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < kMany; ++i) keys.push_back(std::to_string(i % 2 == 0 ? i : kMany + i));
  std::vector<WireStruct> known;
  for (uint64_t i = 0; i < kMany; ++i) {
    WireStruct format = OfKind(Text({5, 2 * i}, "t", ""), ContentKind::kFormat);
    format.content.name = keys[i];
    format.content.data = "\x78";
    known.push_back(i == 0 ? format : Behind(format, {5, 2 * i - 1}));
    known.push_back(Behind(Text({5, 2 * i + 1}, "", "x"), {5, 2 * i}));
  }
  Doc doc;
  const absl::StatusOr<class Text> text = doc.GetText("t");
  REQUIRE(text.ok());
  REQUIRE(doc.Apply(Update(known, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  WireDeleteSet deletes;
  for (uint64_t i = 0; i < kMany; i += 2) deletes.RangesOf(5).push_back({2 * i, 1});
  REQUIRE(doc.Apply(Update({}, UpdateFormat::kV1, deletes), UpdateFormat::kV1).ok());
  class Text written = *text;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(written.Insert(kMany, "end").ok());
    REQUIRE(written.Insert(kMany, "bare", {}).ok());
    REQUIRE(written.Format(kMany / 2, 10, {{"7", Any(i)}}).ok());
    REQUIRE(written.Delete(kMany / 3, 2).ok());
  }
  CHECK(written.length() == kMany + 3 * 5);
  CHECK(FaultOf(doc) == "");
}

TEST_CASE("many subdocuments that come and go at once leave nothing to tell", "[crdt][hostile]") {
  const std::string options = Hex("7600");
  WireDeleteSet deletes;
  deletes.RangesOf(5).push_back({1, kMany - 1});
  Doc doc;
  size_t added = 0, removed = 0;
  const Subscription listening = doc.OnSubdocuments([&](const SubdocumentsEvent& event) {
    added += event.added.size();
    removed += event.removed.size();
  });
  const std::vector<WireStruct> items = Each(kMany, [&](uint64_t i) {
    WireStruct document = OfKind(Text({5, i}, "t", ""), ContentKind::kDoc);
    document.content.name = "g";
    document.content.data = options;
    return document;
  });
  REQUIRE(doc.Apply(Update(items, UpdateFormat::kV2, deletes), UpdateFormat::kV2).ok());
  CHECK(added == 1);
  CHECK(removed == 0);
}

TEST_CASE("a long text in what is an array here is read unit by unit in one pass", "[crdt][hostile]") {
  constexpr uint64_t kUnits = 1'000'000;
  Doc doc;
  const List list = *doc.GetArray("t");
  std::vector<uint64_t> heard;
  const Subscription hearing =
      list.Observe([&](const Event& event) { heard.push_back(event.Delta()[0].inserted.size()); });
  REQUIRE(doc.Apply(Update({Text({1, 0}, "t", std::string(kUnits, 'x'))}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(heard == std::vector{kUnits});
  CHECK(list.ToValues().size() == kUnits);
  CHECK(list.ToJson()->size() == 4 * kUnits + 1);
}

TEST_CASE("a long text as the value of a format is read in one pass as XML", "[crdt][hostile]") {
  constexpr uint64_t kUnits = 300'000;
  Doc doc;
  crdt::Text text = *doc.GetRoot("t", SharedKind::kXmlText)->AsText();
  REQUIRE(text.Insert(0, "x", {{"b", Any(std::string(kUnits, 'x'))}}).ok());
  CHECK(text.ToXml()->size() > kUnits);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
