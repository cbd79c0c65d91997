#include "crdt/internal/store/attributes.h"

#include <algorithm>
#include <limits>
#include <string>

#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/object_names.h"

namespace rivermeet::crdt::internal {

namespace {

AnyTag TagOf(AttributeValue value) { return static_cast<AnyTag>(value[0]); }
bool IsContainer(AttributeValue value) {
  return TagOf(value) == AnyTag::kObject || TagOf(value) == AnyTag::kArray || TagOf(value) == AnyTag::kBytes;
}

// Primitives by JavaScript's ===, where -0 is 0 and NaN nothing.
bool SamePrimitive(AttributeValue a, AttributeValue b) {
  if (TagOf(a) == AnyTag::kInteger && TagOf(b) == AnyTag::kInteger) {
    return ByteReader(a.substr(1)).ReadVarInt().value() == ByteReader(b.substr(1)).ReadVarInt().value();
  }
  const bool is_nan =
      TagOf(a) == AnyTag::kFloat64 && (static_cast<uint8_t>(a[1]) & 0x7f) == 0x7f && static_cast<uint8_t>(a[2]) > 0xf0;
  return a == b && !is_nan;
}

// The members of an object, array or bytes, by key.
std::vector<std::pair<std::string, std::string>> MembersOf(AttributeValue value) {
  std::vector<std::pair<std::string, std::string>> members;
  ByteReader reader(value.substr(1));
  const uint64_t count = reader.ReadVarUint();
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = TagOf(value) == AnyTag::kObject ? std::string(reader.ReadVarBytes()) : std::to_string(i);
    if (TagOf(value) == AnyTag::kBytes) {
      members.emplace_back(std::move(key), std::string(reader.ReadBytes(1)));
      continue;
    }
    members.emplace_back(std::move(key), std::string(StepOverAny(reader)));
  }
  std::sort(members.begin(), members.end());
  return members;
}

bool SameMembers(AttributeValue a, AttributeValue b) {
  const auto left = MembersOf(a);
  const auto right = MembersOf(b);
  // Bytes are compared as such; with an array of the same numbers they have nothing in common that anybody sends.
  if ((TagOf(a) == AnyTag::kBytes) != (TagOf(b) == AnyTag::kBytes)) return left.empty() && right.empty();
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [&](const auto& x, const auto& y) {
    if (x.first != y.first) return false;
    if (TagOf(a) == AnyTag::kBytes) return x.second == y.second;
    return !IsContainer(x.second) && !IsContainer(y.second) && SamePrimitive(x.second, y.second);
  });
}

}  // namespace

bool Identical(AttributeValue a, AttributeValue b) {
  if (IsContainer(a) != IsContainer(b)) return false;
  return IsContainer(a) ? a.data() == b.data() : SamePrimitive(a, b);
}

bool SameValue(AttributeValue a, AttributeValue b) {
  return Identical(a, b) || (IsContainer(a) && IsContainer(b) && SameMembers(a, b));
}

void AttributeObject::Set(KeyIndex key, std::string_view name, AttributeValue value) {
  attributes_.Set(key, value);
  const int64_t index = ArrayIndexOf(name);
  if (index >= 0) indices_[key] = static_cast<uint32_t>(index);
}

std::vector<Attribute> AttributeObject::InOrder() const {
  std::vector<Attribute> ordered;
  for (const Attribute& attribute : attributes_) ordered.push_back(attribute);
  if (indices_.empty()) return ordered;
  const auto rank = [this](const Attribute& attribute) {
    const auto index = indices_.find(attribute.key);
    return index == indices_.end() ? std::numeric_limits<uint64_t>::max() : index->second;
  };
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const Attribute& a, const Attribute& b) { return rank(a) < rank(b); });
  return ordered;
}

std::optional<AttributeValue> AttributeObject::Read(KeyIndex key, std::string_view name) const {
  static constexpr AttributeValue kFunction = "\x01";  // no value's encoding
  const std::optional<AttributeValue> own = attributes_.Get(key);
  if (own.has_value()) return own;
  if (IsInherited(name)) return kFunction;
  return std::nullopt;
}

}  // namespace rivermeet::crdt::internal
