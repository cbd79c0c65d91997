#include "crdt/internal/read/xml_reading.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "crdt/internal/read/reading.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/lower_case.h"
#include "crdt/internal/wire/object_names.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

namespace {

constexpr std::string_view kAnObject = "[object Object]";

AnyTag PeekTag(const ByteReader& reader) { return static_cast<AnyTag>(*reader.position()); }

// Steps over an object. False when it has a member `toString`: JavaScript makes no text of such a one.
bool SkipObject(ByteReader& reader) {
  bool has_text = true;
  reader.ReadByte();
  for (uint64_t left = reader.ReadVarUint(); left > 0; --left) {
    has_text &= reader.ReadVarBytes() != "toString";
    StepOverAny(reader);
  }
  return has_text;
}

// Appends String() of bytes.
void AppendBytes(std::string_view bytes, std::string& to) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) to.push_back(',');
    AppendJavaScriptNumber(static_cast<uint8_t>(bytes[i]), to);
  }
}

// Appends String() of a value that is no array.
bool AppendString(ByteReader& reader, std::string& to) {
  switch (PeekTag(reader)) {
    case AnyTag::kObject:
      to.append(kAnObject);
      return SkipObject(reader);
    case AnyTag::kBytes:
      reader.ReadByte();
      AppendBytes(reader.ReadVarBytes(), to);
      return true;
    case AnyTag::kFloat32:
      reader.ReadByte();
      AppendJavaScriptNumber(reader.ReadFloat32(), to);
      return true;
    case AnyTag::kFloat64:
      reader.ReadByte();
      AppendJavaScriptNumber(reader.ReadFloat64(), to);
      return true;
    case AnyTag::kInteger:
      reader.ReadByte();
      AppendJavaScriptNumber(static_cast<double>(reader.ReadVarInt().value()), to);
      return true;
    case AnyTag::kBigInt:
      reader.ReadByte();
      AppendBigInt(reader, to);
      return true;
    case AnyTag::kString:
      reader.ReadByte();
      AppendJoined(reader.ReadVarBytes(), to);
      return true;
    case AnyTag::kTrue:
      reader.ReadByte();
      to.append("true");
      return true;
    case AnyTag::kFalse:
      reader.ReadByte();
      to.append("false");
      return true;
    case AnyTag::kNull:
      reader.ReadByte();
      to.append("null");
      return true;
    default:
      reader.ReadByte();
      to.append("undefined");
      return true;
  }
}

// Appends String() of any value: elements of an array with commas between them, null and undefined as nothing.
bool AppendStringOf(ByteReader& reader, std::string& to) {
  struct Open {
    uint64_t left;
    bool first;
  };
  absl::InlinedVector<Open, 8> arrays;
  for (;;) {
    if (PeekTag(reader) == AnyTag::kArray) {
      reader.ReadByte();
      arrays.push_back({reader.ReadVarUint(), true});
    } else if (!arrays.empty() && (PeekTag(reader) == AnyTag::kNull || PeekTag(reader) == AnyTag::kUndefined)) {
      reader.ReadByte();
    } else if (!AppendString(reader, to)) {
      return false;
    }
    while (!arrays.empty() && arrays.back().left == 0) arrays.pop_back();
    if (arrays.empty()) return true;
    --arrays.back().left;
    if (!std::exchange(arrays.back().first, false)) to.push_back(',');
  }
}

// What for-in and [] give for the value of a format: keys with the text of their values.
bool MembersOf(std::string_view any, std::vector<std::pair<std::string, std::string>>& members) {
  ByteReader reader(any);
  const AnyTag tag = static_cast<AnyTag>(reader.ReadByte());
  if (tag == AnyTag::kString) {
    const std::string_view text = reader.ReadVarBytes();
    ForEachUnit(text, [&](std::string_view unit) { members.emplace_back(std::to_string(members.size()), unit); });
  } else if (tag == AnyTag::kBytes) {
    const std::string_view bytes = reader.ReadVarBytes();
    for (size_t i = 0; i < bytes.size(); ++i) {
      members.emplace_back(std::to_string(i), std::to_string(static_cast<uint8_t>(bytes[i])));
    }
  } else if (tag == AnyTag::kArray || tag == AnyTag::kObject) {
    const uint64_t count = reader.ReadVarUint();
    for (uint64_t i = 0; i < count; ++i) {
      members.emplace_back(tag == AnyTag::kObject ? std::string(reader.ReadVarBytes()) : std::to_string(i),
                           std::string());
      if (!AppendStringOf(reader, members.back().second)) return false;
    }
  }
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return LessInUtf16(a.first, b.first); });
  return true;
}

// A type that is being written, with all below it.
class XmlWriter {
 public:
  XmlWriter(const Document& document, std::string& to) : document_(document), to_(to) {}

  bool Write(TypeIndex type) {
    if (!Open(type)) return false;
    while (!open_.empty()) {
      if (!Step()) return false;
    }
    return true;
  }

 private:
  struct Frame {
    TypeIndex type = kNoType;
    ItemRef next = kNoItem;
    std::string behind;            // to write when what was begun last is done
    std::vector<ItemRef> entries;  // attributes of an element that are left
    bool in_tag = false;           // of an element: its start tag isn't closed
    AttributeMap attributes;       // of a text, at `next`
    bool in_run = false;           // of a text: `behind` ends its run of text
  };

  bool Open(TypeIndex type);
  bool Step();
  bool StepAttribute();
  bool StepChild();
  bool StepText();
  bool WriteValues(const Item& item);
  bool BeginRun(Frame& frame);
  void EndRun(Frame& frame);
  void AppendName(TypeIndex type);
  std::vector<ItemRef> EntriesOf(const Type& type) const;

  const Document& document_;
  std::string& to_;
  std::vector<Frame> open_;
};

void XmlWriter::AppendName(TypeIndex type) {
  // A root has no name of its own.
  const bool is_root = document_.types[type].item == kNoItem;
  AppendLowerCase(is_root ? "UNDEFINED" : document_.keys[document_.types[type].name], to_);
}

std::vector<ItemRef> XmlWriter::EntriesOf(const Type& type) const {
  std::vector<ItemRef> entries;
  if (type.entries == nullptr) return entries;
  for (const auto& [key, ref] : *type.entries) {
    // The object's prototype is set by that name.
    if (!document_.items[ref].deleted() && document_.keys[key] != kProto) entries.push_back(ref);
  }
  std::sort(entries.begin(), entries.end(), [this](ItemRef a, ItemRef b) {
    return LessInUtf16(document_.keys[document_.items[b].place], document_.keys[document_.items[a].place]);
  });
  return entries;  // taken from the end
}

bool XmlWriter::Open(TypeIndex number) {
  const Type& type = document_.types[number];
  switch (type.kind) {
    case TypeKind::kText:
      AppendPlainText(document_, number, to_);
      return true;
    case TypeKind::kXmlElement:
      to_.push_back('<');
      AppendName(number);
      open_.push_back({.type = number, .next = type.start, .entries = EntriesOf(type), .in_tag = true});
      return true;
    case TypeKind::kXmlFragment:
    case TypeKind::kXmlText:
      open_.push_back({.type = number, .next = type.start});
      return true;
    default:
      to_.append(kAnObject);
      return true;
  }
}

bool XmlWriter::Step() {
  Frame& frame = open_.back();
  if (document_.types[frame.type].kind == TypeKind::kXmlText) return StepText();
  to_.append(std::exchange(frame.behind, {}));
  if (!frame.entries.empty()) return StepAttribute();
  if (std::exchange(frame.in_tag, false)) to_.push_back('>');
  return StepChild();
}

bool XmlWriter::StepAttribute() {
  Frame& frame = open_.back();
  const Item& item = document_.items[frame.entries.back()];
  frame.entries.pop_back();
  to_.push_back(' ');
  AppendJoined(document_.keys[item.place], to_);
  to_.append("=\"");
  frame.behind = "\"";
  switch (item.kind) {
    case ContentKind::kType:
      return Open(item.extra);
    case ContentKind::kDoc:
      to_.append(kAnObject);
      return true;
    case ContentKind::kString:
      AppendSlice(item.bytes(), item.length - 1, item.length, to_);
      return true;
    case ContentKind::kBinary:
      AppendBytes(item.bytes(), to_);
      return true;
    case ContentKind::kAny:
    case ContentKind::kJson:
    case ContentKind::kEmbed: {
      ByteReader reader(SkipValues(item.bytes(), item.length - 1));
      return AppendStringOf(reader, to_);
    }
    default:
      to_.append("undefined");
      return true;
  }
}

bool XmlWriter::StepChild() {
  Frame& frame = open_.back();
  while (frame.next != kNoItem) {
    const Item& item = document_.items[frame.next];
    frame.next = item.right;
    if (!item.visible()) continue;
    if (item.kind == ContentKind::kType) return Open(item.extra);
    if (!WriteValues(item)) return false;
  }
  if (document_.types[frame.type].kind == TypeKind::kXmlElement) {
    to_.append("</");
    AppendName(frame.type);
    to_.push_back('>');
  }
  open_.pop_back();
  return true;
}

// What has no business among nodes.
bool XmlWriter::WriteValues(const Item& item) {
  switch (item.kind) {
    case ContentKind::kString:
      AppendJoined(item.bytes(), to_);
      return true;
    case ContentKind::kDoc:
      to_.append(kAnObject);
      return true;
    case ContentKind::kBinary:
      AppendBytes(item.bytes(), to_);
      return true;
    default:
      for (ByteReader reader(item.bytes()); !reader.AtEnd();) {
        if (PeekTag(reader) == AnyTag::kNull || PeekTag(reader) == AnyTag::kUndefined) return false;
        if (!AppendStringOf(reader, to_)) return false;
      }
      return true;
  }
}

// The start tags of what holds here.
bool XmlWriter::BeginRun(Frame& frame) {
  if (std::exchange(frame.in_run, true)) return true;
  std::vector<Attribute> nodes;
  for (const Attribute& attribute : frame.attributes) {
    if (document_.keys[attribute.key] != kProto) nodes.push_back(attribute);
  }
  std::sort(nodes.begin(), nodes.end(), [this](const Attribute& a, const Attribute& b) {
    return LessInUtf16(document_.keys[a.key], document_.keys[b.key]);
  });
  for (const auto& [key, value] : nodes) {
    to_.push_back('<');
    AppendJoined(document_.keys[key], to_);
    std::vector<std::pair<std::string, std::string>> members;
    if (!MembersOf(value, members)) return false;
    for (const auto& [name, text] : members) {
      to_.push_back(' ');
      AppendJoined(name, to_);
      to_.append("=\"");
      AppendJoined(text, to_);
      to_.push_back('"');
    }
    to_.push_back('>');
  }
  for (size_t n = nodes.size(); n-- > 0;) {
    frame.behind.append("</").append(document_.keys[nodes[n].key]).push_back('>');
  }
  return true;
}

void XmlWriter::EndRun(Frame& frame) {
  frame.in_run = false;
  AppendJoined(std::exchange(frame.behind, {}), to_);
}

// Goes on up to the next shared type: as YjsDelta does, each of its steps inside its formats.
bool XmlWriter::StepText() {
  Frame& frame = open_.back();
  EndRun(frame);  // of an embedded type, if there was one
  const KeyIndex ychange = document_.keys.Find("ychange");
  while (frame.next != kNoItem) {
    const Item& item = document_.items[frame.next];
    frame.next = item.right;
    if (item.deleted()) continue;
    switch (item.kind) {
      case ContentKind::kString:
        if (ychange != 0 && frame.attributes.Get(ychange).has_value()) {
          EndRun(frame);
          frame.attributes.Erase(ychange);
        }
        if (!BeginRun(frame)) return false;
        AppendJoined(item.bytes(), to_);
        break;
      case ContentKind::kType:
        EndRun(frame);
        if (!BeginRun(frame)) return false;
        return Open(item.extra);
      case ContentKind::kEmbed: {
        EndRun(frame);
        ByteReader reader(item.bytes());
        if (!BeginRun(frame) || !AppendStringOf(reader, to_)) return false;
        EndRun(frame);
        break;
      }
      case ContentKind::kFormat:
        EndRun(frame);
        frame.attributes.Apply(item.extra, item.bytes());
        break;
      default:
        break;
    }
  }
  EndRun(frame);
  open_.pop_back();
  return true;
}

}  // namespace

bool AppendXml(const Document& document, TypeIndex type, std::string& to) {
  return XmlWriter(document, to).Write(type);
}

}  // namespace rivermeet::crdt::internal
