// One large update puts its items in order where single ones walk past each other: both must come to the same list.
#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

// The ids of all units of the root "t", or of the chain of its key "k", in their order.
std::vector<UnitId> UnitsOf(const Doc& doc, bool entries) {
  const Document& document = DocInside::Of(doc);
  const Type& type = document.types[document.roots()[0]];
  ItemRef ref = entries ? (*type.entries)[0].second : type.start;
  while (entries && document.items[ref].left != kNoItem) ref = document.items[ref].left;
  std::vector<UnitId> units;
  for (; ref != kNoItem; ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    for (uint32_t unit = 0; unit < item.length; ++unit) {
      units.push_back({document.structs[item.id.client].id, item.id.clock + unit});
    }
  }
  return units;
}

// A list as Item.js of yjs has it: sets of what was walked past, one item after the other.
class WalkedList {
 public:
  void Integrate(const WireStruct& wire) {
    Item* left = wire.has_origin ? Cut(wire.origin, 1) : nullptr;
    Item* right = wire.has_right_origin ? Cut(wire.right_origin, 0) : nullptr;
    Item& item = items_.emplace_back(
        Item{wire.id, wire.content.length, wire.has_origin, wire.origin, wire.has_right_origin, wire.right_origin});
    std::set<const Item*> before_origin, conflicting;
    for (size_t at = left == nullptr ? 0 : PlaceOf(left) + 1; at < list_.size() && list_[at] != right; ++at) {
      Item* other = list_[at];
      before_origin.insert(other);
      conflicting.insert(other);
      const Item* origin = other->has_origin ? Holder(other->origin) : nullptr;
      if (item.has_origin == other->has_origin && (!item.has_origin || item.origin == other->origin)) {
        if (other->id.client < item.id.client) {
          left = other;
          conflicting.clear();
        } else if (item.has_right == other->has_right && (!item.has_right || item.right == other->right)) {
          break;
        }
      } else if (origin != nullptr && before_origin.contains(origin)) {
        if (!conflicting.contains(origin)) {
          left = other;
          conflicting.clear();
        }
      } else {
        break;
      }
    }
    Add(item, left == nullptr ? 0 : PlaceOf(left) + 1);
  }
  std::vector<UnitId> Units() const {
    std::vector<UnitId> units;
    for (const Item* item : list_) {
      for (uint64_t unit = 0; unit < item->length; ++unit) units.push_back({item->id.client, item->id.clock + unit});
    }
    return units;
  }

 private:
  struct Item {
    UnitId id;
    uint64_t length;
    bool has_origin;
    UnitId origin;
    bool has_right;
    UnitId right;
  };

  Item* Holder(UnitId id) const { return holders_.at({id.client, id.clock}); }
  size_t PlaceOf(const Item* item) const { return std::find(list_.begin(), list_.end(), item) - list_.begin(); }
  void Add(Item& item, size_t at) {
    list_.insert(list_.begin() + at, &item);
    for (uint64_t unit = 0; unit < item.length; ++unit) holders_[{item.id.client, item.id.clock + unit}] = &item;
  }
  // The item that ends with `id` or, `behind` being 0, that begins with it.
  Item* Cut(UnitId id, uint64_t behind) {
    Item* item = Holder(id);
    const uint64_t units = id.clock + behind - item->id.clock;
    if (units == 0 || units == item->length) return item;
    Item& rest = items_.emplace_back(*item);
    rest.id.clock += units;
    rest.length -= units;
    rest.has_origin = true;
    rest.origin = {id.client, rest.id.clock - 1};
    item->length = units;
    Add(rest, PlaceOf(item) + 1);
    return behind == 1 ? item : &rest;
  }

  std::deque<Item> items_;
  std::vector<Item*> list_;
  std::map<std::pair<uint64_t, uint64_t>, Item*> holders_;
};

// What clients write one after the other, anywhere: no honest one would. A client's first has the last of the client
// before as its origin, so that an update of all is taken in in this order.
std::vector<std::vector<WireStruct>> WrittenAnywhere(std::mt19937& random, bool entries) {
  constexpr uint64_t kFirstRun = 300;
  std::vector<UnitId> known;
  const auto any = [&] { return known[random() % known.size()]; };
  std::vector<std::vector<WireStruct>> all;
  for (const uint64_t client : {50, 20, 70, 60, 10, 30}) {
    std::vector<WireStruct>& items = all.emplace_back();
    const UnitId own_place = known.empty() ? UnitId{client, 0} : any();
    uint64_t clock = 0;
    for (size_t i = 0; i < 300; ++i) {
      WireStruct item = OfKind(Text({client, clock}, "t", ""), ContentKind::kDeleted, 1 + random() % 3);
      if (random() % 4 == 0) item = OfKind(item, ContentKind::kType);
      if (known.empty()) {
        item = OfKind(item, ContentKind::kDeleted, kFirstRun);
        if (entries) item = Under(item, "k");
      } else if (i == 0) {
        item = Behind(item, known.back());
      } else {
        // Many at one place, some anywhere, some at the start.
        const bool has_origin = random() % 8 != 0;
        if (has_origin) item = Behind(item, random() % 2 == 0 ? own_place : any());
        if (random() % 2 == 0) {
          item = Before(item, any());
        } else if (!has_origin && entries) {
          item = Under(item, "k");
        }
      }
      clock += item.content.length;
      for (uint64_t unit = 0; unit < item.content.length; ++unit) known.push_back({client, item.id.clock + unit});
      items.push_back(item);
    }
  }
  return all;
}

TEST_CASE("what is placed in order comes where yjs's walk past all others puts it", "[crdt][hostile]") {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const bool entries = seed % 2 == 0;
    std::vector<std::vector<WireStruct>> written = WrittenAnywhere(random, entries);
    WalkedList walked;
    for (const std::vector<WireStruct>& items : written) {
      for (const WireStruct& item : items) walked.Integrate(item);
    }
    std::sort(written.begin(), written.end(),
              [](const auto& a, const auto& b) { return a[0].id.client > b[0].id.client; });
    std::vector<WireStruct> all;
    for (const std::vector<WireStruct>& items : written) all.insert(all.end(), items.begin(), items.end());
    Doc doc({.gc = false});
    REQUIRE(doc.Apply(Update(all, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    CHECK(FaultOf(doc) == "");
    CHECK(UnitsOf(doc, entries) == walked.Units());
  }
}

// Each of two clients always waits for the other's last, so that they write in turns.
TEST_CASE("what two write in turns at one place is the same at once and one by one", "[crdt][hostile]") {
  constexpr uint64_t kTurns = 2'000;
  std::vector<WireStruct> low, high;
  const auto type = [](uint64_t client, uint64_t clock) {
    return OfKind(Text({client, clock}, "t", ""), ContentKind::kType);
  };
  for (uint64_t turn = 0; turn < kTurns; ++turn) {
    low.push_back(type(5, 2 * turn));
    low.push_back(Behind(type(5, 2 * turn + 1), {6, turn == 0 ? 0 : 2 * turn - 1}));
    high.push_back(type(6, 2 * turn));
    high.push_back(Behind(type(6, 2 * turn + 1), {5, 2 * turn}));
  }
  std::vector<WireStruct> all = high;
  all.insert(all.end(), low.begin(), low.end());
  Doc at_once;
  REQUIRE(at_once.Apply(Update(all, UpdateFormat::kV2), UpdateFormat::kV2).ok());
  Doc one_by_one;
  for (uint64_t turn = 0; turn < kTurns; ++turn) {
    for (const WireStruct& item : {low[2 * turn], high[2 * turn], low[2 * turn + 1], high[2 * turn + 1]}) {
      REQUIRE(one_by_one.Apply(Update({item}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    }
  }
  CHECK(!at_once.HasPending());
  CHECK(at_once.EncodeState(UpdateFormat::kV1) == one_by_one.EncodeState(UpdateFormat::kV1));
  CHECK(FaultOf(at_once) == "");
}

}  // namespace
}  // namespace rivermeet::crdt::internal
