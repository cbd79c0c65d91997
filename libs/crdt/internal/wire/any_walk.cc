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

// Is shown what a walk comes to; the walks show what they look for by hiding these.
struct Visitor {
  void String(std::string_view) {}  // also keys
  void BigInt() {}
};

// Reads the next value when it is no array or object, which are only opened. Whether it was read.
template <class Visitor>
bool ReadScalar(ByteReader& reader, Visitor& visitor, Open& opened) {
  switch (static_cast<AnyTag>(reader.ReadByte())) {
    case AnyTag::kInteger:
      reader.SkipVarInt();
      return true;
    case AnyTag::kString:
      visitor.String(reader.ReadVarBytes());
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
      reader.ReadBytes(8);
      return true;
    case AnyTag::kBigInt:
      visitor.BigInt();
      reader.ReadBytes(8);
      return true;
    default:
      return true;
  }
}

// Shows `visitor` what is in an array or object, in order. Gives how deep others nest in it, itself counted.
template <class Visitor>
size_t WalkInside(ByteReader& reader, Open outer, Visitor& visitor) {
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
    if (innermost.object) visitor.String(reader.ReadVarBytes());
    if (Open opened; !ReadScalar(reader, visitor, opened)) open.push_back(opened);
  }
  return deepest;
}

// The same of any value.
template <class Visitor>
size_t Walk(ByteReader& reader, Visitor&& visitor) {
  Open opened;
  return ReadScalar(reader, visitor, opened) ? 0 : WalkInside(reader, opened, visitor);
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
  Walk(reader, Visitor());
  return {start, static_cast<size_t>(reader.position() - start)};
}

int NestingOf(std::string_view value) {
  ByteReader reader(value);
  return static_cast<int>(Walk(reader, Visitor()));
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
  struct Mender : Visitor {
    void String(std::string_view string) {
      well_formed.clear();
      AppendWellFormed(string, well_formed);
      // U+FFFD takes as many bytes as a lone surrogate, so that all lengths stay.
      to.replace(start + (string.data() - values.data()), string.size(), well_formed);
    }
    std::string_view values;
    size_t start;
    std::string& to;
    std::string well_formed;
  };
  Mender mender{{}, values, start, to, {}};
  for (ByteReader reader(values); !reader.AtEnd();) Walk(reader, mender);
}

bool IsJsonValue(std::string_view value) {
  struct Finder : Visitor {
    void BigInt() { found = true; }
    bool found = false;
  };
  Finder bigint;
  ByteReader reader(value);
  Walk(reader, bigint);
  return !bigint.found && static_cast<AnyTag>(value.front()) != AnyTag::kUndefined;
}

}  // namespace rivermeet::crdt::internal
