// The compatibility cases of y-crdt: updates of many peers in the order in which one received them, and what he then
// had.
#include <fstream>
#include <iterator>

#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/internal/wire/any_walk.h"
#include "testing/shared_data.h"

namespace rivermeet::crdt {
namespace {

// One encoded value, as JSON.
std::string JsonOf(internal::ByteReader& reader) {
  const absl::StatusOr<Any> any = Any::Decode(internal::StepOverAny(reader));
  REQUIRE(any.ok());
  return *any->ToJson();
}

TEST_CASE("what many peers wrote comes to what y-crdt's cases expect", "[crdt]") {
  const std::string path = testing::SharedDataPath("yjs/small-test-dataset.bin");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    WARN("skipped: " << path << " isn't there: tests/load/crdt/README.md says how to get it");
    return;
  }
  const std::string data{std::istreambuf_iterator<char>(file), {}};
  internal::ByteReader reader(data);
  const uint64_t cases = reader.ReadVarUint();
  REQUIRE(cases > 0);
  for (uint64_t number = 0; number < cases; ++number) {
    CAPTURE(number);
    Doc doc;
    const Text text = *doc.GetText("text");
    const Map map = *doc.GetMap("map");
    const List array = *doc.GetArray("array");
    for (uint64_t updates = reader.ReadVarUint(); updates > 0; --updates) {
      REQUIRE(doc.Apply(reader.ReadVarBytes(), UpdateFormat::kV1).ok());
    }
    REQUIRE_FALSE(doc.HasPending());
    CHECK(text.PlainText() == reader.ReadVarString());
    // y-crdt's maps have no order.
    const absl::StatusOr<Any> wanted = Any::FromJson(JsonOf(reader));
    const absl::StatusOr<Any> got = Any::FromJson(*map.ToJson());
    REQUIRE(wanted->object()->size() == got->object()->size());
    for (const auto& [key, value] : *wanted->object()) {
      const Any* ours = got->Find(key);
      REQUIRE(ours != nullptr);
      CHECK(*ours->ToJson() == *value.ToJson());
    }
    CHECK(*array.ToJson() == JsonOf(reader));
  }
  CHECK(reader.AtEnd());
}

}  // namespace
}  // namespace rivermeet::crdt
