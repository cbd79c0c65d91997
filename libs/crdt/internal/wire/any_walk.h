// Values that were checked when they came in: stepped over and copied without checking them again.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_ANY_WALK_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_ANY_WALK_H_

#include <string>
#include <string_view>

#include "crdt/internal/wire/byte_reader.h"

namespace rivermeet::crdt::internal {

// Steps over one canonical value, and gives its bytes. Doesn't recurse.
std::string_view StepOverAny(ByteReader& reader);
// How many arrays and objects nest in a value.
int NestingOf(std::string_view value);
// Whether JSON.stringify gives a text for a value: it isn't undefined, and no bigint is in it.
bool IsJsonValue(std::string_view value);
// `values` without the first `count`.
std::string_view SkipValues(std::string_view values, uint64_t count);

// Appends canonical values as they travel: each lone surrogate in a string, which only JSON and local edits can bring,
// is then U+FFFD.
void AppendSendable(std::string_view values, std::string& to);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_ANY_WALK_H_
