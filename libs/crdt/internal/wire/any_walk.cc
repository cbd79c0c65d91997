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

// Calls `string` with each string and key of one value, in order. Gives how many arrays and objects nest in it.
template <class String>
size_t Walk(ByteReader& reader, String&& string) {
  absl::InlinedVector<Open, 16> open = {{false, 1}};
  size_t deepest = 0;
  while (!open.empty()) {
    deepest = std::max(deepest, open.size() - 1);
    if (open.back().left == 0) {
      open.pop_back();
      continue;
    }
    --open.back().left;
    if (open.back().object) string(reader.ReadVarBytes());
    switch (static_cast<AnyTag>(reader.ReadByte())) {
      case AnyTag::kBytes:
        reader.ReadVarBytes();
        break;
      case AnyTag::kString:
        string(reader.ReadVarBytes());
        break;
      case AnyTag::kArray:
        open.push_back({false, reader.ReadVarUint()});
        break;
      case AnyTag::kObject:
        open.push_back({true, reader.ReadVarUint()});
        break;
      case AnyTag::kInteger:
        reader.SkipVarInt();
        break;
      case AnyTag::kFloat32:
        reader.ReadBytes(4);
        break;
      case AnyTag::kFloat64:
      case AnyTag::kBigInt:
        reader.ReadBytes(8);
        break;
      default:
        break;
    }
  }
  return deepest;
}

}  // namespace

std::string_view StepOverAny(ByteReader& reader) {
  const char* start = reader.position();
  ByteReader scalar = reader;
  switch (static_cast<AnyTag>(scalar.ReadByte())) {
    case AnyTag::kInteger:
      scalar.SkipVarInt();
      reader = scalar;
      break;
    case AnyTag::kString:
      scalar.ReadVarBytes();
      reader = scalar;
      break;
    default:
      Walk(reader, [](std::string_view) {});
  }
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
  if (IsWellFormed(values)) return;
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
