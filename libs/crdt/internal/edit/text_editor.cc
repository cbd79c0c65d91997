#include "crdt/internal/edit/text_editor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crdt/internal/edit/format_cleanup.h"
#include "crdt/internal/edit/insertion.h"

namespace rivermeet::crdt::internal {

TextEditor::TextEditor(Editor& editor, TypeIndex text)
    : editor_(editor),
      document_(editor.document()),
      transaction_(editor.transaction()),
      text_(text),
      type_(document_.types[text]) {}

void TextEditor::Forward(TextPosition& at) const {
  const Item& item = document_.items[at.right];
  if (!item.deleted()) {
    if (item.kind == ContentKind::kFormat) {
      at.attributes.Apply(item.extra, item.bytes());
    } else {
      at.index += item.length;
    }
  }
  at.left = at.right;
  at.right = item.right;
}

TextPosition TextEditor::Find(uint64_t index, Seek seek) {
  if (type_.markers != nullptr) return FindMarked(index, seek);
  PositionIndex& positions = document_.Index(text_);
  TextPosition at;
  at.index = std::min<uint64_t>(index, positions.total().units);
  if (positions.total().formats == 0 && seek != Seek::kFormat) {
    // Straight behind everything deleted, where an insertion goes anyway.
    const PositionIndex::Place place = positions.Find(static_cast<uint32_t>(at.index));
    if (place.item == kNoItem) {
      at.left = positions.Last();
      return at;
    }
    const Item& item = document_.items[place.item];
    const uint32_t within = static_cast<uint32_t>(at.index) - place.before.units;
    at.left = within == 0 ? item.left : place.item;
    if (within == 0 && at.left != kNoItem) {
      Extent before = place.before;
      before.Subtract(ExtentOf(document_.items[at.left]));
      positions.Remember(at.left, before);
    }
    at.right = place.item;
    if (within > 0) {
      document_.items.Reserve(2);
      at.right = document_.CleanStart(
          transaction_, {document_.items[place.item].id.client, document_.items[place.item].id.clock + within});
    }
    return at;
  }
  at.left = editor_.ItemEndingAt(text_, index);
  at.right = at.left == kNoItem ? type_.start : document_.items[at.left].right;
  if (at.left == kNoItem) return at;
  positions.FormatsUpTo(at.left).ApplyTo(document_.items, at.attributes);
  return at;
}

// As yjs walks (findPosition): from a marker, where no attributes are known, or from the start.
TextPosition TextEditor::FindMarked(uint64_t index, Seek seek) {
  TextPosition at = Start();
  if (seek == Seek::kInherit || seek == Seek::kDelete) {
    const SearchMarkers::Marker* marker = type_.markers->Find(document_.items, type_.start, type_.length, index);
    if (marker != nullptr) {
      at.left = document_.items[marker->item].left;
      at.right = marker->item;
      at.index = static_cast<uint64_t>(marker->index);
    }
  }
  // The marker may stand behind the place: nothing is counted then.
  for (int64_t left = static_cast<int64_t>(index - at.index); at.right != kNoItem && left > 0; Forward(at)) {
    const Item& item = document_.items[at.right];
    if (item.deleted() || item.kind == ContentKind::kFormat) continue;
    editor_.CutBehind(at.right, static_cast<uint64_t>(left));
    left -= document_.items[at.right].length;
  }
  return at;
}

void TextEditor::InsertFormat(TextPosition& at, KeyIndex key, AttributeValue value, bool of_document) {
  WireContent content;
  content.kind = ContentKind::kFormat;
  content.length = 1;
  content.name = document_.keys[key];
  const bool shares = of_document && value != kNullValue;
  if (!shares) content.data = value;
  at.right = editor_.Insert(text_, at.left, at.right, content);
  if (shares) {
    // The same JavaScript object as before, not an equal one.
    Item& item = document_.items[at.right];
    item.data = value.data();
    item.size = static_cast<uint32_t>(value.size());
    document_.contents.Share(value.size());
  }
  Forward(at);
}

// Steps over what is deleted and over formats that say what `attributes` do.
void TextEditor::PassMatching(TextPosition& at, const AttributeObject& attributes) const {
  while (at.right != kNoItem) {
    const Item& item = document_.items[at.right];
    const bool matches =
        item.kind == ContentKind::kFormat && SameValue(Read(attributes, item.extra).value_or(kNullValue), item.bytes());
    if (!item.deleted() && !matches) return;
    Forward(at);
  }
}

AttributeMap TextEditor::InsertAttributes(TextPosition& at, const AttributeObject& attributes) {
  AttributeMap negated;
  for (const auto& [key, value] : attributes.InOrder()) {
    const AttributeValue current = at.attributes.GetOrNull(key);
    if (SameValue(current, value)) continue;
    negated.Set(key, current);
    InsertFormat(at, key, value, /*of_document=*/false);
  }
  return negated;
}

void TextEditor::InsertNegated(TextPosition& at, AttributeMap negated) {
  while (at.right != kNoItem) {
    const Item& item = document_.items[at.right];
    if (!item.deleted()) {
      const std::optional<AttributeValue> wanted =
          item.kind == ContentKind::kFormat ? negated.Get(item.extra) : std::nullopt;
      if (!wanted.has_value() || !SameValue(*wanted, item.bytes())) break;
      negated.Erase(item.extra);
    }
    Forward(at);
  }
  for (const auto& [key, value] : negated) InsertFormat(at, key, value, /*of_document=*/true);
}

void TextEditor::InsertAt(TextPosition& at, const WireContent& content, AttributeObject attributes,
                          const Prepared* embed) {
  for (const auto& [key, value] : at.attributes) {
    if (!Read(attributes, key).has_value()) attributes.Set(key, document_.keys[key], kNullValue);
  }
  PassMatching(at, attributes);
  AttributeMap negated = InsertAttributes(at, attributes);
  if (type_.markers != nullptr) {
    type_.markers->Changed(document_.items, at.index, static_cast<int64_t>(content.length));
  }
  at.right = editor_.InsertText(text_, at.left, at.right, content);
  if (embed != nullptr) embed->Fill(editor_, 0, at.right);
  Forward(at);
  InsertNegated(at, std::move(negated));
}

void TextEditor::FormatAt(TextPosition& at, uint64_t length, const AttributeObject& attributes) {
  PassMatching(at, attributes);
  AttributeMap negated = InsertAttributes(at, attributes);
  while (at.right != kNoItem) {
    const Item& item = document_.items[at.right];
    const bool is_format = item.kind == ContentKind::kFormat;
    if (length == 0 && (negated.empty() || (!item.deleted() && !is_format))) break;
    if (!item.deleted() && is_format) {
      const std::optional<AttributeValue> wanted = Read(attributes, item.extra);
      if (!wanted.has_value()) {
        at.attributes.Set(item.extra, item.bytes());
      } else {
        if (SameValue(*wanted, item.bytes())) {
          negated.Erase(item.extra);
        } else {
          if (length == 0) break;
          negated.Set(item.extra, item.bytes());
        }
        document_.Delete(transaction_, at.right);
      }
    } else if (!item.deleted()) {
      editor_.CutBehind(at.right, length);
      length -= document_.items[at.right].length;
    }
    Forward(at);
  }
  if (length > 0) {
    const std::string lines(length, '\n');
    WireContent content;
    content.kind = ContentKind::kString;
    content.length = length;
    content.data = lines;
    at.right = editor_.Insert(text_, at.left, at.right, content);
    Forward(at);
  }
  InsertNegated(at, std::move(negated));
}

void TextEditor::DeleteAt(TextPosition& at, uint64_t length) {
  const uint64_t asked = length;
  const bool has_formats = HasFormats();
  const AttributeMap at_start = at.attributes;
  const ItemRef start = at.right;
  while (length > 0 && at.right != kNoItem) {
    const Item& item = document_.items[at.right];
    if (!item.deleted() &&
        (item.kind == ContentKind::kType || item.kind == ContentKind::kEmbed || item.kind == ContentKind::kString)) {
      editor_.CutBehind(at.right, length);
      length -= document_.items[at.right].length;
      document_.Delete(transaction_, at.right);
    }
    Forward(at);
  }
  if (has_formats && start != kNoItem)
    FormatCleanup(document_, transaction_).CleanUpGap(start, at.right, at_start, at.attributes);
  if (type_.markers != nullptr) {
    type_.markers->Changed(document_.items, at.index, static_cast<int64_t>(length - asked));
  }
}

void TextEditor::Insert(uint64_t index, const WireContent& content, const AttributeObject* attributes) {
  TextPosition at = Find(index, attributes == nullptr ? Seek::kInherit : Seek::kGiven);
  if (attributes != nullptr) return InsertAt(at, content, *attributes);
  if (type_.markers == nullptr && !HasFormats()) {
    editor_.InsertText(text_, at.left, at.right, content);  // nothing is inherited, passed or closed
    return;
  }
  AttributeObject inherited;
  for (const auto& [key, value] : at.attributes) inherited.Set(key, document_.keys[key], value);
  return InsertAt(at, content, std::move(inherited));
}

void TextEditor::InsertEmbed(uint64_t index, const Prepared& embed, const AttributeObject* attributes) {
  TextPosition at = Find(index, attributes == nullptr ? Seek::kInherit : Seek::kGiven);
  InsertAt(at, embed.contents()[0], attributes == nullptr ? AttributeObject() : *attributes, &embed);
}

// Whoever deletes one character after the other, forwards or backwards, makes what he deleted before longer.
bool TextEditor::DeleteOn(uint64_t index, uint64_t length) {
  PositionIndex& positions = document_.Index(text_);
  if (type_.markers != nullptr || positions.total().formats > 0) return false;
  const PositionIndex::Place place = positions.Find(static_cast<uint32_t>(index));
  if (place.item == kNoItem || length >= document_.items[place.item].length) return false;
  return document_.DeleteAtEdge(transaction_, place.item, static_cast<uint32_t>(index) - place.before.units,
                                static_cast<uint32_t>(length));
}

void TextEditor::Delete(uint64_t index, uint64_t length) {
  if (length == 0 || DeleteOn(index, length)) return;
  TextPosition at = Find(index, Seek::kDelete);
  DeleteAt(at, length);
}

void TextEditor::Format(uint64_t index, uint64_t length, const AttributeObject& attributes) {
  if (length == 0) return;
  TextPosition at = Find(index, Seek::kFormat);
  if (at.right != kNoItem) FormatAt(at, length, attributes);
}

}  // namespace rivermeet::crdt::internal
