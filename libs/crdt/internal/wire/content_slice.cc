#include "crdt/internal/wire/content_slice.h"

#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

WireContent SliceFrom(const WireContent& content, uint64_t offset, std::string& scratch) {
  WireContent rest = content;
  rest.length -= offset;
  if (content.kind == ContentKind::kAny || content.kind == ContentKind::kJson) {
    rest.data = SkipValues(content.data, offset);
  }
  if (content.kind != ContentKind::kString) return rest;
  if (content.data.size() == content.length) {
    rest.data = content.data.substr(offset);
    return rest;
  }
  std::string unit_before;
  AppendSlice(content.data, offset - 1, offset, unit_before);
  scratch.clear();
  const bool behind_high = EndsInHighSurrogate(unit_before);
  if (behind_high) scratch.append(kReplacementCharacter);
  AppendSlice(content.data, offset + (behind_high ? 1 : 0), content.length, scratch);
  rest.data = scratch;
  rest.astral = Measure(scratch).astral;
  return rest;
}

}  // namespace rivermeet::crdt::internal
