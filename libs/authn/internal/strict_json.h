// JSON as tokens need it: one meaning for each text, or none.
#ifndef RIVERMEET_AUTHN_INTERNAL_STRICT_JSON_H_
#define RIVERMEET_AUTHN_INTERNAL_STRICT_JSON_H_

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace rivermeet::authn {

// A parsed JSON object (RFC 8259) of at most `max_depth` levels without a member twice at any level, valid UTF-8
// throughout. Owns what it was parsed from.
class StrictJson {
 public:
  static std::optional<StrictJson> Parse(std::string_view text, size_t max_depth = 8);

  const simdjson::dom::object& object() const { return object_; }

  // Nothing when the member is missing or of another type.
  std::optional<std::string_view> Text(std::string_view name) const;
  std::optional<int64_t> Int(std::string_view name) const;
  std::optional<bool> Bool(std::string_view name) const;
  bool Has(std::string_view name) const;

 private:
  StrictJson() = default;
  // The parser owns the document; boxed so that moving does not move it.
  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::object object_;
};

std::optional<std::string_view> TextOf(const simdjson::dom::object& object, std::string_view name);

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_INTERNAL_STRICT_JSON_H_
