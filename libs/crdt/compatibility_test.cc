// The cases of yjs's own tests of compatibility (tests/compatibility.tests.js): documents of old versions.
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/testing/peers.h"

namespace rivermeet::crdt {
namespace {

// What a root has, as the data has it.
Any Content(Doc& doc, const std::string& kind) {
  if (kind == "array") return *Any::FromJson(*doc.GetArray(kind)->ToJson());
  if (kind == "map") return *Any::FromJson(*doc.GetMap(kind)->ToJson());
  Any::Array delta;
  for (const DeltaChange& change : doc.GetText(kind)->ToDelta()) {
    Any::Object step = {{"insert", std::get<Any>(change.inserted[0])}};
    if (!change.attributes.empty()) step.emplace_back("attributes", Any(change.attributes));
    delta.emplace_back(std::move(step));
  }
  return Any(std::move(delta));
}

TEST_CASE("documents that yjs 13.2 wrote have what they had then, and are written as yjs writes them now", "[crdt]") {
  std::ifstream file("libs/crdt/testdata/yjs_13_2_documents.txt");
  REQUIRE(file.is_open());
  int documents = 0;
  std::string kind;
  while (std::getline(file, kind)) {
    if (kind.starts_with('#')) continue;
    CAPTURE(kind);
    std::string base64, state, json, bytes;
    REQUIRE(std::getline(file, base64));
    REQUIRE(std::getline(file, state));
    REQUIRE(std::getline(file, json));
    REQUIRE(absl::Base64Unescape(base64, &bytes));
    const Any expected = InOrder(*Any::FromJson(json));
    Doc doc;
    Ok(doc.Apply(bytes, UpdateFormat::kV1));
    CHECK_FALSE(doc.HasPending());
    CHECK(absl::Base64Escape(doc.EncodeState(UpdateFormat::kV1)) == state);
    CHECK(InOrder(Content(doc, kind)) == expected);
    for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
      Doc copy;
      Ok(copy.Apply(doc.EncodeState(format), format));
      CHECK(InOrder(Content(copy, kind)) == expected);
    }
    ++documents;
  }
  CHECK(documents == 3);
}

}  // namespace
}  // namespace rivermeet::crdt
