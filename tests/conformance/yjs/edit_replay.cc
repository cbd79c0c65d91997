#include "yjs/edit_replay.h"

#include "base/status.h"
#include "crdt/relative_position.h"

namespace rivermeet::yjs {

namespace {

using crdt::Any;
using crdt::Insertable;

Any Decoded(std::string_view bytes) {
  const absl::StatusOr<Any> any = Any::Decode(bytes);
  RM_CHECK_OK(any.status());
  return *any;
}

Insertable InsertableOf(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kAny:
      return Decoded(value.bytes);
    case Value::Kind::kBinary:
      return Any(Any::Bytes{std::string(value.bytes)});
    case Value::Kind::kSubdocument:
      return crdt::NewSubdocument{std::string(value.name), Decoded(value.bytes)};
    case Value::Kind::kType:
      break;
  }
  crdt::NewType type;
  type.kind = static_cast<crdt::SharedKind>(value.type);
  type.name = value.name;
  type.text = value.text;
  for (const Value& item : value.items) type.items.push_back(InsertableOf(item));
  for (const auto& [key, entry] : value.entries) type.entries.emplace_back(key, InsertableOf(entry));
  return type;
}

std::vector<Insertable> InsertablesOf(const std::vector<Value>& values) {
  std::vector<Insertable> insertables;
  for (const Value& value : values) insertables.push_back(InsertableOf(value));
  return insertables;
}

crdt::Attributes AttributesOf(const Attributes& given) {
  crdt::Attributes attributes;
  if (given.has_value()) {
    for (const auto& [key, value] : *given) attributes.emplace_back(key, Decoded(value));
  }
  return attributes;
}

std::vector<crdt::DeltaStep> DeltaOf(const std::vector<DeltaOperation>& operations) {
  std::vector<crdt::DeltaStep> delta;
  for (const DeltaOperation& operation : operations) {
    crdt::DeltaStep& step = delta.emplace_back();
    step.kind = operation.kind == DeltaOperation::Kind::kInsert   ? crdt::DeltaStep::Kind::kInsert
                : operation.kind == DeltaOperation::Kind::kDelete ? crdt::DeltaStep::Kind::kDelete
                                                                  : crdt::DeltaStep::Kind::kRetain;
    step.length = operation.length;
    if (operation.kind == DeltaOperation::Kind::kInsert) step.insert = InsertableOf(operation.insert);
    step.attributes = AttributesOf(operation.attributes);
  }
  return delta;
}

absl::StatusOr<crdt::SharedType> Find(crdt::Doc& doc, const Edit& edit) {
  RM_ASSIGN_OR_RETURN(crdt::SharedType type,
                      doc.GetRoot(edit.root.name, static_cast<crdt::SharedKind>(edit.root.type)));
  for (const Edit::PathStep& step : edit.path) {
    const std::optional<crdt::Value> value = step.is_key ? type.Entry(step.key) : type.At(step.index);
    if (!value.has_value() || !std::holds_alternative<crdt::SharedType>(*value))
      return absl::NotFoundError("no type at the path");
    type = std::get<crdt::SharedType>(*value);
  }
  if (edit.path.empty()) return type;
  RM_ASSIGN_OR_RETURN(const crdt::RelativePosition start, crdt::RelativePosition::At(type, 0));
  if (start.type != crdt::UnitId{edit.client, edit.clock}) return absl::NotFoundError("another type at the path");
  return type;
}

absl::Status EditText(crdt::Text text, const Edit& edit) {
  const crdt::Attributes attributes = AttributesOf(edit.attributes);
  switch (edit.kind) {
    case EditKind::kTextInsert:
      return edit.attributes.has_value() ? text.Insert(edit.index, edit.text, attributes)
                                         : text.Insert(edit.index, edit.text);
    case EditKind::kTextDelete:
      return text.Delete(edit.index, edit.length);
    case EditKind::kTextFormat:
      return text.Format(edit.index, edit.length, attributes);
    case EditKind::kTextEmbed:
      return text.InsertEmbed(edit.index, InsertableOf(edit.values[0]),
                              edit.attributes.has_value() ? &attributes : nullptr);
    default:
      return text.ApplyDelta(DeltaOf(edit.delta));
  }
}

}  // namespace

std::vector<crdt::EncodedUpdate> UpdatesOf(const Step& step) {
  std::vector<crdt::EncodedUpdate> updates;
  for (const Message& message : step.messages) {
    updates.push_back({message.bytes, message.format == 1 ? crdt::UpdateFormat::kV1 : crdt::UpdateFormat::kV2});
  }
  return updates;
}

absl::Status DoEdit(crdt::Doc& doc, const Edit& edit) {
  RM_ASSIGN_OR_RETURN(const crdt::SharedType type, Find(doc, edit));
  switch (edit.kind) {
    case EditKind::kTextInsert:
    case EditKind::kTextDelete:
    case EditKind::kTextFormat:
    case EditKind::kTextEmbed:
    case EditKind::kTextDelta: {
      RM_ASSIGN_OR_RETURN(const crdt::Text text, type.AsText());
      return EditText(text, edit);
    }
    case EditKind::kListInsert:
    case EditKind::kListPush:
    case EditKind::kListDelete: {
      RM_ASSIGN_OR_RETURN(crdt::List list, type.AsList());
      if (edit.kind == EditKind::kListInsert) return list.Insert(edit.index, InsertablesOf(edit.values));
      if (edit.kind == EditKind::kListPush) return list.Push(InsertablesOf(edit.values));
      return list.Delete(edit.index, edit.length);
    }
    case EditKind::kMapSet:
    case EditKind::kMapDelete: {
      RM_ASSIGN_OR_RETURN(crdt::Map map, type.AsMap());
      return edit.kind == EditKind::kMapSet ? map.Set(edit.key, InsertableOf(edit.values[0])) : map.Delete(edit.key);
    }
  }
  return absl::InternalError("no such edit");
}

}  // namespace rivermeet::yjs
