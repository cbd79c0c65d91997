// The cases of yjs's own tests of XML (tests/y-xml.tests.js) but for those on events (events_test.cc), and some more.
// Bytes and texts are what yjs 13.6.33 gives.
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/events.h"
#include "crdt/testing/peers.h"

namespace rivermeet::crdt {
namespace {

NewType Element(std::string name, std::vector<Insertable> children = {}) {
  return {.kind = SharedKind::kXmlElement, .name = std::move(name), .items = std::move(children)};
}
Insertable XmlText(std::string text) { return NewText(std::move(text), SharedKind::kXmlText); }

TEST_CASE("an element's attributes are there for others, and gone when they are removed", "[crdt]") {
  Peers peers(2);
  Map attributes = *peers.xml(0).AsMap();
  CHECK_FALSE(attributes.Entry("height").has_value());
  Ok(attributes.Set("height", Any("10")));
  CHECK(std::get<Any>(*attributes.Entry("height")) == Any("10"));
  peers.Deliver();
  CHECK(std::get<Any>(*peers.xml(1).Entry("height")) == Any("10"));
  Ok(attributes.Delete("height"));
  CHECK_FALSE(attributes.Entry("height").has_value());
  peers.Deliver();
  CHECK_FALSE(peers.xml(1).Entry("height").has_value());
  peers.CheckAgree();
}

// Names of the elements and texts in `type`, each before what is in it.
void Walk(const SharedType& type, std::string& names) {
  for (uint64_t at = 0; at < type.length(); ++at) {
    const SharedType child = TypeAt(type, at);
    if (child.kind() == SharedKind::kXmlElement) {
      names += "<" + child.name() + ">";
      Walk(child, names);
    } else {
      names += child.PlainText();
    }
  }
}

TEST_CASE("elements are found by walking the tree, in the order of the document", "[crdt]") {
  Peers peers(3);
  Ok(peers.xml(0).AsList()->Insert(0,
                                   {Element("p", {XmlText("init"), XmlText("text")}), Element("p"), Element("img")}));
  peers.Deliver();
  for (size_t peer = 0; peer < 3; ++peer) {
    std::string names;
    Walk(peers.xml(peer), names);
    CHECK(names == "<p>inittext<p><img>");
  }
  CHECK(*peers.xml(2).ToXml() == "<undefined><p>inittext</p><p></p><img></img></undefined>");
  peers.CheckAgree();
}

TEST_CASE("an XML text has attributes of its own, which are told as keys", "[crdt][events]") {
  Doc doc;
  const SharedType text = *doc.GetRoot("", SharedKind::kXmlText);
  std::string keys;
  const auto subscription = text.Observe([&](const Event& event) { keys = Told(event.Keys()); });
  Ok(text.AsMap()->Set("test", Any(42)));
  CHECK(keys == "test add undefined");
  CHECK(std::get<Any>(*text.Entry("test")) == Any(42));
  CHECK(text.AsMap()->Keys() == std::vector<std::string>{"test"});
  CHECK(text.length() == 0);
}

TEST_CASE("a type knows what it is in and where, and so its siblings", "[crdt]") {
  Doc doc({.gc = false});
  List fragment = *doc.GetRoot("", SharedKind::kXmlFragment)->AsList();
  Ok(fragment.Insert(0, {XmlText(""), Element("p")}));
  const SharedType first = TypeAt(fragment, 0);
  const SharedType second = TypeAt(fragment, 1);
  CHECK(first.parent()->kind() == SharedKind::kXmlFragment);
  CHECK(TypeAt(*first.parent(), std::get<uint64_t>(*first.step()) + 1).name() == "p");
  CHECK(TypeAt(*second.parent(), std::get<uint64_t>(*second.step()) - 1).kind() == SharedKind::kXmlText);
  CHECK_FALSE(fragment.At(2).has_value());
  CHECK_FALSE(fragment.parent().has_value());
  CHECK_FALSE(fragment.step().has_value());
  // It stays right as others come and go.
  Ok(fragment.Insert(0, {XmlText("new"), XmlText("newer")}));
  CHECK(second.step() == PathStep(uint64_t{3}));
  Ok(fragment.Delete(0, 3));
  CHECK(second.step() == PathStep(uint64_t{0}));
  CHECK_FALSE(first.parent().has_value());
  CHECK_FALSE(first.step().has_value());
  Map map = *doc.GetMap("map");
  Ok(map.Set("key", New(SharedKind::kMap)));
  CHECK(TypeOf(map, "key").step() == PathStep("key"));
  CHECK(*TypeOf(map, "key").parent()->ToJson() == R"({"key":{}})");
}

TEST_CASE("a child is inserted behind another, inside what is new, too", "[crdt]") {
  Doc doc({.client_id = 1});
  List fragment = *doc.GetRoot("x", SharedKind::kXmlFragment)->AsList();
  Ok(fragment.Insert(0, {XmlText(""), Element("p", {Element("span"), XmlText("")})}));
  const SharedType second = TypeAt(fragment, 1);
  Ok(fragment.Insert(std::get<uint64_t>(*second.step()) + 1, {Element("q")}));
  CHECK(fragment.length() == 3);
  CHECK(TypeAt(second, 0).name() == "span");
  CHECK(TypeAt(second, 1).kind() == SharedKind::kXmlText);
  CHECK(*fragment.ToXml() == "<p><span></span></p><q></q>");
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) ==
        "0105010007010178068701000301700700010103047370616e8701020687010103017100");
}

TEST_CASE("a fragment can be put into a list, with what it has", "[crdt]") {
  Doc doc;
  List fragment = *doc.GetRoot("", SharedKind::kXmlFragment)->AsList();
  const std::vector<Insertable> children = {XmlText("text"), Element("p"), Element("p")};
  Ok(fragment.Push(children));
  List copies = *doc.GetArray("copyarr");
  Ok(copies.Insert(0, {NewType{.kind = SharedKind::kXmlFragment, .items = children}}));
  const SharedType copy = TypeAt(copies, 0);
  CHECK(copy.length() == 3);
  CHECK(*copy.ToXml() == "text<p></p><p></p>");
  CHECK(*copy.ToJson() == *fragment.ToJson());
}

TEST_CASE("texts are children of a root element", "[crdt]") {
  Doc doc;
  List element = *doc.GetRoot("", SharedKind::kXmlElement)->AsList();
  Ok(element.Insert(0, {XmlText("text1"), XmlText("text2")}));
  CHECK(TypeAt(element, 0).PlainText() == "text1");
  CHECK(TypeAt(element, 1).PlainText() == "text2");
}

TEST_CASE("formats whose values are objects begin and end each by itself", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetRoot("t", SharedKind::kXmlText)->AsText();
  const Any none = Any(Any::Object());
  const auto step = [](const char* what, Attributes attributes) {
    return DeltaStep{.kind = DeltaStep::Kind::kInsert, .insert = Any(what), .attributes = std::move(attributes)};
  };
  Ok(text.ApplyDelta({step("A", {{"em", none}, {"strong", none}}), step("B", {{"em", none}}),
                      step("C", {{"em", none}, {"strong", none}})}));
  CHECK(Told(text.ToDelta()) == R"(+"A"{"em":{},"strong":{}} +"B"{"em":{}} +"C"{"em":{},"strong":{}})");
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) ==
        "010d01000601017402656d027b7d860100067374726f6e67027b7d840101014186010202656d046e756c6c860103067374726f6e67046e"
        "756c6c86010402656d027b7d840105014286010602656d046e756c6c86010702656d027b7d860108067374726f6e67027b7d8401090143"
        "86010a02656d046e756c6c86010b067374726f6e67046e756c6c00");
}

// The root "x" of a document with this state, where it is a fragment.
absl::StatusOr<std::string> XmlOf(std::string_view state) {
  Doc doc;
  Ok(doc.Apply(absl::HexStringToBytes({state.data(), state.size()}), UpdateFormat::kV1));
  return doc.GetRoot("x", SharedKind::kXmlFragment)->ToXml();
}

TEST_CASE("attributes, formats and children that are no texts are written as JavaScript writes them into one",
          "[crdt]") {
  // An element with an attribute of every kind, and in it a text with formats and embeds of many.
  CHECK(*XmlOf("012d0100070101780301702800010001610175037d017e7503787701787600280001000162017601016b7d01230001000163"
               "0201ff280001000164017c3fc00000280001000165017a100000000000000028000100016601782800010001670179280001"
               "000168017f280001000169017e28000100016b017b3fb999999999999a2800010001730177047465787428000100016c017d"
               "4728000100017901750174010329000100016a04677569647600270001000174060400010f05696e6e657207000100060600"
               "011504626f6c640474727565840116036f6e6586011904626f6c64046e756c6c86011a04666f6e741e7b2273697a65223a31"
               "2e352c226e616d65223a5b312c6e756c6c2c325d7d84011b0374776f86011e04666f6e74046e756c6c86011f017304226162"
               "2284012001338601210173046e756c6c860122016c0a5b6e756c6c2c2271225d8401230134860124016c046e756c6c850125"
               "0b7b22696d616765223a317d86012604626f6c640b7b226f6e223a747275657d850127075b312c2278225d86012804626f6c"
               "64046e756c6c86012902656d027b7d87012a03016286012b02656d046e756c6c86012c07796368616e67650a7b2275736572"
               "223a317d84012d03656e6486013007796368616e6765046e756c6cc60130013107796368616e67650a7b2275736572223a32"
               "7dc60132013102656d027b7dc401330131046d6f7265c60137013107796368616e67650a7b2275736572223a317dc6013801"
               "3102656d046e756c6c00") ==
        R"(<p a="1,,true,x,[object Object]" b="[object Object]" c="1,255" d="1.5" e="1152921504606846976" )"
        R"(f="true" g="false" h="undefined" i="null" j="[object Object]" k="0.1" l="-7" s="text" t="inner")"
        R"( y="3"><bold>one</bold><font name="1,,2" size="1.5">two</font><s 0="a" 1="b">3</s><l 0="null" 1)"
        R"(="q">4</l>[object Object]<bold on="true">1,x</bold><em><b></b></em>end<em>more</em></p>)");
  // An array, and a text, that another takes for a fragment.
  CHECK(*XmlOf("0106010008010178027d01770374776f83010102040589010204677569647600870103020400010404746578748801040375"
               "027d0175017d02760101617d017800") == "1two4,5[object Object]text1,2[object Object]true");
  CHECK(*XmlOf("010101000401017805706c61696e00") == "plain");
  // yjs throws.
  CHECK_FALSE(XmlOf("0101010008010178017e00").ok());
}

}  // namespace
}  // namespace rivermeet::crdt
