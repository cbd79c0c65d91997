#include "crdt/internal/edit/insertion.h"

#include <algorithm>
#include <memory>

#include "crdt/internal/edit/text_editor.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/document_options.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

absl::Status Prepared::Prepare(absl::Span<const Insertable> values, Slot slot, Prepared& out) {
  for (const Insertable& value : values) RM_RETURN_IF_ERROR(out.Add(value, slot));
  size_t run = 0;
  for (WireContent& content : out.contents_) {
    if (content.kind != ContentKind::kType) content.data = out.bytes_[run++];
    RM_RETURN_IF_ERROR(CheckContentSize(content.data.size()));
    out.cost_.AddStruct(content.length, content.data.size() + content.name.size());
  }
  return absl::OkStatus();
}

absl::Status Prepared::Add(const Insertable& value, Slot slot) {
  if (const Any* any = std::get_if<Any>(&value.value)) return AddValue(*any, slot);
  open_run_ = false;
  if (const auto* type = std::get_if<std::shared_ptr<const NewType>>(&value.value)) return AddType(**type);
  return AddSubdocument(std::get<NewSubdocument>(value.value));
}

absl::Status Prepared::AddValue(const Any& value, Slot slot) {
  if (slot == Slot::kList && (value.is_undefined() || value.kind() == Any::Kind::kBigInt)) {
    return absl::InvalidArgumentError("a list takes neither undefined nor a bigint");
  }
  if (value.bytes() != nullptr && slot != Slot::kEmbed) {
    open_run_ = false;
    contents_.push_back({.kind = ContentKind::kBinary, .length = 1});
    bytes_.push_back(value.bytes()->data);
    return absl::OkStatus();
  }
  if (slot == Slot::kEmbed) {
    contents_.push_back({.kind = ContentKind::kEmbed, .length = 1});
    bytes_.push_back(value.Encode());
    cost_.AddValue(value, bytes_.back());
    if (IsJsonValue(bytes_.back())) return absl::OkStatus();
    return absl::InvalidArgumentError("an embed is a value that JSON has");
  }
  if (open_run_) {
    ++contents_.back().length;
  } else {
    contents_.push_back({.kind = ContentKind::kAny, .length = 1});
    bytes_.emplace_back();
    open_run_ = true;
  }
  std::string& run = bytes_.back();
  const size_t start = run.size();
  value.EncodeTo(run);
  cost_.AddValue(value, std::string_view(run).substr(start));
  return absl::OkStatus();
}

absl::Status Prepared::AddType(const NewType& type) {
  WireContent content{.kind = ContentKind::kType, .type = static_cast<TypeRef>(type.kind), .length = 1};
  content.name = type.name;
  contents_.push_back(content);
  Inside& inside = insides_.emplace_back();
  inside.content = contents_.size() - 1;
  inside.type = &type;
  RM_RETURN_IF_ERROR(CheckText(type.name, "a type's name"));
  RM_RETURN_IF_ERROR(CheckText(type.text, "a text"));
  EditCost below;
  if (!type.text.empty()) below.AddStruct(Measure(type.text).utf16, type.text.size());
  const auto add = [&](std::deque<Prepared>& to, absl::Span<const Insertable> values, Slot slot) {
    Prepared& prepared = to.emplace_back();
    RM_RETURN_IF_ERROR(Prepare(values, slot, prepared));
    below.Add(prepared.cost());
    return absl::OkStatus();
  };
  if (!type.items.empty()) RM_RETURN_IF_ERROR(add(inside.items, type.items, Slot::kList));
  for (const auto& [key, value] : type.entries) {
    RM_RETURN_IF_ERROR(CheckText(key, "a key"));
    RM_RETURN_IF_ERROR(add(inside.entries, absl::MakeConstSpan(&value, 1), Slot::kEntry));
    ++below.names;
    below.bytes += key.size();
  }
  ++below.types;
  if (!type.name.empty()) ++below.names;
  ++below.depth;
  cost_.Add(below);
  return absl::OkStatus();
}

absl::Status Prepared::AddSubdocument(const NewSubdocument& document) {
  RM_RETURN_IF_ERROR(CheckText(document.guid, "a guid"));
  WireContent content{.kind = ContentKind::kDoc, .length = 1};
  content.name = document.guid;
  std::string kept, other_guid;
  if (!KeptDocumentOptions(document.options.Encode(), other_guid, &content.name, kept)) {
    return absl::InvalidArgumentError(
        "a subdocument's options are neither null nor undefined, and a guid in them is a text");
  }
  content.name = document.guid;
  contents_.push_back(content);
  cost_.AddValue(document.options, kept);
  cost_.bytes += sizeof(SubdocumentState);
  bytes_.push_back(std::move(kept));
  return absl::OkStatus();
}

void Prepared::Fill(Editor& editor, size_t content, ItemRef item) const {
  const auto inside =
      std::lower_bound(insides_.begin(), insides_.end(), content,
                       [](const Inside& candidate, size_t wanted) { return candidate.content < wanted; });
  if (inside == insides_.end() || inside->content != content) return;
  const TypeIndex type = editor.TypeIn(item);
  if (!inside->type->text.empty()) {
    WireContent text{.kind = ContentKind::kString};
    const TextSize size = Measure(inside->type->text);
    text.length = size.utf16;
    text.astral = size.astral;
    text.data = inside->type->text;
    TextEditor(editor, type).Insert(0, text, nullptr);
  }
  for (const Prepared& items : inside->items) (void)editor.ListInsert(type, 0, items);
  for (size_t e = 0; e < inside->entries.size(); ++e)
    editor.MapSet(type, inside->type->entries[e].first, inside->entries[e]);
}

}  // namespace rivermeet::crdt::internal
