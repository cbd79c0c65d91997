// What a document is made of: items, each a run of units that one client made, 64 bytes in an arena.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_ITEM_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_ITEM_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// Items, types, keys and clients are named by their number in their table. Zero is none, except for clients.
using ItemRef = uint32_t;
using TypeIndex = uint32_t;
using KeyIndex = uint32_t;
using ClientIndex = uint32_t;
constexpr ItemRef kNoItem = 0;
constexpr TypeIndex kNoType = 0;
constexpr ClientIndex kNoClient = ~ClientIndex{0};

// Clocks inside a document have 32 bits: no client gets further (Document::kMaxClock).
struct Id {
  ClientIndex client = kNoClient;
  uint32_t clock = 0;

  bool operator==(const Id&) const = default;
  bool none() const { return client == kNoClient; }
};

// Content that no text is given, but that a root's may hold for which it is a list: deleting text leaves it.
inline bool IsForeignToText(ContentKind kind) {
  return kind == ContentKind::kAny || kind == ContentKind::kJson || kind == ContentKind::kBinary ||
         kind == ContentKind::kDoc;
}

// One struct of the store: an item in a list or a map's chain, or a collected range (kind kGc), of which only id and
// length mean anything.
struct Item {
  enum Flag : uint8_t {
    kKeep = 1,       // undo wants it: not collected
    kCountable = 2,  // has places in its list
    kDeleted = 4,
    kEntry = 8,    // belongs to a key (`place`) and not to a list
    kRedone = 16,  // Document::RedoneAs() says by which item
    kMarked = 32,  // a search marker stands here
  };

  Id id;
  uint32_t length = 0;
  ContentKind kind = ContentKind::kGc;
  uint8_t flags = 0;
  uint16_t unused = 0;
  Id origin;        // last id of the left neighbour at the time of creation
  Id right_origin;  // first id of the right neighbour then
  ItemRef left = kNoItem;
  ItemRef right = kNoItem;
  TypeIndex parent = kNoType;
  uint32_t place = 0;          // entry: KeyIndex; otherwise the segment of the parent's position index
  const char* data = nullptr;  // in the content arena; as in WireContent
  uint32_t size = 0;           // of data, in bytes
  uint32_t extra =
      0;  // kString: astral characters. kFormat: KeyIndex. kType: TypeIndex. kDoc: number of the subdocument

  bool deleted() const { return (flags & kDeleted) != 0; }
  bool keep() const { return (flags & kKeep) != 0; }
  bool countable() const { return (flags & kCountable) != 0; }
  bool is_entry() const { return (flags & kEntry) != 0; }
  bool is_gc() const { return kind == ContentKind::kGc; }
  // Takes places in its list that a reader sees.
  bool visible() const { return (flags & (kCountable | kDeleted | kEntry)) == kCountable; }
  Id last_id() const { return {id.client, id.clock + length - 1}; }
  uint32_t end_clock() const { return id.clock + length; }
  bool Contains(Id unit) const {
    return unit.client == id.client && unit.clock >= id.clock && unit.clock < end_clock();
  }
  std::string_view bytes() const { return {data, size}; }
};
static_assert(sizeof(Item) == 64);

// Items by number. Blocks of 4,096, of which the first grows up to that: an item's address holds until Reserve().
class ItemArena {
 public:
  ItemArena() = default;
  ItemArena(const ItemArena&) = delete;
  ItemArena& operator=(const ItemArena&) = delete;
  ~ItemArena() {
    for (Item* block : blocks_) std::free(block);
  }

  Item& operator[](ItemRef ref) { return blocks_[ref >> kBits][ref & kMask]; }
  const Item& operator[](ItemRef ref) const { return blocks_[ref >> kBits][ref & kMask]; }

  // Lets the processor fetch what is soon read.
  void Prefetch(ItemRef ref) const { __builtin_prefetch(&(*this)[ref]); }

  // Makes room for `count` more, at most 16; may move items while there are few.
  void Reserve(uint32_t count) {
    while (used_ + count > capacity_) Grow();
  }
  // A new item, all fields as constructed. There must be room.
  ItemRef Allocate() {
    ++live_;
    ItemRef ref = free_;
    if (ref != kNoItem) {
      free_ = (*this)[ref].left;
    } else {
      RM_CHECK(used_ < capacity_);
      ref = used_++;
    }
    (*this)[ref] = Item();
    return ref;
  }
  void Free(ItemRef ref) {
    --live_;
    (*this)[ref].left = free_;
    free_ = ref;
  }

  uint32_t live() const { return live_; }
  uint64_t bytes() const { return uint64_t{capacity_} * sizeof(Item) + blocks_.capacity() * sizeof(Item*); }

 private:
  static constexpr uint32_t kBits = 12;
  static constexpr uint32_t kBlock = 1u << kBits;
  static constexpr uint32_t kMask = kBlock - 1;

  void Grow() {
    if (capacity_ < kBlock) {
      const uint32_t capacity = capacity_ == 0 ? 32 : capacity_ * 2;
      Item* block = NewBlock(capacity);
      if (capacity_ > 0) {
        std::memcpy(static_cast<void*>(block), blocks_[0], capacity_ * sizeof(Item));
        std::free(blocks_[0]);
        blocks_[0] = block;
      } else {
        blocks_.push_back(block);
      }
      capacity_ = capacity;
    } else {
      blocks_.push_back(NewBlock(kBlock));
      capacity_ += kBlock;
    }
  }
  // An item is one cache line.
  static Item* NewBlock(uint32_t items) {
    Item* block = static_cast<Item*>(std::aligned_alloc(sizeof(Item), items * sizeof(Item)));
    RM_CHECK(block != nullptr);
    return block;
  }

  std::vector<Item*> blocks_;
  uint32_t capacity_ = 0;
  uint32_t used_ = 1;  // number 0 is nobody's
  uint32_t live_ = 0;
  ItemRef free_ = kNoItem;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_ITEM_H_
