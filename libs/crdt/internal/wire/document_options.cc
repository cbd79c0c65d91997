#include "crdt/internal/wire/document_options.h"

#include <cmath>
#include <limits>

#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/any_walk.h"

namespace rivermeet::crdt::internal {

namespace {

AnyTag TagOf(std::string_view any) { return static_cast<AnyTag>(any[0]); }

// Whether JavaScript takes the value as true.
bool IsTruthy(std::string_view any) {
  switch (TagOf(any)) {
    case AnyTag::kUndefined:
    case AnyTag::kNull:
    case AnyTag::kFalse:
      return false;
    case AnyTag::kInteger:
      return ByteReader(any.substr(1)).ReadVarInt().magnitude != 0;
    case AnyTag::kBigInt:
      return any.substr(1) != std::string_view("\0\0\0\0\0\0\0\0", 8);
    case AnyTag::kFloat64:  // canonical: 0 is an integer, so only NaN is false
      return !std::isnan(ByteReader(any.substr(1)).ReadFloat64());
    case AnyTag::kString:
      return any[1] != 0;
    default:
      return true;
  }
}

}  // namespace

bool KeptDocumentOptions(std::string_view options, std::string& scratch, std::string_view* guid, std::string& kept) {
  const AnyTag tag = TagOf(options);
  if (tag == AnyTag::kNull || tag == AnyTag::kUndefined) return false;
  std::string_view gc, auto_load, meta, other_guid;
  if (tag == AnyTag::kObject) {
    ByteReader reader(options.substr(1));
    const uint64_t count = reader.ReadVarUint();
    for (uint64_t i = 0; i < count; ++i) {
      const std::string_view key = reader.ReadVarBytes();
      const std::string_view value = StepOverAny(reader);
      if (key == "gc") gc = value;
      if (key == "autoLoad") auto_load = value;
      if (key == "meta") meta = value;
      if (key == "guid") other_guid = value;
    }
  }
  // A member that is undefined counts as absent: the constructor's defaults apply.
  const auto given = [](std::string_view value) { return !value.empty() && TagOf(value) != AnyTag::kUndefined; };
  if (given(other_guid)) {
    if (TagOf(other_guid) != AnyTag::kString) return false;
    scratch = ByteReader(other_guid.substr(1)).ReadVarBytes();
    *guid = scratch;
  }
  const bool no_gc = given(gc) && !IsTruthy(gc);
  const bool loads = given(auto_load) && IsTruthy(auto_load);
  const bool has_meta = given(meta) && TagOf(meta) != AnyTag::kNull;
  kept.push_back(static_cast<char>(AnyTag::kObject));
  kept.push_back(static_cast<char>(no_gc + loads + has_meta));
  if (no_gc) kept.append("\x02gc").push_back(static_cast<char>(AnyTag::kFalse));
  if (loads)
    kept.append(
            "\x08"
            "autoLoad")
        .push_back(static_cast<char>(AnyTag::kTrue));
  if (has_meta) kept.append("\x04meta").append(meta);
  return true;
}

bool LoadsItself(std::string_view kept) {
  ByteReader reader(kept.substr(1));
  for (uint64_t left = reader.ReadVarUint(); left > 0; --left) {
    if (reader.ReadVarBytes() == "autoLoad") return true;
    StepOverAny(reader);
  }
  return false;
}

}  // namespace rivermeet::crdt::internal
