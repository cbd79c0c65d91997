#include "crdt/testing/document_check.h"

#include <limits>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/utf.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {

// Walks a position index beside the list that it is of.
class IndexChecker {
 public:
  IndexChecker(const ItemArena& items, const PositionIndex& index) : items_(items), index_(index) {}

  std::string FindFault(ItemRef start) {
    index_.Settle();
    ItemRef at = start;
    Extent total;
    const std::string fault = CheckNode(index_.root_, PositionIndex::kNone, at, total);
    if (!fault.empty()) return fault;
    if (at != kNoItem) return fmt::format("item {} is past the index's end", at);
    if (total != index_.total_) return "the index's total is not the sum";
    if (segments_ + index_.free_segments_.size() != index_.segments_.size()) return "a segment is lost";
    if (nodes_ + index_.free_nodes_.size() != index_.nodes_.size()) return "a node is lost";
    return {};
  }

 private:
  // The depth is logarithmic, so recursion is no danger.
  std::string CheckNode(uint32_t number, uint32_t parent, ItemRef& at, Extent& total) {
    ++nodes_;
    const PositionIndex::Node& node = index_.nodes_[number];
    if (node.parent != parent) return fmt::format("node {} has another parent", number);
    for (uint32_t i = 0; i < node.count; ++i) {
      Extent sum;
      const std::string fault =
          node.leaf ? CheckSegment(node.child[i], number, at, sum) : CheckNode(node.child[i], number, at, sum);
      if (!fault.empty()) return fault;
      if (sum != node.extent[i]) return fmt::format("child {} of node {} is of another extent", i, number);
      total.Add(sum);
    }
    return {};
  }

  std::string CheckSegment(uint32_t number, uint32_t node, ItemRef& at, Extent& sum) {
    ++segments_;
    const PositionIndex::Segment& segment = index_.segments_[number];
    if (segment.node != node) return fmt::format("segment {} has another node", number);
    if (segment.items > 0 && segment.first != at) return fmt::format("segment {} begins elsewhere", number);
    for (uint32_t i = 0; i < segment.items; ++i, at = items_[at].right) {
      if (at == kNoItem) return fmt::format("segment {} has more items than the list", number);
      if (items_[at].place != number) return fmt::format("item {} names another segment", at);
      sum.Add(ExtentOf(items_[at]));
    }
    if (sum != segment.extent) return fmt::format("segment {} is of another extent", number);
    return {};
  }

  const ItemArena& items_;
  const PositionIndex& index_;
  uint32_t segments_ = 0;
  uint32_t nodes_ = 0;
};

namespace {

// Walks the structs by client, then the types.
class Checker {
 public:
  explicit Checker(const Document& document) : document_(document), items_(document.items) {}

  std::string FindFault() {
    for (ClientIndex c = 0; c < document_.structs.size() && ok(); ++c) CheckClient(c);
    for (TypeIndex t = 1; t < document_.types.size() && ok(); ++t) {
      if (!document_.types[t].free) CheckType(t);
    }
    if (ok() && linked_.size() != in_lists_) Fail(fmt::format("{} items are in no list", linked_.size() - in_lists_));
    if (ok() && structs_ != items_.live()) Fail(fmt::format("{} items live, {} found", items_.live(), structs_));
    if (ok() && bytes_ != document_.contents.live()) {
      Fail(fmt::format("{} bytes of contents live, {} found", document_.contents.live(), bytes_));
    }
    return fault_;
  }

 private:
  bool ok() const { return fault_.empty(); }
  void Fail(std::string fault) {
    if (ok()) fault_ = std::move(fault);
  }

  void FailAt(ItemRef ref, std::string_view what) {
    const Id id = items_[ref].id;
    Fail(fmt::format("struct {} of client {} (item {}) {}", id.clock, document_.structs[id.client].id, ref, what));
  }

  void CheckClient(ClientIndex number) {
    const StructStore::Client& client = document_.structs[number];
    const StructList& list = client.structs;
    if (list.empty()) return Fail(fmt::format("client {} has no structs", client.id));
    uint32_t clock = 0;
    uint32_t count = 0;
    for (StructList::Position at = list.first(); list.Valid(at) && ok(); at = list.Next(at), ++count) {
      const ItemRef ref = list.ItemAt(at);
      const Item& item = items_[ref];
      if (list[at].clock != clock || item.id != Id{number, clock}) return FailAt(ref, "is at another clock");
      if (item.length == 0) return FailAt(ref, "has no length");
      if (list.Find(clock) != at || list.Find(item.end_clock() - 1) != at) return FailAt(ref, "isn't found");
      clock = item.end_clock();
      bytes_ += item.size;
      if (!item.is_gc()) {
        if (!linked_.insert(ref).second) return FailAt(ref, "is there twice");
        CheckItem(ref);
      } else if (!item.deleted() || item.size != 0) {
        return FailAt(ref, "is collected and has something");
      }
    }
    if (clock != client.state) Fail(fmt::format("client {} is at {}, not at {}", client.id, clock, client.state));
    if (count != list.size()) Fail(fmt::format("client {} has {} structs, not {}", client.id, count, list.size()));
    structs_ += count;
  }

  void CheckItem(ItemRef ref) {
    const Item& item = items_[ref];
    if (document_.types[item.parent].free || item.parent == kNoType) return FailAt(ref, "has no parent");
    if (!item.origin.none() && !Exists(item.origin)) return FailAt(ref, "has an unknown origin");
    if (!item.right_origin.none() && !Exists(item.right_origin)) return FailAt(ref, "has an unknown right origin");
    if (!item.origin.none() && item.origin.client == item.id.client && item.origin.clock >= item.id.clock) {
      return FailAt(ref, "has an origin after itself");
    }
    switch (item.kind) {
      case ContentKind::kString: {
        const TextSize size = Measure(item.bytes());
        if (!IsWtf8(item.bytes())) return FailAt(ref, "is no text");
        if (size.utf16 != item.length || size.astral != item.extra) return FailAt(ref, "measures something else");
        return;
      }
      case ContentKind::kAny:
      case ContentKind::kJson:
        return CheckValues(ref, item.length);
      case ContentKind::kEmbed:
      case ContentKind::kFormat:
        return CheckValues(ref, 1);
      case ContentKind::kType:
        if (document_.types[item.extra].free) return FailAt(ref, "holds a free type");
        if (&items_[document_.types[item.extra].item] == &item) return;
        return FailAt(ref, "holds a type that another holds");
      case ContentKind::kDeleted:
        if (!item.deleted()) return FailAt(ref, "is not deleted");
        [[fallthrough]];
      default:
        return;
    }
  }

  void CheckValues(ItemRef ref, uint64_t count) {
    ByteReader reader(items_[ref].bytes());
    for (uint64_t i = 0; i < count; ++i) SkipAny(reader, std::numeric_limits<int>::max(), AnySource::kOwn);
    if (!reader.ok() || !reader.AtEnd()) FailAt(ref, "holds other values than it says");
  }

  bool Exists(Id id) const {
    return id.client < document_.structs.size() && id.clock < document_.structs[id.client].state;
  }

  void CheckType(TypeIndex number) {
    const Type& type = document_.types[number];
    if (type.item != kNoItem && items_[type.item].extra != number)
      return Fail(fmt::format("type {} isn't its item's", number));
    uint64_t length = 0;
    ItemRef left = kNoItem;
    for (ItemRef ref = type.start; ref != kNoItem && ok(); left = ref, ref = items_[ref].right) {
      const Item& item = items_[ref];
      if (!linked_.contains(ref) || !Take(ref)) return FailAt(ref, "is in a list that isn't its");
      if (item.left != left || item.parent != number || item.is_entry()) {
        return FailAt(ref, "is linked elsewhere");
      }
      if (item.visible()) length += item.length;
    }
    if (ok() && length != type.length) Fail(fmt::format("type {} has {} places, not {}", number, length, type.length));
    if (type.entries != nullptr) {
      for (const auto& [key, last] : *type.entries) CheckChain(number, key, last);
    }
    if (!ok() || type.index == nullptr) return;
    const std::string fault = IndexChecker(items_, *type.index).FindFault(type.start);
    if (!fault.empty()) Fail(fmt::format("type {}: {}", number, fault));
  }

  void CheckChain(TypeIndex type, KeyIndex key, ItemRef last) {
    ItemRef right = kNoItem;
    absl::flat_hash_set<uint64_t> behind;  // where those begin that were passed
    const auto place_of = [](ClientIndex client, uint64_t clock) { return uint64_t{client} << 32 | clock; };
    for (ItemRef ref = last; ref != kNoItem && ok(); right = ref, ref = items_[ref].left) {
      const Item& item = items_[ref];
      if (!linked_.contains(ref) || !Take(ref)) return FailAt(ref, "is in a chain that isn't its");
      if (item.right != right || item.parent != type || !item.is_entry() || item.place != key) {
        return FailAt(ref, "is linked elsewhere");
      }
      // Halves of one item may both be there, also with others that came between them.
      const bool replaced = ref != last && !behind.contains(place_of(item.id.client, item.end_clock()));
      if (replaced && !item.deleted()) return FailAt(ref, "was replaced and isn't deleted");
      behind.insert(place_of(item.id.client, item.id.clock));
    }
  }

  // False when some list had it already.
  bool Take(ItemRef ref) {
    ++in_lists_;
    return taken_.insert(ref).second;
  }

  const Document& document_;
  const ItemArena& items_;
  absl::flat_hash_set<ItemRef> linked_;  // items that some list must have
  absl::flat_hash_set<ItemRef> taken_;
  uint64_t in_lists_ = 0;
  uint64_t structs_ = 0;
  uint64_t bytes_ = 0;
  std::string fault_;
};

}  // namespace

std::string DocInside::Text(const Doc& doc, std::string_view root) {
  const std::optional<SharedType> found = doc.FindRoot(root);
  return found.has_value() ? found->PlainText() : std::string();
}

uint64_t DocInside::Length(const Doc& doc, std::string_view root) {
  const std::optional<SharedType> found = doc.FindRoot(root);
  return found.has_value() ? found->length() : 0;
}

char16_t DocInside::UnitAt(Doc& doc, std::string_view root, uint64_t index) {
  if (index >= Length(doc, root)) return 0;
  Document& document = Of(doc);
  const PositionIndex::Place place = document.Index(document.Root(root)).Find(static_cast<uint32_t>(index));
  const Item& item = document.items[place.item];
  return item.kind == ContentKind::kString ? internal::UnitAt(item.bytes(), index - place.before.units) : 0;
}

std::string FindFault(const Document& document) { return Checker(document).FindFault(); }

}  // namespace rivermeet::crdt::internal
