// The README's example, run: its code block has to stand in this file as it is.
#include <fstream>
#include <iterator>

#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

std::string FileText(const char* path) {
  std::ifstream file(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("two people write at the same time and end with the same text", "[crdt]") {
  // clang-format off
Doc ada({.client_id = 1});
Doc server;
const Subscription sending = ada.OnUpdate(UpdateFormat::kV1, [&](std::string_view update, std::string_view) {
  CHECK(server.Apply(update, UpdateFormat::kV1).ok());  // what travels is the update's bytes
});
CHECK(ada.GetText("notes")->Insert(0, "Hello Bob").ok());

Doc bob({.client_id = 2});
CHECK(bob.Apply(server.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
CHECK(bob.GetText("notes")->Format(6, 3, {{"bold", true}}).ok());
CHECK(ada.GetText("notes")->Insert(5, ",").ok());  // meanwhile

// Each sends what the other lacks.
const std::string missing = *bob.EncodeStateSince(UpdateFormat::kV1, server.EncodeStateVector());
CHECK(server.Apply(missing, UpdateFormat::kV1).ok());
CHECK(server.FindRoot("notes")->PlainText() == "Hello, Bob");
  // clang-format on
}

TEST_CASE("the README's example is what the test runs", "[crdt]") {
  const std::string readme = FileText("libs/crdt/README.md");
  const std::string source = FileText("libs/crdt/readme_example_test.cc");
  const size_t begin = readme.find("```cpp\n");
  REQUIRE(begin != std::string::npos);
  const std::string example = readme.substr(begin + 7, readme.find("```", begin + 7) - begin - 7);
  CHECK(source.find(example) != std::string::npos);
}

}  // namespace
}  // namespace rivermeet::crdt
