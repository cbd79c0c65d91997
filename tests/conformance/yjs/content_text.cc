#include "yjs/content_text.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"

namespace rivermeet::yjs {

namespace {

using crdt::Any;
using crdt::SharedKind;

constexpr double kWholeBelow = 9223372036854775808.0;

std::string TypeText(const crdt::SharedType& type);

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + '"';
}

std::string NumberText(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::trunc(number) == number && std::abs(number) < kWholeBelow) {
    return std::to_string(static_cast<int64_t>(number));
  }
  return fmt::format("0x{:016x}", std::bit_cast<uint64_t>(number));
}

// `entries` are keys with the text of their values.
std::string EntriesText(const std::map<std::string, std::string>& entries) {
  std::string text = "{";
  for (const auto& [key, value] : entries) text += fmt::format("{}:{} ", Quoted(key), value);
  return text + "}";
}

std::string AnyText(const Any& any);

// Of equal keys the last one's value counts.
std::string ObjectText(const Any::Object& object) {
  std::map<std::string, std::string> entries;
  for (const auto& [key, value] : object) entries.insert_or_assign(key, AnyText(value));
  return EntriesText(entries);
}

std::string AnyText(const Any& any) {
  switch (any.kind()) {
    case Any::Kind::kUndefined:
      return "undefined";
    case Any::Kind::kNull:
      return "null";
    case Any::Kind::kBool:
      return *any.boolean() ? "true" : "false";
    case Any::Kind::kNumber:
      return NumberText(*any.number());
    case Any::Kind::kBigInt:
      return std::to_string(any.bigint()->value);
    case Any::Kind::kText:
      return Quoted(*any.text());
    case Any::Kind::kBytes:
      return "bytes " + absl::BytesToHexString(any.bytes()->data);
    case Any::Kind::kArray: {
      std::string text = "[";
      for (const Any& value : *any.array()) text += AnyText(value) + " ";
      return text + "]";
    }
    case Any::Kind::kObject:
      return ObjectText(*any.object());
  }
  return {};
}

std::string ValueText(const crdt::Value& value) {
  if (const auto* type = std::get_if<crdt::SharedType>(&value)) return TypeText(*type);
  if (const auto* document = std::get_if<crdt::Subdocument>(&value)) return "document " + Quoted(document->guid);
  return AnyText(std::get<Any>(value));
}

struct Run {
  bool is_text = false;
  std::string value;
  std::string attributes;
};

std::string DeltaText(const crdt::Text& text) {
  std::vector<Run> runs;
  for (const crdt::DeltaChange& step : text.ToDelta()) {
    const Any* any = std::get_if<Any>(&step.inserted[0]);
    const bool is_text = any != nullptr && any->text() != nullptr;
    std::string attributes = step.attributes.empty() ? "" : ObjectText(step.attributes);
    if (is_text && !runs.empty() && runs.back().is_text && runs.back().attributes == attributes) {
      runs.back().value += *any->text();
    } else {
      runs.push_back({is_text, is_text ? *any->text() : ValueText(step.inserted[0]), std::move(attributes)});
    }
  }
  std::string all;
  for (const Run& run : runs) all += (run.is_text ? Quoted(run.value) : run.value) + run.attributes + " ";
  return all;
}

std::string TypeText(const crdt::SharedType& type) {
  constexpr const char* kNames[] = {"array", "map", "text", "element", "fragment", "hook", "xmltext"};
  const SharedKind kind = *type.kind();
  std::string text = kNames[static_cast<int>(kind)];
  if (kind == SharedKind::kXmlElement && !type.name().empty()) text += " " + Quoted(type.name());
  text += "[";
  if (const auto as_text = type.AsText(); as_text.ok()) {
    text += DeltaText(*as_text);
  } else if (const auto list = type.AsList(); list.ok()) {
    for (const crdt::Value& value : list->ToValues()) text += ValueText(value) + " ";
  }
  text += "]";
  const auto map = type.AsMap();
  if (!map.ok() || kind == SharedKind::kText) return text;
  std::map<std::string, std::string> entries;
  for (const std::string& key : map->Keys()) entries.emplace(key, ValueText(*type.Entry(key)));
  return text + EntriesText(entries);
}

}  // namespace

std::string ContentText(const crdt::SharedType& type) { return TypeText(type); }

}  // namespace rivermeet::yjs
