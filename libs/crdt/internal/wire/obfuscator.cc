#include "crdt/internal/wire/obfuscator.h"

#include <string>
#include <utility>

#include "crdt/any.h"
#include "crdt/internal/wire/any_codec.h"

namespace rivermeet::crdt::internal {

void Obfuscator::Replace(WireStruct& item) {
  if (!item.is_item()) return;
  ReplaceContent(item.content);
  if (item.has_parent_sub && !item.parent_sub.empty()) {
    item.parent_sub = Standing(keys_, item.parent_sub, std::to_string(items_));
  }
  ++items_;
}

void Obfuscator::ReplaceContent(WireContent& content) {
  data_.clear();
  switch (content.kind) {
    case ContentKind::kAny:
    case ContentKind::kJson:
      for (uint64_t i = 0; i < content.length; ++i) AppendAnyNumber(static_cast<double>(items_), data_);
      break;
    case ContentKind::kBinary:
      data_.push_back(static_cast<char>(items_));
      break;
    case ContentKind::kString:
      data_.assign(content.length, static_cast<char>('0' + items_ % 10));
      content.astral = 0;
      break;
    case ContentKind::kEmbed:
      data_ = Any(Any::Object()).Encode();
      break;
    case ContentKind::kFormat:
      content.name = Standing(formats_, content.name, std::to_string(items_));
      content.data = FormatValue(content.data);
      return;
    case ContentKind::kType:
      if (content.type == TypeRef::kXmlElement || content.type == TypeRef::kXmlHook) {
        const char* prefix = content.type == TypeRef::kXmlElement ? "node-" : "hook-";
        content.name = Standing(nodes_, content.name, prefix + std::to_string(items_));
      }
      return;
    case ContentKind::kDoc:
      guid_ = std::to_string(items_);
      content.name = guid_;
      data_ = Any(Any::Object()).Encode();
      break;
    default:
      return;
  }
  content.data = data_;
}

// Null stays: it ends a format. As keys of a JavaScript map, numbers are the same whose text is, and no object is the
// same as another.
std::string_view Obfuscator::FormatValue(std::string_view value) {
  const Any any = Any::DecodeTrusted(value);
  if (any.is_null()) return value;
  std::string first = Any(Any::Object{{"i", Any(static_cast<double>(items_))}}).Encode();
  if (any.object() != nullptr || any.array() != nullptr || any.bytes() != nullptr) return data_ = std::move(first);
  std::string key(value);
  if (any.number() != nullptr) {
    key.clear();
    AppendJavaScriptNumber(*any.number(), key);
  }
  return Standing(format_values_, key, std::move(first));
}

std::string_view Obfuscator::Standing(Names& names, std::string_view name, std::string first) {
  return names.try_emplace(std::string(name), std::move(first)).first->second;
}

}  // namespace rivermeet::crdt::internal
