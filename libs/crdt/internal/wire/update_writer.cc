#include "crdt/internal/wire/update_writer.h"

#include <algorithm>

#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/any_walk.h"

namespace rivermeet::crdt::internal {

namespace {

template <class Writer>
void WriteText(Writer& writer, const WireContent& content, uint64_t offset) {
  if (offset == 0) return writer.WriteText(content.data, content.length);
  if (content.data.size() == content.length) {
    return writer.WriteText(content.data.substr(offset), content.length - offset);
  }
  std::string rest;
  AppendSlice(content.data, offset, content.length, rest);
  writer.WriteText(rest, content.length - offset);
}

template <class Writer>
void WriteJsonValues(Writer& writer, const WireContent& content, uint64_t offset) {
  writer.WriteLength(content.length - offset);
  ByteReader reader(SkipValues(content.data, offset));
  std::string json;
  for (uint64_t i = offset; i < content.length; ++i) {
    json.clear();
    if (!AnyToJson(StepOverAny(reader), json)) json = "undefined";
    writer.WriteString(json);
  }
}

template <class Writer>
void WriteContent(Writer& writer, const WireContent& content, uint64_t offset) {
  switch (content.kind) {
    case ContentKind::kGc:
    case ContentKind::kDeleted:
      return writer.WriteLength(content.length - offset);
    case ContentKind::kSkip:
      return WriteVarUint(writer.rest(), content.length - offset);
    case ContentKind::kString:
      return WriteText(writer, content, offset);
    case ContentKind::kAny:
      writer.WriteLength(content.length - offset);
      writer.WriteAny(offset == 0 ? content.data : SkipValues(content.data, offset));
      return;
    case ContentKind::kJson:
      return WriteJsonValues(writer, content, offset);
    case ContentKind::kBinary:
      return WriteVarBytes(writer.rest(), content.data);
    case ContentKind::kEmbed:
      return writer.WriteJson(content.data);
    case ContentKind::kFormat:
      writer.WriteKey(content.name);
      return writer.WriteJson(content.data);
    case ContentKind::kType:
      writer.WriteTypeRef(content.type);
      if (content.type == TypeRef::kXmlElement || content.type == TypeRef::kXmlHook) writer.WriteKey(content.name);
      return;
    case ContentKind::kDoc:
      writer.WriteString(content.name);
      return writer.WriteAny(content.data);
  }
}

}  // namespace

void WriterV1::WriteAny(std::string_view values) { AppendSendable(values, rest_); }
void WriterV2::WriteAny(std::string_view values) { AppendSendable(values, rest_); }

void WriterV1::WriteJson(std::string_view any) {
  std::string json;
  AnyToJson(any, json);
  WriteString(json);
}

std::string WriterV2::Take() {
  std::string text;
  std::string_view well_formed = text_;
  if (!IsWellFormed(text_)) {
    AppendWellFormed(text_, text);
    well_formed = text;
  }
  std::string strings;
  WriteVarBytes(strings, well_formed);
  strings.append(text_length_.Finish());

  std::string update;
  update.push_back(0);  // feature flags
  for (const std::string* column :
       {&key_clock_.Finish(), &client_.Finish(), &left_clock_.Finish(), &right_clock_.Finish(), &info_.Finish(),
        static_cast<const std::string*>(&strings), &parent_info_.Finish(), &type_ref_.Finish(), &length_.Finish()}) {
    WriteVarBytes(update, *column);
  }
  update.append(rest_);
  return update;
}

template <class Writer>
void WriteStruct(Writer& writer, const WireStruct& item, uint64_t offset) {
  if (!item.is_item()) {
    writer.WriteInfo(static_cast<uint8_t>(item.content.kind));
    return WriteContent(writer, item.content, offset);
  }
  const bool has_origin = item.has_origin || offset > 0;
  writer.WriteInfo(static_cast<uint8_t>(item.content.kind) | (has_origin ? kHasOrigin : 0) |
                   (item.has_right_origin ? kHasRightOrigin : 0) | (item.has_parent_sub ? kHasKey : 0));
  if (has_origin) writer.WriteLeftId(offset > 0 ? UnitId{item.id.client, item.id.clock + offset - 1} : item.origin);
  if (item.has_right_origin) writer.WriteRightId(item.right_origin);
  if (!has_origin && !item.has_right_origin) {
    const bool root = item.parent_kind == WireStruct::Parent::kRoot;
    writer.WriteParentInfo(root);
    if (root) {
      writer.WriteString(item.root);
    } else {
      writer.WriteLeftId(item.parent);
    }
    if (item.has_parent_sub) writer.WriteString(item.parent_sub);
  }
  WriteContent(writer, item.content, offset);
}

template <class Writer>
void WriteDeleted(Writer& writer, uint64_t client, const std::vector<ClockRange>& ranges) {
  WriteVarUint(writer.rest(), client);
  WriteVarUint(writer.rest(), ranges.size());
  uint64_t end = 0;
  for (const ClockRange& range : ranges) {
    writer.WriteDeleteClock(range.clock, end);
    writer.WriteDeleteLength(range.length);
    end = range.clock + range.length;
  }
}

template <class Writer>
void WriteDeleteSet(Writer& writer, const WireDeleteSet& deletes) {
  std::vector<const std::pair<uint64_t, std::vector<ClockRange>>*> clients;
  for (const auto& client : deletes.clients) clients.push_back(&client);
  std::stable_sort(clients.begin(), clients.end(), [](const auto* a, const auto* b) { return a->first > b->first; });
  WriteVarUint(writer.rest(), clients.size());
  for (const auto* client : clients) WriteDeleted(writer, client->first, client->second);
}

template void WriteStruct(WriterV1&, const WireStruct&, uint64_t);
template void WriteStruct(WriterV2&, const WireStruct&, uint64_t);
template void WriteDeleteSet(WriterV1&, const WireDeleteSet&);
template void WriteDeleteSet(WriterV2&, const WireDeleteSet&);
template void WriteDeleted(WriterV1&, uint64_t, const std::vector<ClockRange>&);
template void WriteDeleted(WriterV2&, uint64_t, const std::vector<ClockRange>&);

std::string WriteStateVector(std::vector<ClientState> entries) {
  std::sort(entries.begin(), entries.end(), [](ClientState a, ClientState b) { return a.client > b.client; });
  return WriteStateVectorAsIs(entries);
}

std::string WriteStateVectorAsIs(const std::vector<ClientState>& entries) {
  std::string bytes;
  WriteVarUint(bytes, entries.size());
  for (const ClientState& entry : entries) {
    WriteVarUint(bytes, entry.client);
    WriteVarUint(bytes, entry.clock);
  }
  return bytes;
}

}  // namespace rivermeet::crdt::internal
