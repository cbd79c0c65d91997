#include "crdt/internal/wire/any_walk.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

namespace {

// An array or object that is being read.
struct Open {
  bool object;
  uint64_t left;
};

// Reads the next value when it is no array or object, which are only opened, and calls `string` with it when it is a
// string. Whether it was read.
template <class String>
bool ReadScalar(ByteReader& reader, String&& string, Open& opened) {
  switch (static_cast<AnyTag>(reader.ReadByte())) {
    case AnyTag::kInteger:
      reader.SkipVarInt();
      return true;
    case AnyTag::kString:
      string(reader.ReadVarBytes());
      return true;
    case AnyTag::kArray:
      opened = {false, reader.ReadVarUint()};
      return false;
    case AnyTag::kObject:
      opened = {true, reader.ReadVarUint()};
      return false;
    case AnyTag::kBytes:
      reader.ReadVarBytes();
      return true;
    case AnyTag::kFloat32:
      reader.ReadBytes(4);
      return true;
    case AnyTag::kFloat64:
    case AnyTag::kBigInt:
      reader.ReadBytes(8);
      return true;
    default:
      return true;
  }
}

// Calls `string` with each string and key of an array or object, in order. Gives how deep others nest in it, itself
// counted.
template <class String>
size_t WalkInside(ByteReader& reader, Open outer, String&& string) {
  absl::InlinedVector<Open, 16> open = {outer};
  size_t deepest = 0;
  while (!open.empty()) {
    deepest = std::max(deepest, open.size());
    Open& innermost = open.back();
    if (innermost.left == 0) {
      open.pop_back();
      continue;
    }
    --innermost.left;
    if (innermost.object) string(reader.ReadVarBytes());
    if (Open opened; !ReadScalar(reader, string, opened)) open.push_back(opened);
  }
  return deepest;
}

// The same of any value.
template <class String>
size_t Walk(ByteReader& reader, String&& string) {
  Open opened;
  return ReadScalar(reader, string, opened) ? 0 : WalkInside(reader, opened, string);
}

// Whether no string in `values` has a surrogate, as far as their first byte and size say it: such a string takes five
// bytes.
bool HasNoSurrogate(std::string_view values) {
  if (values.size() < 5) return true;
  switch (static_cast<AnyTag>(values.front())) {
    case AnyTag::kInteger:
      return values.size() < 2 + 5;
    case AnyTag::kFloat32:
      return values.size() == 5;
    case AnyTag::kFloat64:
    case AnyTag::kBigInt:
      return values.size() == 9;
    default:
      return false;
  }
}

}  // namespace

std::string_view StepOverAny(ByteReader& reader) {
  const char* start = reader.position();
  Walk(reader, [](std::string_view) {});
  return {start, static_cast<size_t>(reader.position() - start)};
}

int NestingOf(std::string_view value) {
  ByteReader reader(value);
  return static_cast<int>(Walk(reader, [](std::string_view) {}));
}

std::string_view SkipValues(std::string_view values, uint64_t count) {
  ByteReader reader(values);
  for (uint64_t i = 0; i < count; ++i) StepOverAny(reader);
  return values.substr(reader.offset());
}

void AppendSendable(std::string_view values, std::string& to) {
  const size_t start = to.size();
  to.append(values);
  if (HasNoSurrogate(values) || IsWellFormed(values)) return;
  // U+FFFD takes as many bytes as a lone surrogate, so that all lengths stay.
  ByteReader reader(values);
  std::string well_formed;
  while (!reader.AtEnd()) {
    Walk(reader, [&](std::string_view string) {
      well_formed.clear();
      AppendWellFormed(string, well_formed);
      to.replace(start + (string.data() - values.data()), string.size(), well_formed);
    });
  }
}

}  // namespace rivermeet::crdt::internal
