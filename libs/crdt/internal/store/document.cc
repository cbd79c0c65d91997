#include "crdt/internal/store/document.h"

#include <algorithm>

#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

uint64_t Document::bytes() const {
  uint64_t bytes = sizeof(*this) + items.bytes() + contents.bytes() + structs.bytes() + keys.bytes() + pending.bytes() +
                   types.size() * sizeof(Type) + redone_.capacity() * (sizeof(ItemRef) + sizeof(Id) + 1);
  for (TypeIndex t = 1; t < types.size(); ++t) {
    if (types[t].entries != nullptr) bytes += types[t].entries->bytes();
    if (types[t].index != nullptr) bytes += types[t].index->bytes();
  }
  bytes += subdocument_bytes_;
  if (attribution != nullptr) bytes += attribution->MemoryBytes();
  return bytes;
}

TypeIndex Document::Root(std::string_view name) {
  const KeyIndex key = keys.Add(name);
  TypeIndex& type = root_of_name_[key];
  if (type == kNoType) {
    type = types.Add();
    types[type].name = key;
    roots_.push_back(type);
  }
  return type;
}

bool Document::ShowsMarkers(TypeIndex root) const {
  const TypeKind kind = types[root].kind;
  const bool text = kind == TypeKind::kText || kind == TypeKind::kXmlText;
  if (!text && kind != TypeKind::kArray) return false;
  for (ItemRef ref = types[root].start; ref != kNoItem; ref = items[ref].right) {
    const Item& item = items[ref];
    if (item.deleted()) continue;
    if (item.kind == ContentKind::kFormat || (text && IsForeignToText(item.kind))) return true;
  }
  return false;
}

bool Document::ShowsMarkers(const Item& item) const {
  if (!IsForeignToText(item.kind) || item.is_entry()) return false;
  const Type& text = types[item.parent];
  return (text.kind == TypeKind::kText || text.kind == TypeKind::kXmlText) && !text.has_formatting;
}

std::pair<ItemRef, uint32_t> Document::FollowRedone(Id id) const {
  for (;;) {
    const ItemRef ref = RefAt(id);
    const uint32_t unit = id.clock - items[ref].id.clock;
    if ((items[ref].flags & Item::kRedone) == 0) return {ref, unit};
    const Id redone = redone_.at(ref);
    id = {redone.client, redone.clock + unit};
  }
}

ItemRef Document::CleanEnd(Transaction& transaction, Id id) {
  const StructList& list = structs[id.client].structs;
  const StructList::Position at = list.Find(id.clock);
  const ItemRef ref = list.ItemAt(at);
  const Item& item = items[ref];
  if (item.end_clock() != id.clock + 1 && !item.is_gc())
    Split(transaction, id.client, at, id.clock - item.id.clock + 1);
  return ref;
}

ItemRef Document::CleanStart(Transaction& transaction, Id id) {
  const StructList& list = structs[id.client].structs;
  StructList::Position at = list.Find(id.clock);
  const Item& item = items[list.ItemAt(at)];
  if (item.id.clock != id.clock && !item.is_gc()) at = Split(transaction, id.client, at, id.clock - item.id.clock);
  return list.ItemAt(at);
}

StructList::Position Document::Split(Transaction& transaction, ClientIndex client, StructList::Position at,
                                     uint32_t units) {
  StructList& list = structs[client].structs;
  const ItemRef left_ref = list.ItemAt(at);
  const ItemRef right_ref = items.Allocate();
  Item& left = items[left_ref];
  Item& right = items[right_ref];
  const Extent before = ExtentOf(left);
  right = left;
  right.id.clock += units;
  right.length = left.length - units;
  right.flags &= ~Item::kMarked;
  right.origin = {client, right.id.clock - 1};
  right.left = left_ref;
  left.right = right_ref;
  left.length = units;
  if (right.right != kNoItem) items[right.right].left = right_ref;
  if (left.kind == ContentKind::kString) {
    SplitText(left, right, units);
  } else if (left.kind == ContentKind::kAny || left.kind == ContentKind::kJson) {
    SplitValues(left, right, units);
  }
  if ((left.flags & Item::kRedone) != 0) {
    const Id redone = redone_.at(left_ref);
    redone_[right_ref] = {redone.client, redone.clock + units};
  }
  transaction.merge_later.push_back(right.id);
  Type& parent = types[right.parent];
  if (right.is_entry()) {
    if (right.right == kNoItem) parent.SetEntry(right.place, right_ref);
  } else if (parent.index != nullptr) {
    parent.index->Split(right_ref, before);
  }
  return list.InsertAfter(at, {right.id.clock, right_ref});
}

// Both halves are still the whole text. A cut inside a surrogate pair makes both surrogates U+FFFD; so does one after a
// lone high surrogate, whatever follows it (ContentString.js, splice).
void Document::SplitText(Item& left, Item& right, uint32_t units) {
  const std::string_view text = left.bytes();
  if (text.size() == units + right.length) {
    left.size = units;
    right.data += units;
    right.size -= units;
    return;
  }
  const TextPlace cut = contents.Find(text, TextUnit::kUtf16, units);
  const uint32_t astral = left.extra;
  left.extra = static_cast<uint32_t>(cut.before.astral);
  right.extra = astral - left.extra;
  if (!cut.inside_pair && !EndsInHighSurrogate(text.substr(0, cut.byte))) {
    left.size = static_cast<uint32_t>(cut.byte);
    right.data += cut.byte;
    right.size -= left.size;
    return;
  }
  const ContentArena::CutText parts = contents.CutCharacter(text, cut);
  left.data = parts.left.data();
  left.size = static_cast<uint32_t>(parts.left.size());
  right.data = parts.right.data();
  right.size = static_cast<uint32_t>(parts.right.size());
  if (parts.lost_astral) --right.extra;
}

void Document::SplitValues(Item& left, Item& right, uint32_t units) {
  left.size = static_cast<uint32_t>(left.size - contents.Skip(left.bytes(), units).size());
  right.data += left.size;
  right.size -= left.size;
}

void Document::Touch(Transaction& transaction, ClientIndex number) {
  StructStore::Client& client = structs[number];
  if (client.touched_by == transaction.number()) return;
  client.touched_by = transaction.number();
  client.touched_place = static_cast<uint32_t>(transaction.touched.size());
  transaction.touched.push_back({number, client.state});
}

void Document::AddStruct(Transaction& transaction, ItemRef ref) {
  const Item& item = items[ref];
  Touch(transaction, item.id.client);
  StructStore::Client& client = structs[item.id.client];
  client.structs.Append({item.id.clock, ref});
  client.state = item.end_clock();
}

void Document::Keep(ItemRef ref, bool keep) {
  while (ref != kNoItem && items[ref].keep() != keep) {
    items[ref].flags ^= Item::kKeep;
    ref = types[items[ref].parent].item;
  }
}

void Document::ForEach(Transaction& transaction, ClientIndex client, ClockRange range,
                       absl::FunctionRef<void(ItemRef)> visit) {
  const uint64_t end = range.clock + range.length;
  for (uint64_t clock = range.clock; clock < std::min<uint64_t>(end, structs[client].state);) {
    items.Reserve(4);
    const ItemRef ref = CleanStart(transaction, {client, static_cast<uint32_t>(clock)});
    if (items[ref].end_clock() > end) CleanStart(transaction, {client, static_cast<uint32_t>(end)});
    visit(ref);
    clock = items[ref].end_clock();
  }
}

void Document::SetRedone(ItemRef ref, Id as) {
  items[ref].flags |= Item::kRedone;
  redone_[ref] = as;
}

void Document::SetContent(Item& item, const WireContent& content) {
  item.kind = content.kind;
  item.length = static_cast<uint32_t>(content.length);
  const bool countable =
      content.kind != ContentKind::kDeleted && content.kind != ContentKind::kFormat && content.kind != ContentKind::kGc;
  if (countable) item.flags |= Item::kCountable;
  const auto keep = [&](std::string_view bytes) {
    const std::string_view kept = contents.Add(bytes);
    item.data = kept.data();
    item.size = static_cast<uint32_t>(kept.size());
  };
  switch (content.kind) {
    case ContentKind::kString:
      item.extra = static_cast<uint32_t>(content.astral);
      return keep(content.data);
    case ContentKind::kJson:
    case ContentKind::kAny:
    case ContentKind::kBinary:
    case ContentKind::kEmbed:
      return keep(content.data);
    case ContentKind::kFormat:
      item.extra = keys.Add(content.name);
      return keep(content.data);
    case ContentKind::kType: {
      item.extra = types.Add();
      Type& type = types[item.extra];
      type.kind = static_cast<TypeKind>(content.type);
      if (content.type == TypeRef::kXmlElement || content.type == TypeRef::kXmlHook) type.name = keys.Add(content.name);
      return;
    }
    case ContentKind::kDoc:
      item.extra = static_cast<uint32_t>(subdocuments.size());
      subdocuments.push_back({std::string(content.name), std::string(content.data)});
      subdocument_bytes_ += subdocuments.back().bytes();
      return;
    case ContentKind::kGc:
    case ContentKind::kDeleted:
    case ContentKind::kSkip:
      return;
  }
}

}  // namespace rivermeet::crdt::internal
