// What names fields may have, and how text is checked.
#ifndef RIVERMEET_EVENTS_NAMES_H_
#define RIVERMEET_EVENTS_NAMES_H_

#include <string>
#include <string_view>

namespace rivermeet::events {

// Whether `name` is a field's name: [A-Za-z_][A-Za-z0-9_.]{0,62}, and none of "time", "id", "dimensions", "measures"
// and "attributes", which mean the event's own parts.
bool IsFieldName(std::string_view name);

// Whether `text` is UTF-8; several times faster than base's IsUtf8 on short ASCII.
bool IsText(std::string_view text);

// `text` for an error message: at most 64 bytes, what isn't printable ASCII as \xNN.
std::string Quoted(std::string_view text);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_NAMES_H_
