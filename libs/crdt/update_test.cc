#include "crdt/update.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"

namespace rivermeet::crdt {
namespace {

// All in hexadecimal. What is expected is what yjs 13.6.33 gives on Node.js 20.
std::string Merged(const std::vector<std::string>& updates, UpdateFormat format = UpdateFormat::kV1) {
  std::vector<std::string> bytes;
  for (const std::string& update : updates) bytes.push_back(absl::HexStringToBytes(update));
  const std::vector<std::string_view> views(bytes.begin(), bytes.end());
  const absl::StatusOr<std::string> merged = MergeUpdates(views, format);
  return merged.ok() ? absl::BytesToHexString(*merged) : std::string(merged.status().message());
}

// Of client 1 at clock 0; "r" is the root.
constexpr const char* kText = "0101010004010172016100";
constexpr const char* kGc = "01010100000100";

TEST_CASE("of an item and its collected form the update given last is taken", "[crdt]") {
  CHECK(Merged({kText, kGc}) == kGc);
  CHECK(Merged({kGc, kText}) == kText);
  CHECK(Merged({kText, "01010100000200"}) == "01010100000200");
  CHECK(Merged({"01010100000200", kText}) == "01020100040101720161000100");
  const std::string text_v2 = "00000101000001040502726141000101000001010000";
  const std::string gc_v2 = "000001010000010001000000010101010000";
  CHECK(Merged({text_v2, gc_v2}, UpdateFormat::kV2) == gc_v2);
  CHECK(Merged({gc_v2, text_v2}, UpdateFormat::kV2) == text_v2);
}

TEST_CASE("an item and its collected form change places whenever yjs sorts", "[crdt]") {
  const std::string of_another = "01010200000100";
  CHECK(Merged({kText, kGc, of_another}) == "02010200000101010004010172016100");
  CHECK(Merged({kText, kGc, of_another, "01010205000100"}) == "0203020000010a040001010100000100");
  CHECK(Merged({kText, kGc, of_another, "01010205000100", "01010209000100"}) ==
        "0205020000010a0400010a03000101010004010172016100");
}

TEST_CASE("items among collected ones are in the order of an insertion sort and of merged runs", "[crdt]") {
  CHECK(Merged({kText, kGc, "010101000401017202626300"}) == "010101000401017202626300");
  const auto merged = [](int count) {
    std::vector<std::string> updates;
    for (int i = 0; i < count; ++i) {
      const int length = 1 + i % 5;
      const char clock = static_cast<char>(i * 11 % 29);
      std::string update = {1, 1, 1, clock};
      if (i * i % 7 < 3) {
        update += {0, static_cast<char>(length)};
      } else {
        update += {4, 1, 1, 'r', static_cast<char>(length)};
        update.append(length, static_cast<char>('a' + i % 26));
      }
      update.push_back(0);
      updates.push_back(absl::BytesToHexString(update));
    }
    return Merged(updates);
  };
  CHECK(merged(70) ==
        "010a010004010172046767676700068401090174000584010f016a840110026363000384011503737373840118027171000400");
  CHECK(merged(200) ==
        "01170100000184010003676767000184010401750004840109017484010a016b000184010c0164000284010f016a0001840111016384"
        "011201740001840114016d000284011701730001840119016c84011a0163000484011f016200");
}

TEST_CASE("a skip counts towards the state vector of an update where all of it begins with one", "[crdt]") {
  // A text "a" of client 7 or 9 under the root "t", and Skips of 3 to 5 clocks.
  const std::string text = "040101740161";
  const auto of = [](const std::string& structs, UpdateFormat format = UpdateFormat::kV1) {
    return absl::BytesToHexString(*EncodeStateVectorFromUpdate(absl::HexStringToBytes(structs + "00"), format));
  };
  CHECK(of("010107000a03") == "010703");
  CHECK(of("010207000a03" + text) == "010703");
  CHECK(of("010307000a030a04" + text) == "010703");
  CHECK(of("020009000207000a03" + text) == "010703");  // behind an empty block
  CHECK(of("020107000a03010700" + text) == "010703");
  CHECK(of("02010900" + text + "0207000a03" + text) == "010901");
  CHECK(of("020209000a05" + text + "0207000a03" + text) == "010905");
  CHECK(of("010207020a03" + text) == "00");
  CHECK(of("000001070000030a00040502746141000101000001020003", UpdateFormat::kV2) == "010703");
}

TEST_CASE("updates without effect merge to one", "[crdt]") {
  CHECK(Merged({}) == "0000");
  CHECK(Merged({"0000", "0000"}) == "0000");
  CHECK(Merged({"0000", kText}) == kText);
}

TEST_CASE("a merge says which update is broken and where", "[crdt]") {
  CHECK(Merged({kText, kGc, "010101"}) == "update 2: at byte 3: it ends too early");
  CHECK(Merged({"000000", kText}) == "update 0: at byte 2: bytes are left after the update's end");
}

}  // namespace
}  // namespace rivermeet::crdt
