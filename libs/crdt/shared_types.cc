#include "crdt/shared_types.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "crdt/internal/handle_edit.h"
#include "crdt/internal/read/reading.h"
#include "crdt/internal/read/xml_reading.h"

namespace rivermeet::crdt {

using internal::CostOf;
using internal::Edit;
using internal::EditCost;
using internal::Editor;
using internal::Gone;
using internal::Item;
using internal::ItemRef;
using internal::kNoItem;
using internal::Prepared;
using internal::Session;
using internal::Slot;
using internal::Type;
using internal::TypeKind;

SharedType::SharedType(Session& session, uint32_t type)
    : session_(&session), type_(type), generation_(session.document.types[type].generation) {}

bool SharedType::alive() const {
  const Type& type = session_->document.types[type_];
  return type.generation == generation_ && !session_->document.IsDeleted(type_);
}

std::optional<SharedKind> SharedType::kind() const {
  const Type& type = session_->document.types[type_];
  if (type.generation != generation_ || type.kind == TypeKind::kUntyped) return std::nullopt;
  return static_cast<SharedKind>(type.kind);
}

std::string SharedType::name() const {
  const Type& type = session_->document.types[type_];
  const bool named = kind() == SharedKind::kXmlElement || kind() == SharedKind::kXmlHook;
  return named && type.item != kNoItem ? std::string(session_->document.keys[type.name]) : std::string();
}

std::optional<SharedType> SharedType::parent() const {
  const ItemRef item = session_->document.types[type_].item;
  if (!alive() || item == kNoItem) return std::nullopt;
  return SharedType(*session_, session_->document.items[item].parent);
}

std::optional<PathStep> SharedType::step() const {
  if (!alive() || session_->document.types[type_].item == kNoItem) return std::nullopt;
  return internal::StepTo(session_->document, type_);
}

absl::StatusOr<List> SharedType::AsList() const {
  const auto is = kind();
  if (is == SharedKind::kArray || is == SharedKind::kXmlElement || is == SharedKind::kXmlFragment) return List(*this);
  return absl::FailedPreconditionError("the shared type is no list");
}

absl::StatusOr<Map> SharedType::AsMap() const {
  const auto is = kind();
  if (is.has_value() && is != SharedKind::kArray && is != SharedKind::kXmlFragment) return Map(*this);
  return absl::FailedPreconditionError("the shared type is no map");
}

absl::StatusOr<Text> SharedType::AsText() const {
  const auto is = kind();
  if (is == SharedKind::kText || is == SharedKind::kXmlText) return Text(*this);
  return absl::FailedPreconditionError("the shared type is no text");
}

absl::Status List::Insert(uint64_t index, absl::Span<const Insertable> values) {
  if (!alive()) return Gone();
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(values, Slot::kList, prepared));
  return Edit(*session_, type_, CostOf(prepared),
              [&](Editor& editor) { return editor.ListInsert(type_, index, prepared); });
}

absl::Status List::Push(absl::Span<const Insertable> values) {
  if (kind() != SharedKind::kArray) return Insert(length(), values);
  if (!alive()) return Gone();
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(values, Slot::kList, prepared));
  return Edit(*session_, type_, CostOf(prepared), [&](Editor& editor) {
    editor.ListPush(type_, prepared);
    return absl::OkStatus();
  });
}

absl::Status List::Delete(uint64_t index, uint64_t length) {
  if (!alive()) return Gone();
  index = std::min(index, internal::Document::kMaxClock);
  return Edit(*session_, type_, CostOfCuts(session_->document.types[type_], index, length),
              [&](Editor& editor) { return editor.ListDelete(type_, index, length); });
}

absl::Status Map::Set(std::string_view key, const Insertable& value) {
  if (!alive()) return Gone();
  RM_RETURN_IF_ERROR(internal::CheckText(key, "the key"));
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(absl::MakeConstSpan(&value, 1), Slot::kEntry, prepared));
  EditCost cost = prepared.cost();
  ++cost.names;
  cost.bytes += key.size();
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    editor.MapSet(type_, key, prepared);
    return absl::OkStatus();
  });
}

absl::Status Map::Delete(std::string_view key) {
  if (!alive()) return Gone();
  return Edit(*session_, type_, {}, [&](Editor& editor) {
    const internal::KeyIndex number = session_->document.keys.Find(key);
    if (number != 0) editor.MapDelete(type_, number);
    return absl::OkStatus();
  });
}

absl::Status Map::Clear() {
  if (!alive()) return Gone();
  return Edit(*session_, type_, {}, [&](Editor& editor) {
    const Type& type = session_->document.types[type_];
    for (size_t i = 0; type.entries != nullptr && i < type.entries->size(); ++i)
      editor.MapDelete(type_, (*type.entries)[i].first);
    return absl::OkStatus();
  });
}

std::vector<std::string> Map::Keys() const {
  std::vector<std::string> keys;
  if (!alive() || session_->document.types[type_].entries == nullptr) return keys;
  for (const auto& [key, item] : *session_->document.types[type_].entries) {
    if (!session_->document.items[item].deleted()) keys.emplace_back(session_->document.keys[key]);
  }
  return keys;
}

std::optional<Value> SharedType::At(uint64_t index) const {
  if (!alive() || index >= session_->document.types[type_].length) return std::nullopt;
  const internal::PositionIndex::Place place = session_->document.Index(type_).Find(static_cast<uint32_t>(index));
  return internal::ValueIn(*session_, session_->document.items[place.item], index - place.before.units);
}

std::optional<Value> SharedType::Entry(std::string_view key) const {
  const internal::KeyIndex number = session_->document.keys.Find(key);
  if (number == 0 || !alive()) return std::nullopt;
  const ItemRef ref = session_->document.types[type_].Entry(number);
  if (ref == kNoItem || session_->document.items[ref].deleted()) return std::nullopt;
  const Item& item = session_->document.items[ref];
  return internal::ValueIn(*session_, item, item.length - 1);
}

uint64_t SharedType::length() const { return alive() ? session_->document.types[type_].length : 0; }

std::string SharedType::PlainText() const {
  std::string text;
  text.reserve(length());
  if (alive()) internal::AppendPlainText(session_->document, type_, text);
  return text;
}

absl::StatusOr<std::string> SharedType::ToJson(BigInts bigints) const {
  if (!alive()) return Gone();
  std::string json;
  RM_RETURN_IF_ERROR(internal::AppendTypeJson(session_->document, type_, bigints, json));
  return json;
}

absl::StatusOr<std::string> SharedType::ToXml() const {
  if (!alive()) return Gone();
  std::string xml;
  if (internal::AppendXml(session_->document, type_, xml)) return xml;
  return absl::InvalidArgumentError("something in it can't stand in XML");
}

std::vector<Value> List::ToValues(uint64_t from, uint64_t to) const {
  std::vector<Value> values;
  to = std::min(to, length());
  if (from >= to) return values;
  internal::Document& document = session_->document;
  ItemRef ref = document.types[type_].start;
  if (from > 0) {
    const internal::PositionIndex::Place place = document.Index(type_).Find(static_cast<uint32_t>(from));
    ref = place.item;
    from -= place.before.units;
    to -= place.before.units;
  }
  for (; to > 0; ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    if (!item.visible()) continue;
    const uint64_t end = std::min<uint64_t>(item.length, to);
    internal::ForEachValueIn(*session_, item, static_cast<uint32_t>(from), static_cast<uint32_t>(end),
                             [&values](uint32_t, Value value) { values.push_back(std::move(value)); });
    from = 0;
    to -= end;
  }
  return values;
}

}  // namespace rivermeet::crdt
