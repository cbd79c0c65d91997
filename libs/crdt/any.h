// A value as JavaScript has them: what shared types hold beside each other.
#ifndef RIVERMEET_CRDT_ANY_H_
#define RIVERMEET_CRDT_ANY_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::crdt {

// What becomes of a bigint in JSON, which has none.
enum class BigInts : uint8_t {
  kRefuse,  // an error, as for JSON.stringify
  kAsText,  // a text of its digits
};

// Undefined, null, a boolean, a number, a bigint, a text, bytes, an array or an object.
//
// A value type: copies are deep, and any thread may read one that none changes. Values nest up to Limits::max_depth
// arrays and objects; what reads one from elsewhere refuses more, Decode and FromJson its default, 512. Nobody should
// build more.
class Any {
 public:
  struct Undefined {
    bool operator==(const Undefined&) const = default;
  };
  struct Null {
    bool operator==(const Null&) const = default;
  };
  struct BigInt {
    int64_t value = 0;
    bool operator==(const BigInt&) const = default;
  };
  // JavaScript's Uint8Array.
  struct Bytes {
    std::string data;
    bool operator==(const Bytes&) const = default;
  };
  using Array = std::vector<Any>;
  // In any order: Encode and ToJson put them into JavaScript's, in which keys that are array indices ("0" to
  // "4294967294") come first, ascending. Of equal keys the last one's value counts, at the first one's place.
  using Object = std::vector<std::pair<std::string, Any>>;

  // In the order of the value's alternatives.
  enum class Kind : uint8_t { kUndefined, kNull, kBool, kNumber, kBigInt, kText, kBytes, kArray, kObject };

  Any() = default;
  Any(Undefined) {}
  Any(Null) : value_(Null()) {}
  Any(std::nullptr_t) : value_(Null()) {}
  // Of no other type: a pointer would be one, too.
  template <std::same_as<bool> T>
  Any(T value) : value_(value) {}
  Any(double number) : value_(number) {}
  // Neither a number nor a text of one byte.
  template <std::same_as<char> T>
  Any(T) = delete;
  // The nearest number, as JavaScript has them: exact up to 2^53.
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) Any(T number) : value_(static_cast<double>(number)) {}
  Any(BigInt bigint) : value_(bigint) {}
  // UTF-8; a lone surrogate, which JavaScript's strings may have, in the three bytes its number would give.
  Any(std::string text);
  Any(std::string_view text) : Any(std::string(text)) {}
  Any(const char* text) : Any(std::string(text)) {}
  Any(Bytes bytes) : value_(std::move(bytes)) {}
  Any(Array array) : value_(std::move(array)) {}
  Any(Object object) : value_(std::move(object)) {}

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_undefined() const { return kind() == Kind::kUndefined; }
  bool is_null() const { return kind() == Kind::kNull; }

  // Null when the value is of another kind.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const double* number() const { return std::get_if<double>(&value_); }
  const BigInt* bigint() const { return std::get_if<BigInt>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const Bytes* bytes() const { return std::get_if<Bytes>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }
  Array* array() { return std::get_if<Array>(&value_); }
  Object* object() { return std::get_if<Object>(&value_); }
  // What an object has under `key`; null when it has none, or the value is no object.
  const Any* Find(std::string_view key) const;

  // As C++ compares what they hold: NaN differs from itself, 0 equals -0, the order of an object's keys counts.
  bool operator==(const Any& other) const;

  // The bytes that lib0's writeAny gives (internal/wire/any_codec.h), but for lone surrogates, which keep their three
  // bytes here. What isn't text at all becomes U+FFFD.
  std::string Encode() const;
  // Appends that.
  void EncodeTo(std::string& to) const;
  // Reads what Encode gives, and any other form of a value that lib0 reads. `__proto__` is an ordinary key.
  //
  // Errors, here and of FromJson:
  //   INVALID_ARGUMENT    The bytes aren't one value; the message has the byte offset. Don't retry.
  //   RESOURCE_EXHAUSTED  It nests deeper than 512. Don't retry.
  static absl::StatusOr<Any> Decode(std::string_view bytes);
  // The same of bytes that Encode gave, however deep they nest. What others give is not said.
  static Any DecodeTrusted(std::string_view bytes);

  // What JSON.stringify gives: undefined members are left out, undefined elements and numbers that JSON lacks are null,
  // bytes are an object of their indices.
  // INVALID_ARGUMENT: there is no such text: for undefined by itself, and wherever a bigint is. Don't retry.
  absl::StatusOr<std::string> ToJson(BigInts bigints = BigInts::kRefuse) const;
  // What JSON.parse gives.
  static absl::StatusOr<Any> FromJson(std::string_view json);

 private:
  std::variant<Undefined, Null, bool, double, BigInt, std::string, Bytes, Array, Object> value_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_ANY_H_
