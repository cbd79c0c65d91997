// Text as JavaScript lowers and orders it.
#ifndef RIVERMEET_CRDT_INTERNAL_LOWER_CASE_H_
#define RIVERMEET_CRDT_INTERNAL_LOWER_CASE_H_

#include <string>
#include <string_view>

namespace rivermeet::crdt::internal {

// Appends String.prototype.toLowerCase of `text`, which is WTF-8. One thing differs: a capital sigma at a word's end
// becomes the common small one.
void AppendLowerCase(std::string_view text, std::string& to);

// JavaScript's `<`: by UTF-16 code units. Both are WTF-8.
bool LessInUtf16(std::string_view a, std::string_view b);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_LOWER_CASE_H_
