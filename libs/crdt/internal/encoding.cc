#include "crdt/internal/encoding.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace rivermeet::crdt::internal {

namespace {

WireId ToWire(const Document& document, Id id) { return {document.structs[id.client].id, id.clock}; }

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

// The client's structs from `clock` on.
template <class Writer>
void WriteClient(Writer& writer, const Document& document, ClientIndex number, uint32_t clock) {
  const StructStore::Client& client = document.structs[number];
  const StructList& list = client.structs;
  StructList::Position at = list.Find(clock);
  WriteVarUint(writer.rest(), list.CountFrom(at));
  writer.WriteClient(client.id);
  WriteVarUint(writer.rest(), clock);
  WireStruct wire;
  uint64_t offset = clock - list[at].clock;
  for (; list.Valid(at); at = list.Next(at)) {
    FillWire(document, document.items[list.ItemAt(at)], wire);
    WriteStruct(writer, wire, offset);
    offset = 0;
  }
}

template <class Writer>
std::string EncodeSince(const Document& document, const std::vector<WireId>& since) {
  absl::flat_hash_map<uint64_t, uint64_t> known;
  for (const WireId& entry : since) known[entry.client] = entry.clock;
  std::vector<std::pair<ClientIndex, uint32_t>> clients;
  for (const ClientIndex client : document.structs.Descending()) {
    const auto entry = known.find(document.structs[client].id);
    const uint64_t clock = entry == known.end() ? 0 : entry->second;
    if (clock < document.structs[client].state) clients.emplace_back(client, static_cast<uint32_t>(clock));
  }
  Writer writer;
  WriteVarUint(writer.rest(), clients.size());
  for (const auto& [client, clock] : clients) WriteClient(writer, document, client, clock);
  WriteDeleteSet(writer, DeleteSetOf(document));
  return writer.Take();
}

template <class Writer>
std::string EncodeChanges(const Document& document, const Transaction& transaction) {
  std::vector<std::pair<ClientIndex, uint32_t>> clients;
  if (document.last_transaction() == transaction.number()) {
    for (const auto& [client, before] : transaction.touched) clients.emplace_back(client, before);
  } else {
    // Structs that later transactions added go out too: yjs writes the store as it is by now.
    for (ClientIndex client = 0; client < document.structs.size(); ++client) {
      const uint32_t before = document.StateBefore(transaction, client);
      if (before < document.structs[client].state) clients.emplace_back(client, before);
    }
  }
  std::sort(clients.begin(), clients.end(),
            [&](const auto& a, const auto& b) { return document.structs[a.first].id > document.structs[b.first].id; });
  Writer writer;
  WriteVarUint(writer.rest(), clients.size());
  for (const auto& [client, before] : clients) WriteClient(writer, document, client, before);
  WireDeleteSet deletes;
  for (const auto& [client, ranges] : transaction.deleted()) {
    deletes.clients.emplace_back(document.structs[client].id, ranges);
  }
  WriteDeleteSet(writer, deletes);
  return writer.Take();
}

}  // namespace

WireStruct ToWire(const Document& document, const Item& item) {
  WireStruct wire;
  FillWire(document, item, wire);
  return wire;
}

std::string EncodeStructsAndDeletes(const Document& document, Format format, const std::vector<WireId>& since) {
  return format == Format::kV1 ? EncodeSince<WriterV1>(document, since) : EncodeSince<WriterV2>(document, since);
}

std::string EncodeUpTo(const Document& document, const std::vector<WireId>& states, const WireDeleteSet& deletes) {
  WriterV2 writer;
  const auto has_structs = [](const WireId& state) { return state.clock > 0; };
  WriteVarUint(writer.rest(), static_cast<uint64_t>(std::count_if(states.begin(), states.end(), has_structs)));
  WireStruct wire;
  for (const WireId& state : states) {
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

std::string EncodeTransaction(const Document& document, const Transaction& transaction, Format format) {
  if (!transaction.has_changes()) return {};
  return format == Format::kV1 ? EncodeChanges<WriterV1>(document, transaction)
                               : EncodeChanges<WriterV2>(document, transaction);
}

std::vector<WireId> StateVectorOf(const Document& document) {
  std::vector<WireId> entries;
  entries.reserve(document.structs.size());
  for (ClientIndex c = 0; c < document.structs.size(); ++c) {
    entries.push_back({document.structs[c].id, document.structs[c].state});
  }
  return entries;
}

WireDeleteSet DeleteSetOf(const Document& document) {
  WireDeleteSet deletes;
  std::vector<DeleteRange> ranges;
  for (ClientIndex c = 0; c < document.structs.size(); ++c) {
    const StructList& list = document.structs[c].structs;
    ranges.clear();
    for (StructList::Position at = list.first(); list.Valid(at); at = list.Next(at)) {
      const Item& item = document.items[list.ItemAt(at)];
      if (!item.deleted()) continue;
      if (!ranges.empty() && ranges.back().clock + ranges.back().length == item.id.clock) {
        ranges.back().length += item.length;
      } else {
        ranges.push_back({item.id.clock, item.length});
      }
    }
    if (!ranges.empty()) deletes.clients.emplace_back(document.structs[c].id, ranges);
  }
  return deletes;
}

}  // namespace rivermeet::crdt::internal
