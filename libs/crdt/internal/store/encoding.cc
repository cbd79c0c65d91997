#include "crdt/internal/store/encoding.h"

#include <algorithm>
#include <type_traits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace rivermeet::crdt::internal {

namespace {

UnitId ToWire(const Document& document, Id id) { return {document.structs[id.client].id, id.clock}; }

void FillContent(const Document& document, const Item& item, WireContent& content) {
  content.kind = item.kind;
  content.length = item.length;
  content.data = item.bytes();
  switch (item.kind) {
    case ContentKind::kString:
      content.astral = item.extra;
      break;
    case ContentKind::kFormat:
      content.name = document.keys[item.extra];
      break;
    case ContentKind::kType: {
      const Type& type = document.types[item.extra];
      content.type = static_cast<TypeRef>(type.kind);
      if (type.name != 0) content.name = document.keys[type.name];
      break;
    }
    case ContentKind::kDoc:
      content.name = document.subdocuments[item.extra].guid;
      content.data = document.subdocuments[item.extra].options;
      break;
    default:
      break;
  }
}

void FillWire(const Document& document, const Item& item, WireStruct& wire) {
  wire.id = ToWire(document, item.id);
  FillContent(document, item, wire.content);
  if (item.is_gc()) return;
  wire.has_origin = !item.origin.none();
  if (wire.has_origin) wire.origin = ToWire(document, item.origin);
  wire.has_right_origin = !item.right_origin.none();
  if (wire.has_right_origin) wire.right_origin = ToWire(document, item.right_origin);
  wire.has_parent_sub = item.is_entry();
  if (wire.has_origin || wire.has_right_origin) return;
  if (item.is_entry()) wire.parent_sub = document.keys[item.place];
  const Type& parent = document.types[item.parent];
  if (parent.item == kNoItem) {
    wire.parent_kind = WireStruct::Parent::kRoot;
    wire.root = document.keys[parent.name];
  } else {
    wire.parent_kind = WireStruct::Parent::kItem;
    wire.parent = ToWire(document, document.items[parent.item].id);
  }
}

// `ranges` with what is deleted of `item`, which is behind all before.
void AddDeleted(const Item& item, std::vector<ClockRange>& ranges) {
  if (!item.deleted()) return;
  if (!ranges.empty() && ranges.back().clock + ranges.back().length == item.id.clock) {
    ranges.back().length += item.length;
  } else {
    ranges.push_back({item.id.clock, item.length});
  }
}

std::vector<ClockRange> DeletedOf(const Document& document, const StructStore::Client& client) {
  std::vector<ClockRange> ranges;
  const StructList& list = client.structs;
  for (StructList::Position at = list.first(); list.Valid(at); at = list.Next(at)) {
    AddDeleted(document.items[list.ItemAt(at)], ranges);
  }
  return ranges;
}

// Throws away what was written and remembers how much that was.
class Measurement {
 public:
  template <class Writer>
  void Take(Writer& writer) {
    if (writer.rest().size() < kPiece) return;
    size_ += writer.rest().size();
    writer.rest().clear();
  }
  template <class Writer>
  uint64_t Total(Writer& writer) const {
    return size_ + writer.rest().size();
  }

 private:
  static constexpr size_t kPiece = 64 << 10;

  uint64_t size_ = 0;
};

// The client's structs from `clock` on, and, when wanted, what is deleted of those.
template <class Writer>
void WriteClient(Writer& writer, const Document& document, ClientIndex number, uint64_t clock,
                 std::vector<ClockRange>* deleted = nullptr, Measurement* measurement = nullptr) {
  const StructStore::Client& client = document.structs[number];
  const StructList& list = client.structs;
  StructList::Position at = list.Find(static_cast<uint32_t>(clock));
  WriteVarUint(writer.rest(), list.CountFrom(at));
  writer.WriteClient(client.id);
  WriteVarUint(writer.rest(), clock);
  WireStruct wire;
  uint64_t offset = clock - list[at].clock;
  for (; list.Valid(at); at = list.Next(at)) {
    const Item& item = document.items[list.ItemAt(at)];
    FillWire(document, item, wire);
    if (offset > 0 && item.kind == ContentKind::kAny) {
      wire.content.data = document.contents.Skip(item.bytes(), offset);
      wire.content.length -= offset;
      wire.id.clock += offset;
      wire.has_origin = true;
      wire.origin = {client.id, wire.id.clock - 1};
      offset = 0;
    }
    WriteStruct(writer, wire, offset);
    if (deleted != nullptr) AddDeleted(item, *deleted);
    if (measurement != nullptr) measurement->Take(writer);
    offset = 0;
  }
}

// What is written to `writer`, `measurement` takes, when there is one.
template <class Writer>
void WriteSince(Writer& writer, const Document& document, const std::vector<ClientState>& since,
                Measurement* measurement) {
  absl::flat_hash_map<uint64_t, uint64_t> known;
  for (const ClientState& entry : since) known[entry.client] = entry.clock;
  const std::vector<ClientIndex>& clients = document.structs.Descending();
  const auto clock_of = [&](const StructStore::Client& client) {
    const auto entry = known.find(client.id);
    return entry == known.end() ? 0 : entry->second;
  };
  const auto has_more = [&](ClientIndex client) {
    return clock_of(document.structs[client]) < document.structs[client].state;
  };
  WriteVarUint(writer.rest(), static_cast<uint64_t>(std::count_if(clients.begin(), clients.end(), has_more)));
  WireDeleteSet deletes;
  for (const ClientIndex number : clients) {
    const StructStore::Client& client = document.structs[number];
    const uint64_t clock = clock_of(client);
    std::vector<ClockRange> deleted;
    // Whoever knows nothing of it gets all its structs: one pass shows what is deleted of them, too.
    if (clock < client.state) {
      WriteClient(writer, document, number, clock, clock == 0 ? &deleted : nullptr, measurement);
    }
    if (clock > 0) deleted = DeletedOf(document, client);
    if (!deleted.empty()) deletes.clients.emplace_back(client.id, std::move(deleted));
  }
  WriteDeleteSet(writer, deletes);
}

template <class Writer>
std::string EncodeSince(const Document& document, const std::vector<ClientState>& since) {
  // A string that grows is there twice while it is copied. From this size on memory is dearer than a second pass.
  constexpr uint64_t kLarge = 256 << 20;
  Writer writer;
  if (std::is_same_v<Writer, WriterV1> && document.items.bytes() > kLarge) {
    Writer discarded;
    Measurement measurement;
    WriteSince(discarded, document, since, &measurement);
    writer.rest().reserve(measurement.Total(discarded));
  } else if (since.empty()) {
    writer.Reserve(document.items.live(), document.contents.live());
  }
  WriteSince(writer, document, since, nullptr);
  return writer.Take();
}

// Calls `write` with each, of each client one, in the order in which they are written.
template <class Entry, class Write>
void ForEachInOrder(const Document& document, absl::Span<const Entry> entries, Write&& write) {
  if (entries.size() == 1) return write(entries[0]);
  absl::InlinedVector<const Entry*, 4> order;
  for (const Entry& entry : entries) order.push_back(&entry);
  const auto id_of = [&](const Entry* entry) { return document.structs[entry->client].id; };
  std::sort(order.begin(), order.end(), [&](const Entry* a, const Entry* b) { return id_of(a) > id_of(b); });
  for (const Entry* entry : order) write(*entry);
}

template <class Writer>
void WriteChanges(const Document& document, const Transaction& transaction, Writer& writer) {
  absl::Span<const Transaction::Touched> touched = transaction.touched;
  std::vector<Transaction::Touched> by_now;
  if (document.last_transaction() != transaction.number()) {
    // Structs that later transactions added go out too: yjs writes the store as it is by now.
    for (ClientIndex client = 0; client < document.structs.size(); ++client) {
      const uint32_t before = document.StateBefore(transaction, client);
      if (before < document.structs[client].state) by_now.push_back({client, before});
    }
    touched = by_now;
  }
  const absl::Span<const Transaction::Deleted> deletes = transaction.deleted();
  WriteVarUint(writer.rest(), touched.size());
  ForEachInOrder(document, touched,
                 [&](const Transaction::Touched& of) { WriteClient(writer, document, of.client, of.before); });
  WriteVarUint(writer.rest(), deletes.size());
  ForEachInOrder(document, deletes, [&](const Transaction::Deleted& of) {
    WriteDeleted(writer, document.structs[of.client].id, of.ranges);
  });
}

}  // namespace

WireStruct ToWire(const Document& document, const Item& item) {
  WireStruct wire;
  FillWire(document, item, wire);
  return wire;
}

std::string EncodeStructsAndDeletes(const Document& document, UpdateFormat format,
                                    const std::vector<ClientState>& since) {
  return format == UpdateFormat::kV1 ? EncodeSince<WriterV1>(document, since) : EncodeSince<WriterV2>(document, since);
}

std::string EncodeUpTo(const Document& document, const std::vector<ClientState>& states, const WireDeleteSet& deletes) {
  WriterV2 writer;
  const auto has_structs = [](const ClientState& state) { return state.clock > 0; };
  WriteVarUint(writer.rest(), static_cast<uint64_t>(std::count_if(states.begin(), states.end(), has_structs)));
  WireStruct wire;
  for (const ClientState& state : states) {
    if (state.clock == 0) continue;
    const StructList& list = document.structs[document.structs.Find(state.client)].structs;
    const StructList::Position last = list.Find(static_cast<uint32_t>(state.clock - 1));
    WriteVarUint(writer.rest(), list.CountFrom(list.first()) - list.CountFrom(last) + 1);
    writer.WriteClient(state.client);
    WriteVarUint(writer.rest(), 0);
    for (StructList::Position at = list.first();; at = list.Next(at)) {
      FillWire(document, document.items[list.ItemAt(at)], wire);
      WriteStruct(writer, wire, 0);
      if (at == last) break;
    }
  }
  WriteDeleteSet(writer, deletes);
  return writer.Take();
}

void WriteTransaction(const Document& document, const Transaction& transaction, WriterV1& writer) {
  WriteChanges(document, transaction, writer);
}
void WriteTransaction(const Document& document, const Transaction& transaction, WriterV2& writer) {
  WriteChanges(document, transaction, writer);
}

std::vector<ClientState> StateVectorOf(const Document& document) {
  std::vector<ClientState> entries;
  entries.reserve(document.structs.size());
  for (const ClientIndex client : document.structs.Descending()) {
    entries.push_back({document.structs[client].id, document.structs[client].state});
  }
  return entries;
}

WireDeleteSet DeleteSetOf(const Document& document) {
  WireDeleteSet deletes;
  for (ClientIndex c = 0; c < document.structs.size(); ++c) {
    std::vector<ClockRange> ranges = DeletedOf(document, document.structs[c]);
    if (!ranges.empty()) deletes.clients.emplace_back(document.structs[c].id, std::move(ranges));
  }
  return deletes;
}

}  // namespace rivermeet::crdt::internal
