#include "crdt/internal/wire/run_columns.h"

namespace rivermeet::crdt::internal {

std::string_view StringColumn::ReadMixed(std::string& scratch, uint64_t* units) {
  const std::string_view rest = text_.substr(next_.byte);
  // Counted from the start of the character that a half belongs to.
  const uint64_t from = next_.inside_pair ? 1 : 0;
  if (*units > next_.units_left) {
    lengths_.reader().Fail("the lengths of the strings add up to more than their text");
    *units = 0;
    return {};
  }
  next_.units_left -= *units;
  const Utf16Position end = FindUtf16(rest, from + *units);
  std::string_view read = rest.substr(0, end.byte);
  if (next_.inside_pair || end.inside_pair) {
    scratch.clear();
    AppendSlice(rest, from, from + *units, scratch);
    read = scratch;
  }
  next_.byte += end.byte;
  next_.inside_pair = end.inside_pair;
  next_.ascii = AsciiPrefix(text_.substr(next_.byte));
  return read;
}

}  // namespace rivermeet::crdt::internal
