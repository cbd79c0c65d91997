#include "base/json_string.h"

#include <algorithm>

#include "base/strings.h"

namespace rivermeet {

void AppendJsonString(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    size_t good = text.size();
    (void)IsUtf8(text, &good);
    for (const char c : text.substr(0, good)) {
      if (c == '"' || c == '\\') {
        to += {'\\', c};
      } else if (c == '\n') {
        to += "\\n";
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      } else {
        to += c;
      }
    }
    if (good < text.size()) to += "\xef\xbf\xbd";
    text.remove_prefix(std::min(text.size(), good + 1));
  }
  to += '"';
}

std::string JsonString(std::string_view text) {
  std::string json;
  AppendJsonString(json, text);
  return json;
}

}  // namespace rivermeet
