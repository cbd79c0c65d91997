// What a shared type holds, as text that two engines can write alike: yrs/src/content.rs writes the same.
#ifndef RIVERMEET_YJS_CONTENT_TEXT_H_
#define RIVERMEET_YJS_CONTENT_TEXT_H_

#include <string>

#include "crdt/shared_types.h"

namespace rivermeet::yjs {

// The kind, and of an element its name; in [] the values of a list or the runs of a text, each followed by a space; of
// a map, hook, element or XML text in {} its entries, keys in the order of their bytes. Runs of text have their
// attributes behind them, unless there are none, and neighbours with the same ones are one.
//
// Values are as in JSON but for: undefined; control characters as \xNN; numbers, which are whole ones without an
// exponent, NaN, or the bits of their double as 0x and 16 digits; bytes in hex; a bigint is as the number, -0 as 0: yrs
// doesn't tell these apart. A subdocument is its guid.
std::string ContentText(const crdt::SharedType& type);

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_CONTENT_TEXT_H_
