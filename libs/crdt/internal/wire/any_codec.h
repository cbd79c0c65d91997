// JavaScript values as lib0 encodes them (its writeAny), and as JSON: read, checked, put into the form that yjs gives
// them when it writes again what it has read. A value is kept as those bytes everywhere in this library.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_ANY_CODEC_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_ANY_CODEC_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "crdt/any.h"
#include "crdt/internal/wire/byte_reader.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

// The first byte of an encoded value.
enum class AnyTag : uint8_t {
  kBytes = 116,   // length, bytes
  kArray = 117,   // count, values
  kObject = 118,  // count, (string key, value)...
  kString = 119,  // length, UTF-8
  kTrue = 120,
  kFalse = 121,
  kBigInt = 122,   // int64, big-endian
  kFloat64 = 123,  // big-endian
  kFloat32 = 124,  // big-endian
  kInteger = 125,  // VarInt
  kNull = 126,
  kUndefined = 127,
};

// The error, by its address, of a value that has more than `max_depth` arrays and objects in each other.
inline constexpr char kNestsTooDeeply[] = "values nest too deeply";

// How deep arrays and objects may nest in a value that comes in.
inline int ValueDepth(const Limits& limits) { return std::min(limits.max_depth, 4096); }

// Who made the bytes of a value.
enum class AnySource : uint8_t {
  kPeer,  // yjs, or who says so: text must be UTF-8, and a key `__proto__` vanishes, as it does when yjs reads it
  kOwn,   // functions of this header: lone surrogates may stand in text, and `__proto__` is an ordinary key
};

// Steps over one value, checking all of it: tags, lengths, UTF-8, nesting up to `max_depth` arrays and objects.
// Returns whether its bytes are canonical: what yjs would write for the value they mean. False also on an error, which
// is then in `reader`. Doesn't recurse.
//
// Not canonical are: integers over 2^31 - 1 or of an overlong form, floats that are integers or fit in 32 bits, objects
// whose keys repeat, are `__proto__`, or don't have integer-like keys first in ascending order (JavaScript's order).
// A NaN keeps its bits, as it does in V8.
bool SkipAny(ByteReader& reader, int max_depth, AnySource source = AnySource::kPeer);

// Reads one value as SkipAny does and appends it to `to` in canonical form. False, and nothing is appended, on an
// error.
//
// Differs from yjs in one thing: there `__proto__` is an ordinary key once another `__proto__` of the same object was
// null, until the next peer reads it. Here it always vanishes, so that a copy of a copy is the copy.
bool CopyAny(ByteReader& reader, int max_depth, std::string& to, AnySource source = AnySource::kPeer);

// Appends `number` in canonical form: an integer, else a float32 where that is exact, else a float64.
void AppendAnyNumber(double number, std::string& to);

// Appends to `to` the canonical encoding of what JSON.parse would make of `json` (ECMAScript 25.5.1: any whitespace it
// allows, lone surrogate escapes, the last of equal keys at the place of the first, `__proto__` an ordinary key).
// A lone surrogate is kept as its three-byte generalised UTF-8 form. On an error returns false, with what was wrong in
// `*error` (a literal) and where in `*offset` (bytes into `json`).
bool JsonToAny(std::string_view json, int max_depth, std::string& to, const char** error, size_t* offset);

// Appends JSON.stringify of one canonical value. Undefined members of objects are left out, undefined in arrays and
// numbers that JSON lacks are null, bytes are an object of their indices. Where JSON.stringify gives no text (undefined
// by itself) or throws (a bigint), returns false and appends nothing that is of use.
bool AnyToJson(std::string_view any, std::string& to);

// The same of the value that `reader` is at, which is stepped over.
bool AppendJson(ByteReader& reader, BigInts bigints, std::string& to);

// The array index that a key of an object is, in its only form; -1 when it is none. Such keys come first in
// JavaScript, ascending.
int64_t ArrayIndexOf(std::string_view key);

// The number as JavaScript's Number::toString writes it (ECMAScript 6.1.6.1.20).
void AppendJavaScriptNumber(double number, std::string& to);
// The digits of a bigint whose eight bytes `reader` is at.
void AppendBigInt(ByteReader& reader, std::string& to);
// `text` (UTF-8, lone surrogates in their three-byte form) as a JSON string: quotes and escapes as JSON.stringify does,
// lone surrogates as \udxxx.
void AppendJsonString(std::string_view text, std::string& to);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_ANY_CODEC_H_
