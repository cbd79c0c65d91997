#include "crdt/internal/content_slice.h"

#include <limits>

#include "crdt/internal/any_codec.h"
#include "crdt/internal/utf.h"

namespace rivermeet::crdt::internal {

WireContent SliceFrom(const WireContent& content, uint64_t offset, std::string& scratch) {
  WireContent rest = content;
  rest.length -= offset;
  if (content.kind == ContentKind::kAny || content.kind == ContentKind::kJson) {
    ByteReader reader(content.data);
    for (uint64_t i = 0; i < offset; ++i) SkipAny(reader, std::numeric_limits<int>::max(), AnySource::kOwn);
    rest.data = content.data.substr(reader.offset());
  }
  if (content.kind != ContentKind::kString) return rest;
  if (content.data.size() == content.length) {
    rest.data = content.data.substr(offset);
    return rest;
  }
  std::string unit_before;
  AppendSlice(content.data, offset - 1, offset, unit_before);
  scratch.clear();
  const bool behind_high = unit_before.size() == 3 && static_cast<uint8_t>(unit_before[0]) == 0xed &&
                           static_cast<uint8_t>(unit_before[1]) >= 0xa0 && static_cast<uint8_t>(unit_before[1]) <= 0xaf;
  if (behind_high) scratch.append(kReplacementCharacter);
  AppendSlice(content.data, offset + (behind_high ? 1 : 0), content.length, scratch);
  rest.data = scratch;
  rest.astral = Measure(scratch).astral;
  return rest;
}

}  // namespace rivermeet::crdt::internal
