// Says of each file of a folder whether our JSON reader takes it: "accepted NAME" or "refused NAME REASON" a line.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "events/json_reader.h"

namespace {

// Empty when `text` is one JSON value in UTF-8 and nothing else.
std::string WhyRefused(const std::string& text) {
  rivermeet::events::JsonReader reader(text, false);
  std::string_view raw;
  size_t depth = 0, offset = 0;
  if (!reader.SkipValue(raw, depth)) return reader.error();
  if (!reader.AtEnd()) return "something follows the value";
  return reader.TakeBadUtf8(offset) ? "not UTF-8" : "";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::string why = WhyRefused(text);
    const std::string name = entry.path().filename().string();
    std::printf("%s %s %s\n", why.empty() ? "accepted" : "refused", name.c_str(), why.c_str());
  }
  return 0;
}
