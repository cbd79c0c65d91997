#include "crdt/relative_position.h"

#include <cmath>

#include "base/status.h"
#include "crdt/internal/session.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/byte_writer.h"
#include "crdt/internal/wire/utf.h"
#include "fmt/format.h"

namespace rivermeet::crdt {

using internal::ByteReader;
using internal::ContentKind;
using internal::Document;
using internal::HandleAccess;
using internal::Item;
using internal::ItemRef;
using internal::kNoItem;
using internal::kNoType;
using internal::Session;
using internal::TypeIndex;

namespace {

// What the first byte says.
constexpr uint64_t kItem = 0;
constexpr uint64_t kRoot = 1;
constexpr uint64_t kType = 2;

UnitId ToId(const Document& document, internal::Id id) { return {document.structs[id.client].id, id.clock}; }

void WriteId(std::string& to, const UnitId& id) {
  internal::WriteVarUint(to, id.client);
  internal::WriteVarUint(to, id.clock);
}

UnitId ReadId(ByteReader& reader) {
  const uint64_t client = reader.ReadVarUint();
  return {client, reader.ReadVarUint()};
}

// A whole number of at most 2^53 - 1.
std::optional<double> WholeNumber(const Any* any) {
  if (any == nullptr || any->number() == nullptr) return std::nullopt;
  const double number = *any->number();
  if (std::trunc(number) != number || std::fabs(number) > static_cast<double>(internal::kMaxInteger)) {
    return std::nullopt;
  }
  return number;
}

// Member `key` of `json`; null when it is absent, null or undefined.
const Any* Given(const Any& json, std::string_view key) {
  const Any* member = json.Find(key);
  return member == nullptr || member->is_null() || member->is_undefined() ? nullptr : member;
}

absl::Status IdFrom(const Any& json, std::string_view key, std::optional<UnitId>& out) {
  const Any* given = Given(json, key);
  if (given == nullptr) return absl::OkStatus();
  const std::optional<double> client = WholeNumber(given->Find("client"));
  const std::optional<double> clock = WholeNumber(given->Find("clock"));
  if (!client.has_value() || !clock.has_value() || *client < 0 || *clock < 0) {
    return absl::InvalidArgumentError(fmt::format("\"{}\" of a relative position is no id", key));
  }
  out = {static_cast<uint64_t>(*client), static_cast<uint64_t>(*clock)};
  return absl::OkStatus();
}

std::string IdToJson(const UnitId& id) { return fmt::format(R"({{"client":{},"clock":{}}})", id.client, id.clock); }

// The item that has `id`, or what an undo made of it, and which unit of it that is; none when it isn't there.
std::pair<ItemRef, uint32_t> FindItem(const Document& document, const UnitId& id, bool follow_redone) {
  const internal::ClientIndex client = document.structs.Find(id.client);
  if (client == internal::kNoClient || id.clock >= document.structs[client].state) return {kNoItem, 0};
  const internal::Id known{client, static_cast<uint32_t>(id.clock)};
  if (follow_redone) return document.FollowRedone(known);
  const ItemRef ref = document.RefAt(known);
  return {ref, known.clock - document.items[ref].id.clock};
}

// The place in its type's list of unit `unit` of an item.
uint64_t IndexOf(Document& document, ItemRef ref, uint32_t unit, int64_t assoc) {
  const Item& item = document.items[ref];
  if (document.IsDeleted(item.parent)) return 0;
  const uint64_t within = item.deleted() || !item.countable() ? 0 : unit + (assoc >= 0 ? 0 : 1);
  // Of a key's values all but the last are deleted: nothing counts before it.
  return item.is_entry() ? within : within + document.Index(item.parent).Before(ref).units;
}

}  // namespace

absl::StatusOr<RelativePosition> RelativePosition::At(const SharedType& type, uint64_t index, int64_t assoc) {
  if (!type.alive()) return absl::FailedPreconditionError("the shared type isn't in the document any more");
  Document& document = HandleAccess::SessionOf(type).document;
  const TypeIndex number = HandleAccess::TypeOf(type);
  const ItemRef holder = document.types[number].item;
  RelativePosition position;
  position.assoc = assoc;
  if (holder == kNoItem) {
    position.root = std::string(document.keys[document.types[number].name]);
  } else {
    position.type = ToId(document, document.items[holder].id);
  }
  if (assoc < 0) {
    if (index == 0) return position;
    --index;
  }
  internal::PositionIndex& positions = document.Index(number);
  if (index < positions.total().units) {
    const internal::PositionIndex::Place place = positions.Find(static_cast<uint32_t>(index));
    position.item = ToId(document, document.items[place.item].id);
    position.item->clock += index - place.before.units;
  } else if (const ItemRef last = positions.Last(); assoc < 0 && last != kNoItem) {
    position.item = ToId(document, document.items[last].last_id());
  }
  return position;
}

std::string RelativePosition::Encode() const {
  std::string bytes;
  if (item.has_value()) {
    internal::WriteVarUint(bytes, kItem);
    WriteId(bytes, *item);
  } else if (root.has_value()) {
    internal::WriteVarUint(bytes, kRoot);
    std::string name;
    internal::AppendWellFormed(*root, name);
    internal::WriteVarBytes(bytes, name);
  } else if (type.has_value()) {
    internal::WriteVarUint(bytes, kType);
    WriteId(bytes, *type);
  } else {
    return bytes;
  }
  internal::WriteVarInt(bytes, assoc < 0 ? uint64_t{0} - static_cast<uint64_t>(assoc) : static_cast<uint64_t>(assoc),
                        assoc < 0);
  return bytes;
}

absl::StatusOr<RelativePosition> RelativePosition::Decode(std::string_view bytes) {
  ByteReader reader(bytes);
  RelativePosition position;
  switch (reader.ReadVarUint()) {
    case kItem:
      position.item = ReadId(reader);
      break;
    case kRoot:
      position.root = std::string(reader.ReadVarString());
      break;
    case kType:
      position.type = ReadId(reader);
      break;
    default:
      reader.FailAt(0, "a relative position is at something of an unknown kind");
  }
  if (reader.ok() && !reader.AtEnd()) position.assoc = reader.ReadVarInt().value();
  if (reader.ok() && !reader.AtEnd()) reader.Fail("bytes are left after the relative position's end");
  RM_RETURN_IF_ERROR(reader.status());
  return position;
}

std::string RelativePosition::ToJson() const {
  std::string json = "{";
  if (type.has_value()) json += fmt::format(R"("type":{},)", IdToJson(*type));
  if (root.has_value()) {
    json += "\"tname\":";
    internal::AppendJsonString(*root, json);
    json += ",";
  }
  if (item.has_value()) json += fmt::format(R"("item":{},)", IdToJson(*item));
  return json + fmt::format("\"assoc\":{}}}", assoc);
}

absl::StatusOr<RelativePosition> RelativePosition::FromJson(std::string_view json) {
  RM_ASSIGN_OR_RETURN(const Any any, Any::FromJson(json));
  RelativePosition position;
  RM_RETURN_IF_ERROR(IdFrom(any, "type", position.type));
  RM_RETURN_IF_ERROR(IdFrom(any, "item", position.item));
  if (const Any* name = Given(any, "tname"); name != nullptr) {
    if (name->text() == nullptr) return absl::InvalidArgumentError("\"tname\" of a relative position is no text");
    position.root = *name->text();
  }
  if (const Any* assoc = Given(any, "assoc"); assoc != nullptr) {
    const std::optional<double> number = WholeNumber(assoc);
    if (!number.has_value()) return absl::InvalidArgumentError("\"assoc\" of a relative position is no whole number");
    position.assoc = static_cast<int64_t>(*number);
  }
  if (position.type.has_value() || position.item.has_value() || position.root.has_value()) return position;
  return absl::InvalidArgumentError("a relative position is at an item, in a root or in a type; this one says none");
}

std::optional<RelativePosition::Place> RelativePosition::Resolve(const Doc& doc, bool follow_redone) const {
  Session& session = HandleAccess::SessionOf(doc);
  Document& document = session.document;
  if (item.has_value()) {
    const auto [ref, unit] = FindItem(document, *item, follow_redone);
    if (ref == kNoItem || document.items[ref].is_gc()) return std::nullopt;
    const SharedType in = internal::HandleAccess::Make(session, document.items[ref].parent);
    return Place{in, IndexOf(document, ref, unit, assoc), assoc};
  }
  TypeIndex number = kNoType;
  if (root.has_value()) {
    if (document.HasRoot(*root)) number = document.Root(*root);
  } else if (type.has_value()) {
    const ItemRef ref = FindItem(document, *type, follow_redone).first;
    if (ref != kNoItem && document.items[ref].kind == ContentKind::kType) number = document.items[ref].extra;
  }
  if (number == kNoType) return std::nullopt;
  return Place{internal::HandleAccess::Make(session, number), assoc >= 0 ? document.types[number].length : uint64_t{0},
               assoc};
}

}  // namespace rivermeet::crdt
