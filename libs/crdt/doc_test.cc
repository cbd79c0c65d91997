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

// An update of V1 that nests `depth` arrays in a root.
std::string NestedArrays(int depth) {
  std::string update = {1, static_cast<char>(depth | 0x80), static_cast<char>(depth >> 7), 1, 0};
  update += std::string("\x07\x01\x01t\x00", 5);
  for (int i = 1; i < depth; ++i) {
    update += std::string("\x07\x00\x01", 3);
    const int holder = i - 1;
    if (holder >= 128) update += static_cast<char>(holder | 0x80);
    update += static_cast<char>(holder >= 128 ? holder >> 7 : holder);
    update += '\0';
  }
  return update + '\0';
}

TEST_CASE("shared types nest up to the limit, counted over several updates", "[crdt]") {
  Doc doc({.limits = {.max_depth = 200}});
  CHECK(doc.Apply(NestedArrays(201), Format::kV1).code() == absl::StatusCode::kResourceExhausted);
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV1)) == "0000");
  REQUIRE(doc.Apply(NestedArrays(200), Format::kV1).ok());
  // One more, in the innermost, and one beside it.
  const std::string state = doc.EncodeState(Format::kV1);
  CHECK(doc.Apply(Hex("0101020007"
                      "00"
                      "01c701"
                      "0000"),
                  Format::kV1)
            .code() == absl::StatusCode::kResourceExhausted);
  CHECK(doc.EncodeState(Format::kV1) == state);
  CHECK(doc.Apply(Hex("0101020007"
                      "00"
                      "01c601"
                      "0000"),
                  Format::kV1)
            .ok());
}

}  // namespace
}  // namespace rivermeet::crdt
