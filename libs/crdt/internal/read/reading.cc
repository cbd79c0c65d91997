#include "crdt/internal/read/reading.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "crdt/internal/read/xml_reading.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/byte_writer.h"
#include "crdt/internal/wire/object_names.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

namespace {

bool IsUndefined(std::string_view any) { return static_cast<AnyTag>(any[0]) == AnyTag::kUndefined; }

// Writes arrays and maps, with all that is inside, as JSON.
class TypeJson {
 public:
  TypeJson(const Document& document, BigInts bigints, std::string& to)
      : document_(document), bigints_(bigints), to_(to) {}

  absl::Status Write(TypeIndex type) {
    if (!Open(type)) return Refused();
    while (!open_.empty()) {
      if (!Step()) return Refused();
    }
    return absl::OkStatus();
  }

 private:
  // An array or map that is being written.
  struct Frame {
    ItemRef next = kNoItem;                             // of an array
    uint64_t at = 0;                                    // how many values of `next` were written
    std::vector<std::pair<KeyIndex, ItemRef>> entries;  // of a map, in order
    bool is_map = false;
    bool first = true;
  };

  absl::Status Refused() const {
    return absl::InvalidArgumentError(
        "something in it has no form in JSON: a bigint that isn't asked for as text, or what isn't XML inside of XML");
  }
  bool Open(TypeIndex type);
  bool Step();
  bool StepArray(Frame& frame);
  bool WriteValue(const Item& item, uint64_t at);
  std::vector<std::pair<KeyIndex, ItemRef>> EntriesOf(const Type& type) const;
  void Comma(Frame& frame) {
    if (!frame.first) to_.push_back(',');
    frame.first = false;
  }

  const Document& document_;
  const BigInts bigints_;
  std::string& to_;
  std::vector<Frame> open_;
};

// Begins a type; all of it unless it may hold more of these.
bool TypeJson::Open(TypeIndex number) {
  const Type& type = document_.types[number];
  switch (type.kind) {
    case TypeKind::kArray:
      to_.push_back('[');
      open_.push_back({.next = type.start});
      return true;
    case TypeKind::kMap:
    case TypeKind::kXmlHook:
      to_.push_back('{');
      open_.push_back({.entries = EntriesOf(type), .is_map = true});
      return true;
    case TypeKind::kUntyped:
      return true;
    case TypeKind::kText: {
      std::string text;
      AppendPlainText(document_, number, text);
      AppendJsonString(text, to_);
      return true;
    }
    case TypeKind::kXmlElement:
    case TypeKind::kXmlFragment:
    case TypeKind::kXmlText:
      break;
  }
  std::string xml;
  if (!AppendXml(document_, number, xml)) return false;
  AppendJsonString(xml, to_);
  return true;
}

// What is a member of the object that toJSON makes, in JavaScript's order.
std::vector<std::pair<KeyIndex, ItemRef>> TypeJson::EntriesOf(const Type& type) const {
  std::vector<std::pair<KeyIndex, ItemRef>> entries;
  if (type.entries == nullptr) return entries;
  bool has_indices = false;
  for (const auto& [key, ref] : *type.entries) {
    const Item& item = document_.items[ref];
    // The object's prototype is set by that name.
    if (item.deleted() || document_.keys[key] == kProto || item.kind == ContentKind::kFormat) continue;
    entries.emplace_back(key, ref);
    has_indices |= ArrayIndexOf(document_.keys[key]) >= 0;
  }
  if (has_indices) {
    std::stable_sort(entries.begin(), entries.end(), [this](const auto& a, const auto& b) {
      // What is no index comes behind all that are.
      return static_cast<uint64_t>(ArrayIndexOf(document_.keys[a.first])) <
             static_cast<uint64_t>(ArrayIndexOf(document_.keys[b.first]));
    });
  }
  std::reverse(entries.begin(), entries.end());  // taken from the end
  return entries;
}

bool TypeJson::Step() {
  Frame& frame = open_.back();
  if (!frame.is_map) return StepArray(frame);
  if (frame.entries.empty()) {
    to_.push_back('}');
    open_.pop_back();
    return true;
  }
  const auto [key, ref] = frame.entries.back();
  frame.entries.pop_back();
  const Item& item = document_.items[ref];
  if (item.kind == ContentKind::kAny || item.kind == ContentKind::kJson) {
    const std::string_view value = SkipValues(item.bytes(), item.length - 1);
    if (IsUndefined(value)) return true;
  }
  Comma(frame);
  AppendJsonString(document_.keys[key], to_);
  to_.push_back(':');
  return WriteValue(item, item.length - 1);
}

// Goes on up to the next shared type.
bool TypeJson::StepArray(Frame& frame) {
  for (; frame.next != kNoItem; frame.next = document_.items[frame.next].right) {
    const Item& item = document_.items[frame.next];
    if (!item.visible()) continue;
    if (item.kind == ContentKind::kType) {
      Comma(frame);
      frame.next = item.right;
      return Open(item.extra);
    }
    if (item.kind == ContentKind::kAny || item.kind == ContentKind::kJson) {
      for (ByteReader reader(item.bytes()); !reader.AtEnd();) {
        Comma(frame);
        if (static_cast<AnyTag>(*reader.position()) == AnyTag::kUndefined) {
          reader.ReadByte();
          to_.append("null");
        } else if (!AppendJson(reader, bigints_, to_)) {
          return false;
        }
      }
      continue;
    }
    if (item.kind == ContentKind::kString) {
      ForEachUnit(item.bytes(), [&](std::string_view unit) {
        Comma(frame);
        AppendJsonString(unit, to_);
      });
      continue;
    }
    Comma(frame);
    if (!WriteValue(item, 0)) return false;
  }
  to_.push_back(']');
  open_.pop_back();
  return true;
}

bool TypeJson::WriteValue(const Item& item, uint64_t at) {
  switch (item.kind) {
    case ContentKind::kType:
      return Open(item.extra);
    case ContentKind::kDoc:
      to_.append("{}");  // it isn't loaded, so it has no roots
      return true;
    case ContentKind::kBinary: {
      std::string any(1, static_cast<char>(AnyTag::kBytes));
      WriteVarBytes(any, item.bytes());
      ByteReader reader(any);
      return AppendJson(reader, bigints_, to_);
    }
    case ContentKind::kString: {
      std::string unit;
      AppendSlice(item.bytes(), at, at + 1, unit);
      AppendJsonString(unit, to_);
      return true;
    }
    default: {
      ByteReader reader(SkipValues(item.bytes(), at));
      if (reader.AtEnd() || static_cast<AnyTag>(*reader.position()) != AnyTag::kUndefined) {
        return AppendJson(reader, bigints_, to_);
      }
      to_.append("null");
      return true;
    }
  }
}

}  // namespace

absl::Status AppendTypeJson(const Document& document, TypeIndex type, BigInts bigints, std::string& to) {
  return TypeJson(document, bigints, to).Write(type);
}

absl::Status AppendRootsJson(const Document& document, BigInts bigints, std::string& to) {
  struct Root {
    uint64_t order;  // array indices come first
    TypeIndex type;
  };
  std::vector<Root> roots;
  for (const TypeIndex type : document.roots()) {
    const std::string_view name = document.keys[document.types[type].name];
    if (document.types[type].kind == TypeKind::kUntyped || name == kProto) continue;
    roots.push_back({static_cast<uint64_t>(ArrayIndexOf(name)), type});
  }
  std::stable_sort(roots.begin(), roots.end(), [](const Root& a, const Root& b) { return a.order < b.order; });
  to.push_back('{');
  for (const Root& root : roots) {
    if (&root != roots.data()) to.push_back(',');
    AppendJsonString(document.keys[document.types[root.type].name], to);
    to.push_back(':');
    RM_RETURN_IF_ERROR(AppendTypeJson(document, root.type, bigints, to));
  }
  to.push_back('}');
  return absl::OkStatus();
}

void AppendPlainText(const Document& document, TypeIndex text, std::string& to) {
  for (ItemRef ref = document.types[text].start; ref != kNoItem; ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    __builtin_prefetch(&item + 2);  // neighbours were often made one after the other
    if (item.visible() && item.kind == ContentKind::kString) AppendJoined(item.bytes(), to);
  }
}

PathStep StepTo(Document& document, TypeIndex type) {
  const ItemRef ref = document.types[type].item;
  const Item& item = document.items[ref];
  if (item.is_entry()) return std::string(document.keys[item.place]);
  return uint64_t{document.Index(item.parent).Before(ref).units};
}

Value ValueIn(Session& session, const Item& item, uint64_t at) {
  switch (item.kind) {
    case ContentKind::kType:
      return HandleAccess::Make(session, item.extra);
    case ContentKind::kDoc: {
      const internal::SubdocumentState& document = session.document.subdocuments[item.extra];
      return crdt::Subdocument{document.guid, Any::DecodeTrusted(document.options)};
    }
    case ContentKind::kBinary:
      return Any(Any::Bytes{std::string(item.bytes())});
    case ContentKind::kString: {
      std::string unit;
      AppendSlice(item.bytes(), at, at + 1, unit);
      return Any(std::move(unit));
    }
    case ContentKind::kAny:
    case ContentKind::kJson:
    case ContentKind::kEmbed: {
      ByteReader reader(session.document.contents.Skip(item.bytes(), at));
      return Any::DecodeTrusted(StepOverAny(reader));
    }
    default:
      return Any();
  }
}

Attributes ReadAttributes(const Document& document, const AttributeMap& attributes) {
  AttributeObject ordered;
  for (const auto& [key, value] : attributes) {
    if (document.keys[key] != kProto) ordered.Set(key, document.keys[key], value);
  }
  Attributes read;
  for (const auto& [key, value] : ordered.InOrder()) read.emplace_back(document.keys[key], Any::DecodeTrusted(value));
  return read;
}

}  // namespace rivermeet::crdt::internal
