#include "crdt/doc.h"

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

std::string Hex(std::string_view hex) { return absl::HexStringToBytes({hex.data(), hex.size()}); }

TEST_CASE("the design's vectors come out byte for byte", "[crdt]") {
  Doc doc;
  REQUIRE(doc.Apply(Hex("01010100040101740361626300"), Format::kV1).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV1)) == "01010100040101740361626300");
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV2)) == "000001010000010407047461626301030101000001010000");
  CHECK(absl::BytesToHexString(doc.EncodeStateVector()) == "010103");
  REQUIRE(doc.Apply(Hex("01010103840102016400"), Format::kV1).ok());
  REQUIRE(doc.Apply(Hex("000101010101"), Format::kV1).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV1)) == "01030100040101740161810100018401010263640101010101");
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV2)) ==
        "00000241010200020005040081008408047461636441000201010001010103000101010100");
  CHECK(doc.GetText("t")->PlainText() == "acd");
}

}  // namespace
}  // namespace rivermeet::crdt
