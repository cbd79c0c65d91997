#include "objects/object_store.h"

#include <algorithm>

#include "base/strings.h"

namespace rivermeet::objects {
namespace {

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '=' || c == '-';
}

bool IsKeyPart(std::string_view part) {
  // 255 bytes is what file systems allow for one name.
  return !part.empty() && part.size() <= 200 && part.find_first_not_of('.') != std::string_view::npos &&
         std::all_of(part.begin(), part.end(), IsKeyCharacter);
}

}  // namespace

bool IsObjectKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes) return false;
  const auto parts = Split(key, '/');
  return std::all_of(parts.begin(), parts.end(), IsKeyPart);
}

}  // namespace rivermeet::objects
