#include "authn/internal/strict_json.h"

#include "base/strings.h"

namespace rivermeet::authn {
namespace {

namespace dom = simdjson::dom;

bool IsUnambiguous(dom::element element) {
  if (element.is_object()) {
    StringSet seen;
    for (const dom::key_value_pair member : dom::object(element)) {
      if (!seen.insert(std::string(member.key)).second || !IsUnambiguous(member.value)) return false;
    }
  } else if (element.is_array()) {
    for (const dom::element item : dom::array(element)) {
      if (!IsUnambiguous(item)) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<StrictJson> StrictJson::Parse(std::string_view text, size_t max_depth) {
  StrictJson json;
  json.parser_ = std::make_unique<dom::parser>();
  // The parser refuses what is deeper than it was allocated for.
  if (json.parser_->allocate(text.size() + simdjson::SIMDJSON_PADDING, max_depth) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  dom::element root;
  if (json.parser_->parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root.get(json.object_) != simdjson::SUCCESS || !IsUnambiguous(root)) return std::nullopt;
  return json;
}

std::optional<std::string_view> TextOf(const dom::object& object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::string_view> StrictJson::Text(std::string_view name) const { return TextOf(object_, name); }

std::optional<int64_t> StrictJson::Int(std::string_view name) const {
  int64_t number;
  if (object_[name].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

std::optional<bool> StrictJson::Bool(std::string_view name) const {
  bool flag;
  if (object_[name].get(flag) != simdjson::SUCCESS) return std::nullopt;
  return flag;
}

bool StrictJson::Has(std::string_view name) const { return object_[name].error() == simdjson::SUCCESS; }

}  // namespace rivermeet::authn
