#include "crdt_tool/struct_line.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/json_string.h"
#include "base/strings.h"

namespace rivermeet::crdt_tool {
namespace {

using crdt::Any;
using crdt::Content;

constexpr size_t kShownCharacters = 60;

// Up to the start of the character after the first `most`.
std::string_view Head(std::string_view text, size_t most) {
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if ((static_cast<uint8_t>(text[end]) & 0xc0) != 0x80 && most-- == 0) break;
  }
  return text.substr(0, end);
}

// JSON leaves these as they are, in strings alone: delete, and the controls from U+0080 to U+009F.
std::string WithoutControls(std::string_view json) {
  std::string shown;
  for (size_t at = 0; at < json.size(); ++at) {
    const auto byte = static_cast<uint8_t>(json[at]);
    const auto next = static_cast<uint8_t>(at + 1 < json.size() ? json[at + 1] : 0);
    if (byte == 0x7f) {
      shown += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      shown += fmt::format("\\u{:04x}", next);
      ++at;
    } else {
      shown += json[at];
    }
  }
  return shown;
}

// `json`, cut off.
std::string Shortened(std::string_view json) {
  const std::string_view head = Head(json, kShownCharacters);
  return WithoutControls(head) + (head.size() < json.size() ? "…" : "");
}

std::string JsonOf(const Any& value) {
  const absl::StatusOr<std::string> json = value.ToJson(crdt::BigInts::kAsText);
  return json.ok() ? *json : "undefined";
}

std::string ValuesOf(const crdt::UpdateStruct& one) {
  std::string json;
  // Each takes at least one character.
  for (const Any& value : FirstValues(one, kShownCharacters)) {
    if (!json.empty()) json += ", ";
    json += JsonOf(value);
    if (json.size() > 4 * kShownCharacters) break;
  }
  return Shortened(json);
}

std::string Held(const crdt::UpdateStruct& one) {
  switch (one.content) {
    case Content::kGc:
    case Content::kDeleted:
    case Content::kSkip:
      return {};
    case Content::kString:
      return " " + Quoted(one.data, kShownCharacters);
    case Content::kBinary:
      return fmt::format(" {} bytes", one.data.size());
    case Content::kFormat:
      return fmt::format(" {}={}", Quoted(one.name, kShownCharacters), ValuesOf(one));
    case Content::kType:
      return fmt::format(" {}{}", NameOf(*one.type), one.name.empty() ? "" : " " + Quoted(one.name, kShownCharacters));
    case Content::kSubdocument:
      return fmt::format(" {} {}", Quoted(one.name, kShownCharacters), ValuesOf(one));
    case Content::kJson:
    case Content::kEmbed:
    case Content::kAny:
      break;
  }
  return " " + ValuesOf(one);
}

std::string Shown(const crdt::UnitId& id) { return fmt::format("{}:{}", id.client, id.clock); }

}  // namespace

std::string_view NameOf(Content content) {
  static constexpr std::array<std::string_view, crdt::kContents> kNames = {
      "gc", "deleted", "json", "binary", "string", "embed", "format", "type", "any", "subdocument", "skip"};
  return kNames[static_cast<size_t>(content)];
}

std::string_view NameOf(crdt::SharedKind kind) {
  static constexpr std::array<std::string_view, crdt::kSharedKinds> kNames = {
      "array", "map", "text", "xml-element", "xml-fragment", "xml-hook", "xml-text"};
  return kNames[static_cast<size_t>(kind)];
}

std::string Quoted(std::string_view text, size_t most) {
  const std::string_view head = Head(text, most);
  return WithoutControls(JsonString(head)) + (head.size() < text.size() ? "…" : "");
}

std::string LineOf(const crdt::UpdateStruct& one) {
  std::string line = fmt::format("{} {} {}", Shown(one.id), NameOf(one.content), one.length);
  if (one.origin.has_value()) line += " left " + Shown(*one.origin);
  if (one.right_origin.has_value()) line += " right " + Shown(*one.right_origin);
  if (one.root.has_value()) line += " in " + Quoted(*one.root, kShownCharacters);
  if (one.parent.has_value()) line += " in " + Shown(*one.parent);
  if (one.key.has_value()) line += " key " + Quoted(*one.key, kShownCharacters);
  return line + Held(one);
}

std::string LineOf(const crdt::DeletedRange& range) {
  return fmt::format("deletes {}:{} {}", range.client, range.clock, range.length);
}

}  // namespace rivermeet::crdt_tool
