#include "events/names.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/strings.h"
#include "events/limits.h"

namespace rivermeet::events {

bool IsFieldName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (!is_letter(name[0])) return false;
  for (const char c : name) {
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '.') return false;
  }
  static constexpr std::array<std::string_view, 5> kTaken = {"time", "id", "dimensions", "measures", "attributes"};
  for (const std::string_view taken : kTaken) {
    if (name == taken) return false;
  }
  return true;
}

bool IsText(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  uint64_t high = 0;
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    high |= word;
  }
  for (; left > 0; ++at, --left) high |= static_cast<uint8_t>(*at);
  return (high & 0x8080808080808080) == 0 || IsUtf8(text);
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, 64)) {
    if (c >= ' ' && c < 127) {
      quoted += c;
    } else {
      quoted += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    }
  }
  quoted += text.size() > 64 ? "...\"" : "\"";
  return quoted;
}

}  // namespace rivermeet::events
