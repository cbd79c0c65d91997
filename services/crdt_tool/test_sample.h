// The document of testdata/notes.bin and notes.yjs, which docs/crdt.md shows the commands with.
#ifndef RIVERMEET_CRDT_TOOL_TEST_SAMPLE_H_
#define RIVERMEET_CRDT_TOOL_TEST_SAMPLE_H_

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "crdt/doc.h"

namespace rivermeet::crdt_tool {

inline constexpr char kSampleV1[] = "services/crdt_tool/testdata/notes.bin";
inline constexpr char kSampleV2[] = "services/crdt_tool/testdata/notes.yjs";

// Ada, client 1, writes notes; Bob, client 2, makes a word bold, takes one away and adds himself to the users.
inline crdt::Doc Sample() {
  crdt::Doc ada({.client_id = 1});
  CHECK(ada.GetText("notes")->Insert(0, "Hello big world").ok());
  CHECK(ada.GetMap("users")->Set("ada", crdt::Any("Ada Lovelace")).ok());
  crdt::Doc bob({.client_id = 2});
  CHECK(bob.Apply(ada.EncodeState(crdt::UpdateFormat::kV1), crdt::UpdateFormat::kV1).ok());
  CHECK(bob.GetText("notes")->Format(10, 5, {{"bold", true}}).ok());
  CHECK(bob.GetText("notes")->Delete(6, 4).ok());
  crdt::NewType user{.kind = crdt::SharedKind::kMap, .entries = {{"since", crdt::Any(1952)}}};
  CHECK(bob.GetMap("users")->Set("bob", user).ok());
  return bob;
}

inline std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_TEST_SAMPLE_H_
