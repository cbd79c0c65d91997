#include "crdt_tool/struct_line.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "crdt_tool/test_sample.h"

namespace rivermeet::crdt_tool {
namespace {

using crdt::Any;
using crdt::NewSubdocument;
using crdt::NewType;
using crdt::SharedKind;
using crdt::UpdateFormat;

std::vector<std::string> LinesOf(const crdt::Doc& doc) {
  std::vector<std::string> lines;
  const auto add = [&](const auto& one) { lines.push_back(LineOf(one)); };
  CHECK(crdt::ReadUpdate(doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2, add, add).ok());
  return lines;
}

TEST_CASE("a line says of a struct what the update says of it", "[crdt_tool]") {
  CHECK(LinesOf(Sample()) == std::vector<std::string>{
                                 "2:0 format 1 left 1:9 right 1:10 \"bold\"=true",
                                 "2:1 format 1 left 1:14 \"bold\"=null",
                                 "2:2 type 1 in \"users\" key \"bob\" map",
                                 "2:3 any 1 in 2:2 key \"since\" 1952",
                                 "1:0 string 6 in \"notes\" \"Hello \"",
                                 "1:6 deleted 4 left 1:5",
                                 "1:10 string 5 left 1:9 \"world\"",
                                 "1:15 any 1 in \"users\" key \"ada\" \"Ada Lovelace\"",
                                 "deletes 1:6 4",
                             });
}

TEST_CASE("a line shows each kind of content, and of a long one its beginning", "[crdt_tool]") {
  crdt::Doc doc({.client_id = 7});
  crdt::List list = *doc.GetArray("list");
  const NewType element{.kind = SharedKind::kXmlElement, .name = "p"};
  CHECK(list.Push({{Any(Any::Bytes{"abc"}), element, NewSubdocument{.guid = "page"}}}).ok());
  const Any values(Any::Array{Any(Any::BigInt{5}), Any(Any::Null()), Any(1.5)});
  CHECK(list.Push({{values, Any("two")}}).ok());
  CHECK(doc.GetText("text")->InsertEmbed(0, Any(Any::Object{{"image", Any("a.png")}})).ok());
  CHECK(doc.GetText("text")->Insert(1, std::string(59, 'x') + "\u00e9\u00e9").ok());
  CHECK(LinesOf(doc) == std::vector<std::string>{
                            "7:0 binary 1 in \"list\" 3 bytes",
                            "7:1 type 1 left 7:0 xml-element \"p\"",
                            "7:2 subdocument 1 left 7:1 \"page\" {}",
                            "7:3 any 2 left 7:2 [\"5\",null,1.5], \"two\"",
                            "7:5 embed 1 in \"text\" {\"image\":\"a.png\"}",
                            "7:6 string 61 left 7:5 \"" + std::string(59, 'x') + "\u00e9\"…",
                        });
}

TEST_CASE("undefined is shown as such", "[crdt_tool]") {
  CHECK(LineOf({.id = {7, 0}, .length = 1, .content = crdt::Content::kAny, .data = "\x7f"}) == "7:0 any 1 undefined");
}

TEST_CASE("many values are cut off like one long one", "[crdt_tool]") {
  crdt::Doc doc({.client_id = 7});
  std::vector<crdt::Insertable> values(1'000, Any(1));
  CHECK(doc.GetArray("list")->Push(values).ok());
  std::string shown;
  for (int i = 0; i < 20; ++i) shown += "1, ";
  CHECK(LinesOf(doc) == std::vector<std::string>{"7:0 any 1000 in \"list\" " + shown + "…"});
}

TEST_CASE("no control character comes out", "[crdt_tool]") {
  CHECK(Quoted("a\n\"\x1b[2J\x7f\u009b\u00e9", 60) == "\"a\\n\\\"\\u001b[2J\\u007f\\u009b\u00e9\"");
  CHECK(Quoted("\u00e9\u00e9\u00e9", 2) == "\"\u00e9\u00e9\"…");
  crdt::Doc doc({.client_id = 7});
  CHECK(doc.GetMap("map")->Set("k\u009b", Any("\x7f\u009b")).ok());
  CHECK(LinesOf(doc) == std::vector<std::string>{"7:0 any 1 in \"map\" key \"k\\u009b\" \"\\u007f\\u009b\""});
}

}  // namespace
}  // namespace rivermeet::crdt_tool
