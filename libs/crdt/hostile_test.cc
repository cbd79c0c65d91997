// What hostile bytes must not do: each is refused, with the place of the fault and the document as it was, or does what
// it does in yjs. Here: structs that fit no history, and what they cost.
#include <string>
#include <vector>

#include "crdt/internal/attack.h"

namespace rivermeet::crdt::internal {
namespace {

TEST_CASE("names that begin or end inside a character are kept apart while a struct is read", "[crdt][hostile]") {
  // Root, key of a format, and guid are each half of a character of V2's one text, so that each needs a copy.
  WireStruct format = OfKind(Text({1, 0}, "\xed\xa0\xbd", ""), ContentKind::kFormat);
  format.content.name = "\xed\xb8\x80 a key that is longer than what a string keeps within itself";
  format.content.data = "\x78";
  const std::string update = Update({format}, Format::kV2);
  Doc doc;
  REQUIRE(Attack(doc, update, Format::kV2).ok());
  CHECK(doc.EncodeState(Format::kV2) == update);
  WireStruct subdocument = OfKind(Text({2, 0}, "\xed\xa0\xbd", ""), ContentKind::kDoc);
  subdocument.content.name = "\xed\xb8\x80 a guid that is longer than what a string keeps within itself";
  const std::string options("\x76\x00", 2);
  subdocument.content.data = options;
  const std::string second = Update({subdocument}, Format::kV2);
  Doc other;
  REQUIRE(Attack(other, second, Format::kV2).ok());
  CHECK(other.EncodeState(Format::kV2) == second);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
