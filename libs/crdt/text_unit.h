// What lengths of texts and places in them are counted in.
#ifndef RIVERMEET_CRDT_TEXT_UNIT_H_
#define RIVERMEET_CRDT_TEXT_UNIT_H_

#include <cstdint>

namespace rivermeet::crdt {

// Half of a character that stands alone, which JavaScript lets stand in a string, is one UTF-16 unit, one code point
// and three bytes. An embed is one UTF-16 unit and one code point, and no byte.
enum class TextUnit : uint8_t { kUtf16, kUtf8, kCodePoint };

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_TEXT_UNIT_H_
