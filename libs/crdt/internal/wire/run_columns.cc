#include "crdt/internal/wire/run_columns.h"

namespace rivermeet::crdt::internal {

std::string_view StringColumn::ReadMixed(std::string& scratch, uint64_t* units) {
  const std::string_view rest = text_.substr(byte_);
  // Counted from the start of the character that a half belongs to.
  const uint64_t from = inside_pair_ ? 1 : 0;
  if (*units > units_left_) {
    lengths_.reader().Fail("the lengths of the strings add up to more than their text");
    *units = 0;
    return {};
  }
  units_left_ -= *units;
  const Utf16Position end = FindUtf16(rest, from + *units);
  std::string_view read = rest.substr(0, end.byte);
  if (inside_pair_ || end.inside_pair) {
    scratch.clear();
    AppendSlice(rest, from, from + *units, scratch);
    read = scratch;
  }
  byte_ += end.byte;
  inside_pair_ = end.inside_pair;
  ascii_ = AsciiPrefix(text_.substr(byte_));
  return read;
}

}  // namespace rivermeet::crdt::internal
