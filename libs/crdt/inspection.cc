#include "crdt/inspection.h"

#include "base/status.h"
#include "crdt/internal/session.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/struct_stream.h"

namespace rivermeet::crdt {

using internal::ContentKind;
using internal::Document;
using internal::Item;
using internal::ItemRef;
using internal::kNoItem;
using internal::StructList;
using internal::StructStream;
using internal::Type;
using internal::TypeKind;
using internal::WireStruct;

namespace {

static_assert(static_cast<size_t>(ContentKind::kSkip) + 1 == kContents);
static_assert(static_cast<uint8_t>(ContentKind::kDoc) == static_cast<uint8_t>(Content::kSubdocument));
static_assert(internal::kTypeRefs == kSharedKinds);

UpdateStruct Public(const WireStruct& from) {
  UpdateStruct to;
  to.id = from.id;
  to.length = from.content.length;
  to.content = static_cast<Content>(from.content.kind);
  if (from.has_origin) to.origin = from.origin;
  if (from.has_right_origin) to.right_origin = from.right_origin;
  if (from.parent_kind == WireStruct::Parent::kRoot) to.root = from.root;
  if (from.parent_kind == WireStruct::Parent::kItem) to.parent = from.parent;
  if (from.has_parent_sub) to.key = from.parent_sub;
  if (from.content.kind == ContentKind::kType) to.type = static_cast<SharedKind>(from.content.type);
  to.name = from.content.name;
  to.data = from.content.data;
  return to;
}

template <class Fields>
absl::Status Read(std::string_view update, absl::FunctionRef<void(const UpdateStruct&)> on_struct,
                  absl::FunctionRef<void(const DeletedRange&)> on_deleted, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  for (WireStruct item; stream.Next(item);) on_struct(Public(item));
  internal::UpdateReader<Fields>& reader = stream.reader();
  reader.ReadDeletes([&on_deleted](uint64_t client, uint64_t clock, uint64_t length) {
    on_deleted({client, clock, length});
  });
  reader.Finish();
  return reader.status();
}

// As what a root's list would be read. A text may begin with embedded types, so that those decide nothing yet.
std::optional<SharedKind> LikelyKind(const Document& document, const Type& root) {
  std::optional<SharedKind> likely;
  for (ItemRef ref = root.start; ref != kNoItem; ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    switch (item.kind) {
      case ContentKind::kString:
      case ContentKind::kFormat:
      case ContentKind::kEmbed:
        return SharedKind::kText;
      case ContentKind::kAny:
      case ContentKind::kJson:
      case ContentKind::kBinary:
      case ContentKind::kDoc:
        return SharedKind::kArray;
      case ContentKind::kType: {
        const TypeKind kind = document.types[item.extra].kind;
        const bool xml = kind == TypeKind::kXmlElement || kind == TypeKind::kXmlText || kind == TypeKind::kXmlHook;
        if (!likely.has_value()) likely = xml ? SharedKind::kXmlFragment : SharedKind::kArray;
        break;
      }
      default:
        break;
    }
  }
  if (!likely.has_value() && root.entries != nullptr) return SharedKind::kMap;
  return likely;
}

RootSummary SummarizeRoot(const Document& document, const Type& root) {
  RootSummary summary{.name = std::string(document.keys[root.name])};
  if (root.kind != TypeKind::kUntyped) summary.kind = static_cast<SharedKind>(root.kind);
  summary.likely = LikelyKind(document, root);
  summary.length = root.length;
  if (root.entries != nullptr) {
    for (const auto& [key, ref] : *root.entries) summary.keys += document.items[ref].deleted() ? 0 : 1;
  }
  return summary;
}

}  // namespace

std::vector<Any> FirstValues(const UpdateStruct& of, uint64_t most) {
  std::vector<Any> values;
  if (of.content == Content::kString || of.content == Content::kBinary) return values;
  internal::ByteReader reader(of.data);
  while (!reader.AtEnd() && values.size() < most) {
    values.push_back(Any::DecodeTrusted(internal::StepOverAny(reader)));
  }
  return values;
}

absl::Status ReadUpdate(std::string_view update, UpdateFormat format,
                        absl::FunctionRef<void(const UpdateStruct&)> on_struct,
                        absl::FunctionRef<void(const DeletedRange&)> on_deleted, const Limits& limits) {
  return format == UpdateFormat::kV1 ? Read<internal::FieldsV1>(update, on_struct, on_deleted, limits)
                                     : Read<internal::FieldsV2>(update, on_struct, on_deleted, limits);
}

absl::StatusOr<std::vector<ClientState>> DecodeStateVector(std::string_view bytes, const Limits& limits) {
  return internal::ReadStateVector(bytes, limits);
}

DocumentSummary Summarize(const Doc& doc) {
  const Document& document = internal::HandleAccess::SessionOf(doc).document;
  DocumentSummary summary;
  for (internal::ClientIndex client = 0; client < document.structs.size(); ++client) {
    const StructList& structs = document.structs[client].structs;
    for (StructList::Position at = structs.first(); structs.Valid(at); at = structs.Next(at)) {
      const Item& item = document.items[structs.ItemAt(at)];
      const bool gone = item.is_gc() || item.deleted();
      DocumentSummary::Count& count = (gone ? summary.deleted : summary.live)[static_cast<size_t>(item.kind)];
      ++count.structs;
      count.units += item.length;
      if (!gone && item.kind == ContentKind::kType) {
        ++summary.types[static_cast<size_t>(document.types[item.extra].kind)];
      }
    }
  }
  for (const internal::TypeIndex root : document.roots()) {
    summary.roots.push_back(SummarizeRoot(document, document.types[root]));
  }
  summary.pending_structs = document.pending.structs.structs();
  summary.pending_deletes = document.pending.deletes.size();
  for (const UnitId& id : document.pending.structs.missing()) {
    summary.missing.push_back({id.client, document.structs.StateOf(id.client)});
  }
  return summary;
}

}  // namespace rivermeet::crdt
