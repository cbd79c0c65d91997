// std::string_view beside Debian's Abseil, whose absl::string_view is a type of its own.
//
// Our interfaces speak std::string_view and format with {fmt}; what Abseil still has to be given goes through
// ToAbsl(). Hash maps by string are StringMap and StringSet, which look up a std::string_view without a copy.
#ifndef RIVERMEET_BASE_STRINGS_H_
#define RIVERMEET_BASE_STRINGS_H_

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fmt/format.h"

namespace rivermeet {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

// The message of a status, borrowed from it.
inline std::string_view MessageOf(const absl::Status& status) { return ToStd(status.message()); }

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
struct StringEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};
template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, StringHash, StringEqual>;
using StringSet = absl::flat_hash_set<std::string, StringHash, StringEqual>;

// Parses the whole of `text` as a decimal number; false when it is not one or does not fit.
template <typename Number>
bool ParseNumber(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// The pieces of `text` between separators; one empty piece for an empty text.
std::vector<std::string_view> Split(std::string_view text, char separator);

// `text` without ASCII white space at both ends.
std::string_view Trim(std::string_view text);

// `text` with ASCII letters in lower case.
std::string ToLower(std::string_view text);

// Whether `text` is well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. On failure `*bad_offset`,
// where given, is the first byte that is not.
bool IsUtf8(std::string_view text, size_t* bad_offset = nullptr);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_STRINGS_H_
