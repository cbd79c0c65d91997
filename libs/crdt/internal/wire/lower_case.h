// Text as JavaScript lowers it.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_LOWER_CASE_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_LOWER_CASE_H_

#include <string>
#include <string_view>

namespace rivermeet::crdt::internal {

// Appends String.prototype.toLowerCase of `text`, which is WTF-8. One thing differs: a capital sigma at a word's end
// becomes the common small one.
void AppendLowerCase(std::string_view text, std::string& to);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_LOWER_CASE_H_
