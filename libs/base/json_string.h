// A text as a JSON string.
#ifndef RIVERMEET_BASE_JSON_STRING_H_
#define RIVERMEET_BASE_JSON_STRING_H_

#include <string>
#include <string_view>

namespace rivermeet {

// Appends `text` in quotation marks, escaped as RFC 8259 section 7 asks; what isn't UTF-8 becomes U+FFFD, a byte at a
// time.
void AppendJsonString(std::string& to, std::string_view text);
std::string JsonString(std::string_view text);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_JSON_STRING_H_
