// What yjs 13.6.33 gives for the same documents.
#include <string>

#include "catch2/catch.hpp"
#include "crdt/doc.h"

namespace rivermeet::crdt {
namespace {

void Ok(const absl::Status& status) {
  INFO(std::string(status.message()));
  REQUIRE(status.ok());
}

SharedType TypeAt(const SharedType& list, uint64_t index) { return std::get<SharedType>(*list.At(index)); }
SharedType TypeOf(const SharedType& map, std::string_view key) { return std::get<SharedType>(*map.Entry(key)); }

Insertable New(SharedKind kind, std::string name = "") {
  NewType type;
  type.kind = kind;
  type.name = std::move(name);
  return type;
}

std::string Json(const Doc& doc) { return *doc.ToJson(); }

TEST_CASE("a value that nests deeper than the default limit is read where the document's limit lets it in", "[crdt]") {
  Limits limits;
  limits.max_depth = 4 * Limits().max_depth;
  Doc doc({.client_id = 1, .limits = limits});
  Any value(1.0);
  for (int depth = 0; depth < 2 * Limits().max_depth; ++depth) value = Any(Any::Array{std::move(value)});
  const std::string encoded = value.Encode();
  List list = *doc.GetArray("list");
  REQUIRE(list.Push({value}).ok());
  Doc copy({.client_id = 2, .limits = limits});
  REQUIRE(copy.Apply(doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
  CHECK(std::get<Any>(*copy.GetArray("list")->At(0)).Encode() == encoded);
}

TEST_CASE("a map's JSON has array indices first and what is undefined or deleted not at all", "[crdt]") {
  Doc doc;
  auto map = doc.GetMap("m");
  Ok(map->Set("b", Any(1)));
  Ok(map->Set("10", Any(2)));
  Ok(map->Set("2", New(SharedKind::kArray)));
  Ok(TypeOf(*map, "2").AsList()->Push(
      {Any(Any::Null()), Any(Any::Bytes{"\x01\x02"}), Any("x\xed\xa0\xbd"), Any(Any::Object{{"z", 1}, {"1", Any()}})}));
  NewType text;
  text.kind = SharedKind::kText;
  text.text = "hi";
  Ok(map->Set("t", text));
  Ok(map->Set("d", NewSubdocument{"g", Any(Any::Object())}));
  Ok(map->Set("u", Any()));
  Ok(map->Set("b", Any(3)));
  Ok(map->Set("gone", Any(1)));
  Ok(map->Delete("gone"));
  Ok(map->Set("n", Any(std::numeric_limits<double>::quiet_NaN())));
  Ok(map->Set("__proto__", Any(Any::Object{{"x", 1}})));
  CHECK(*map->ToJson() == R"({"2":[null,{"0":1,"1":2},"x\ud83d",{"z":1}],"10":2,"b":3,"t":"hi","d":{},"n":null})");
}

TEST_CASE("a document's JSON has its roots of a kind, array indices first", "[crdt]") {
  Doc doc, other;
  Ok(doc.GetMap("m").status());
  Ok(doc.GetArray("1")->Push({Any(true)}));
  Ok(doc.GetText("a")->Insert(0, "q"));
  Ok(doc.GetRoot("e", SharedKind::kXmlElement).status());
  CHECK(Json(doc) == R"({"1":[true],"m":{},"a":"q","e":"<undefined></undefined>"})");
  Ok(other.Apply(doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
  CHECK(Json(other) == "{}");
  CHECK(*other.FindRoot("a")->ToJson() == "");
}

TEST_CASE("XML reads as yjs writes it: names lowered, attributes sorted, formats as elements", "[crdt]") {
  Doc doc;
  auto fragment = doc.GetRoot("x", SharedKind::kXmlFragment)->AsList();
  Ok(fragment->Insert(0, {New(SharedKind::kXmlElement, "DIV")}));
  const SharedType div = TypeAt(*fragment, 0);
  Ok(div.AsMap()->Set("b", Any("2")));
  Ok(div.AsMap()->Set("a", Any("1")));
  Ok(div.AsList()->Insert(0, {New(SharedKind::kXmlText), New(SharedKind::kXmlHook, "hook"),
                              New(SharedKind::kXmlElement, "\u03a3_\u0130")}));
  auto text = TypeAt(div, 0).AsText();
  Ok(text->Insert(0, "plain"));
  Ok(text->Insert(5, "bold", {{"strong", Any(Any::Object{{"z", "1"}, {"c", 2}})}}));
  Ok(text->Insert(9, "two", {{"strong", true}, {"em", Any(Any::Object())}}));
  Ok(text->InsertEmbed(12, Any(Any::Object{{"img", 1}})));
  NewType inner;
  inner.kind = SharedKind::kXmlText;
  inner.text = "in & <>";
  Ok(div.AsMap()->Set("t", inner));
  Ok(div.AsMap()->Set("\U0001f600", Any(Any::Array{1, Any(Any::Array{2, Any(Any::Null())})})));
  Ok(div.AsMap()->Set("\uffff", Any(Any::Null())));
  CHECK(*fragment->ToXml() ==
        "<div a=\"1\" b=\"2\" t=\"in & <>\" \U0001f600=\"1,2,\" \uffff=\"null\">plain<strong c=\"2\" "
        "z=\"1\">bold</strong>"
        "<em><strong>two</strong></em>[object Object][object Object]<\u03c3_i\u0307></\u03c3_i\u0307></div>");
}

TEST_CASE("what isn't XML inside of XML is refused", "[crdt]") {
  Doc doc;
  auto fragment = doc.GetRoot("x", SharedKind::kXmlFragment)->AsList();
  Ok(fragment->Insert(0, {Any("text"), Any(1.5), Any(Any::Array{1, 2})}));
  CHECK(*fragment->ToJson() == R"("text1.51,2")");
  Ok(fragment->Insert(0, {Any(Any::Null())}));
  CHECK(fragment->ToJson().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(doc.ToJson().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a bigint is refused, or written as its digits", "[crdt]") {
  Doc doc;
  Ok(doc.GetMap("m")->Set("k", Any(Any::BigInt{-123})));
  CHECK(doc.ToJson().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(*doc.ToJson(BigInts::kAsText) == R"({"m":{"k":"-123"}})");
}

TEST_CASE("a text's delta has its runs, embeds and types with their attributes", "[crdt]") {
  Doc doc;
  auto text = doc.GetText("t");
  Ok(text->Insert(0, "ab", {{"bold", true}}));
  const Attributes width = {{"width", 100}};
  Ok(text->InsertEmbed(1, Any(Any::Object{{"image", "i.png"}}), &width));
  Ok(text->InsertEmbed(3, New(SharedKind::kMap)));
  const std::vector<DeltaChange> delta = text->ToDelta();
  REQUIRE(delta.size() == 4);
  CHECK(std::get<Any>(delta[0].inserted[0]) == Any("a"));
  CHECK(delta[0].attributes == Attributes{{"bold", true}});
  CHECK(std::get<Any>(delta[1].inserted[0]) == Any(Any::Object{{"image", "i.png"}}));
  CHECK(delta[1].attributes == width);
  CHECK(std::get<Any>(delta[2].inserted[0]) == Any("b"));
  CHECK(std::get<SharedType>(delta[3].inserted[0]).kind() == SharedKind::kMap);
  CHECK(delta[3].attributes.empty());
}

TEST_CASE("types nested as deep as they may are read without recursion", "[crdt]") {
  Doc doc;
  SharedType inner = *doc.GetRoot("x", SharedKind::kXmlFragment);
  std::string xml;
  for (int depth = 0; depth < 512; ++depth) {
    Ok(inner.AsList()->Insert(0, {New(SharedKind::kXmlElement, "p")}));
    inner = TypeAt(inner, 0);
    xml.insert(xml.size() / 7 * 3, "<p></p>");
  }
  CHECK(*doc.FindRoot("x")->ToXml() == xml);
  SharedType array = *doc.GetRoot("a", SharedKind::kArray);
  for (int depth = 0; depth < 512; ++depth) {
    Ok(array.AsList()->Insert(0, {New(SharedKind::kArray)}));
    array = TypeAt(array, 0);
  }
  CHECK(*doc.FindRoot("a")->ToJson() == std::string(513, '[') + std::string(513, ']'));
}

TEST_CASE("a list's values come in one go", "[crdt]") {
  Doc doc;
  auto list = doc.GetArray("a");
  Ok(list->Push({Any(1), Any("x"), New(SharedKind::kMap), Any(Any::Bytes{"b"})}));
  Ok(list->Delete(0, 1));
  const std::vector<Value> values = list->ToValues();
  REQUIRE(values.size() == 3);
  CHECK(std::get<Any>(values[0]) == Any("x"));
  CHECK(std::get<SharedType>(values[1]).kind() == SharedKind::kMap);
  CHECK(std::get<Any>(values[2]) == Any(Any::Bytes{"b"}));
}

}  // namespace
}  // namespace rivermeet::crdt
