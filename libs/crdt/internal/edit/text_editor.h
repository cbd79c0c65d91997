// Local edits of text (yjs: types/YText.js). A format item says that from its place on an attribute has a value; one
// that is inserted is closed again behind what it was for.
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_TEXT_EDITOR_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_TEXT_EDITOR_H_

#include <optional>

#include "crdt/internal/edit/editor.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

class Prepared;

// A place between two items of a text, with the attributes that hold there.
struct TextPosition {
  ItemRef left = kNoItem;
  ItemRef right = kNoItem;
  uint64_t index = 0;
  AttributeMap attributes;
};

// Indices past the end count as the end.
class TextEditor {
 public:
  // Of the text number `text`, by `editor`, which outlives this.
  TextEditor(Editor& editor, TypeIndex text);

  // Without `attributes` what is inserted takes those that hold there.
  void Insert(uint64_t index, const WireContent& content, const AttributeObject* attributes);
  // With no attributes, when none are given.
  void InsertEmbed(uint64_t index, const Prepared& embed, const AttributeObject* attributes);
  void Delete(uint64_t index, uint64_t length);
  // What of a range that begins in the text is past its end becomes new lines.
  void Format(uint64_t index, uint64_t length, const AttributeObject& attributes);

  Document& document() { return document_; }

  // The steps of a delta, from the text's start on.
  TextPosition Start() const { return {kNoItem, type_.start, 0, {}}; }
  // `embed` is what `content` is from, when it is no text.
  void InsertAt(TextPosition& at, const WireContent& content, AttributeObject attributes,
                const Prepared* embed = nullptr);
  void FormatAt(TextPosition& at, uint64_t length, const AttributeObject& attributes);
  void DeleteAt(TextPosition& at, uint64_t length);

 private:
  // What the place is for: attributes that are given don't let yjs take a shortcut to it.
  enum class Seek : uint8_t { kInherit, kGiven, kDelete, kFormat };
  TextPosition Find(uint64_t index, Seek seek);
  TextPosition FindMarked(uint64_t index, Seek seek);
  bool DeleteOn(uint64_t index, uint64_t length);
  void Forward(TextPosition& at) const;
  void InsertFormat(TextPosition& at, KeyIndex key, AttributeValue value, bool of_document);
  AttributeMap InsertAttributes(TextPosition& at, const AttributeObject& attributes);
  void InsertNegated(TextPosition& at, AttributeMap negated);
  void PassMatching(TextPosition& at, const AttributeObject& attributes) const;
  bool HasFormats() { return document_.Index(text_).total().formats > 0; }
  std::optional<AttributeValue> Read(const AttributeObject& attributes, KeyIndex key) const {
    return attributes.Read(key, document_.keys[key]);
  }

  Editor& editor_;
  Document& document_;
  Transaction& transaction_;
  const TypeIndex text_;
  Type& type_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_TEXT_EDITOR_H_
