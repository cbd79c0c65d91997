#include "crdt/any.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "crdt/insertable.h"
#include "crdt/limits.h"

namespace rivermeet::crdt {
namespace {

using namespace std::literals;

Any Sample() {
  return Any::Object{{"title", "Ärger"},
                     {"done", false},
                     {"parts", Any::Array{1, 0.5, 1e10, Any::Null(), Any(), Any::BigInt{-5}}},
                     {"image", Any::Bytes{"\x00\xff"s}},
                     {"nested", Any::Object{}}};
}

Any Nested(int depth) {
  Any value = 1;
  for (int i = 0; i < depth; ++i) {
    if (i % 2 == 0) {
      value = Any::Array{std::move(value)};
    } else {
      value = Any::Object{{"a", std::move(value)}};
    }
  }
  return value;
}

TEST_CASE("a value is what it was made of", "[crdt]") {
  CHECK(Any().is_undefined());
  CHECK(Any(Any::Null()).is_null());
  CHECK(Any(nullptr).is_null());
  CHECK(*Any(true).boolean());
  CHECK(*Any(3).number() == 3);
  CHECK(*Any(0.5).number() == 0.5);
  CHECK(Any(Any::BigInt{7}).bigint()->value == 7);
  CHECK(*Any("text").text() == "text");
  CHECK(*Any("view"sv).text() == "view");
  CHECK(*Any(Any::Bytes{"b"}).bytes() == Any::Bytes{"b"});
  CHECK(Any("text").number() == nullptr);
  CHECK(*Sample().Find("title")->text() == "Ärger");
  CHECK(Sample().Find("parts")->array()->size() == 6);
  CHECK(Sample().Find("none") == nullptr);
  CHECK(Any(1).Find("a") == nullptr);
  CHECK(*Any(Any::Object{{"a", 1}, {"a", 2}}).Find("a")->number() == 2);
}

TEST_CASE("what an element is made of is what an Any is made of, and a char is neither", "[crdt]") {
  const auto any = [](const Insertable& element) { return std::get<Any>(element.value); };
  CHECK(any(nullptr).is_null());
  CHECK(any(Any::Null()).is_null());
  CHECK(any(Any::Undefined()).is_undefined());
  CHECK(any(Any::BigInt{7}).bigint()->value == 7);
  CHECK(any(Any::Bytes{"b"}).bytes()->data == "b");
  CHECK(any(Any::Array{1}).array()->size() == 1);
  CHECK(any(Any::Object{{"a", 1}}).object()->size() == 1);
  CHECK(*any("text").text() == "text");
  CHECK(*any(std::string("text")).text() == "text");
  CHECK(*any(1.5f).number() == 1.5);
  CHECK(*any(true).boolean());
  CHECK_FALSE(std::is_constructible_v<Any, char>);
  CHECK_FALSE(std::is_constructible_v<Insertable, char>);
}

TEST_CASE("copies are equal and their own", "[crdt]") {
  const Any value = Sample();
  Any copy = value;
  CHECK(copy == value);
  copy.object()->front().second = 1;
  CHECK(copy != value);
  CHECK(*value.Find("title")->text() == "Ärger");
  const Any moved = std::move(copy);
  CHECK(*moved.Find("title")->number() == 1);
  CHECK(Any(0.0) == Any(-0.0));
  CHECK(Any(std::nan("")) != Any(std::nan("")));
  CHECK(Any("1") != Any(1));
  CHECK(Any(Any::BigInt{1}) != Any(1));
}

TEST_CASE("values come back from their bytes", "[crdt]") {
  const Any value = Sample();
  const auto decoded = Any::Decode(value.Encode());
  REQUIRE(decoded.ok());
  CHECK(*decoded == value);
  CHECK(decoded->Encode() == value.Encode());
  for (const Any& each :
       {Any(), Any(Any::Null()), Any(true), Any(-0.0), Any(1e300), Any(2147483648.0), Any(""), Any(Any::Array{}),
        Any(Any::Object{}), Any(Any::Bytes{}), Any(Any::BigInt{std::numeric_limits<int64_t>::min()})}) {
    REQUIRE(Any::Decode(each.Encode()).ok());
    CHECK(Any::Decode(each.Encode())->Encode() == each.Encode());
    CHECK(*Any::Decode(each.Encode()) == each);
  }
  CHECK(std::signbit(*Any::Decode(Any(-0.0).Encode())->number()));
}

TEST_CASE("keys are encoded in JavaScript's order, equal ones once", "[crdt]") {
  const Any value = Any::Object{{"b", 1}, {"10", 2}, {"9", 3}, {"b", 4}, {"__proto__", 5}};
  CHECK(value.Encode() == Any(Any::Object{{"9", 3}, {"10", 2}, {"b", 4}, {"__proto__", 5}}).Encode());
  CHECK(*value.ToJson() == R"({"9":3,"10":2,"b":4,"__proto__":5})");
  CHECK(Any::Decode(value.Encode())->object()->front().first == "9");
  CHECK(Any::Decode(value.Encode())->Find("__proto__") != nullptr);
}

TEST_CASE("text keeps lone surrogates, and what isn't text becomes replacement characters", "[crdt]") {
  const Any lone = "a\xED\xA0\xBD";
  CHECK(*Any::Decode(lone.Encode()) == lone);
  CHECK(*lone.ToJson() == R"("a\ud83d")");
  CHECK(*Any::FromJson(R"("a\ud83d")") == lone);
  CHECK(*Any::Decode(Any("\xFF"
                         "a\xC3")
                         .Encode())
             ->text() ==
        "\xEF\xBF\xBD"
        "a\xEF\xBF\xBD");
  CHECK(*Any::Decode(Any("\xED\xA0\xBD\xED\xB8\x80\xFE").Encode())->text() == "\xF0\x9F\x98\x80\xEF\xBF\xBD");
  CHECK(Any::Decode(Any(Any::Object{{"\xFF", 1}}).Encode())->Find("\xEF\xBF\xBD") != nullptr);
}

TEST_CASE("JSON comes and goes as in JavaScript", "[crdt]") {
  const auto value = Any::FromJson(R"( {"b": [1.0, 2e3, "x"], "a": null, "1": true, "b": {}} )");
  REQUIRE(value.ok());
  CHECK(*value == Any(Any::Object{{"1", true}, {"b", Any::Object{}}, {"a", Any::Null()}}));
  CHECK(*value->ToJson() == R"({"1":true,"b":{},"a":null})");
  CHECK(*Any(Any::Object{{"a", Any()}, {"b", Any::Array{Any(), std::nan("")}}, {"c", Any::Bytes{"\x05"}}}).ToJson() ==
        R"({"b":[null,null],"c":{"0":5}})");
  CHECK(Any().ToJson().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Any(Any::Array{Any::BigInt{1}}).ToJson().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("bytes that are no value are refused with the place", "[crdt]") {
  const auto code = [](std::string_view bytes) { return Any::Decode(bytes).status().code(); };
  CHECK(code("") == absl::StatusCode::kInvalidArgument);
  CHECK(code("\x7e\x7e") == absl::StatusCode::kInvalidArgument);
  CHECK(Any::Decode("\x7e\x7e").status().message() == "at byte 1: something follows the value");
  CHECK(Any::FromJson("[1").status().message() == "at byte 2: a comma or an end is missing");
  const std::string bytes = Sample().Encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK(code(std::string_view(bytes).substr(0, size)) == absl::StatusCode::kInvalidArgument);
  }
  std::string counted = "\x75";
  for (int i = 0; i < 5; ++i) counted += '\x80';
  counted += '\x20';  // 2^40
  CHECK(code(counted) == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("values at the limit of depth are made, copied, compared and destroyed; deeper ones are refused", "[crdt]") {
  const int limit = Limits().max_depth;
  const Any deepest = Nested(limit);
  const auto decoded = Any::Decode(deepest.Encode());
  REQUIRE(decoded.ok());
  const Any copy = *decoded;
  CHECK(copy == deepest);
  CHECK(Any::FromJson(*deepest.ToJson())->Encode() == deepest.Encode());
  CHECK(Any::Decode(Nested(limit + 1).Encode()).status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(Any::FromJson(*Nested(limit + 1).ToJson()).status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(Any::FromJson(std::string(1'000'000, '[')).status().code() == absl::StatusCode::kResourceExhausted);
  std::string bomb;
  for (int i = 0; i < 1'000'000; ++i) bomb += "\x75\x01";
  CHECK(Any::Decode(bomb).status().code() == absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace rivermeet::crdt
