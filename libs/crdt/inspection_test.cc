#include "crdt/inspection.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "crdt/update.h"
#include "fmt/format.h"

namespace rivermeet::crdt {
namespace {

std::string Told(const UnitId& id) { return fmt::format("{}:{}", id.client, id.clock); }

bool Push(List list, const std::vector<Insertable>& values) { return list.Push(values).ok(); }

// One line for each struct and deleted range, with everything that was said of it.
std::string Told(const UpdateStruct& one) {
  std::string line = fmt::format("{}+{} {}", Told(one.id), one.length, static_cast<int>(one.content));
  if (one.origin.has_value()) line += " left " + Told(*one.origin);
  if (one.right_origin.has_value()) line += " right " + Told(*one.right_origin);
  if (one.root.has_value()) line += fmt::format(" root {}", *one.root);
  if (one.parent.has_value()) line += " parent " + Told(*one.parent);
  if (one.key.has_value()) line += fmt::format(" key {}", *one.key);
  if (one.type.has_value()) line += fmt::format(" type {}", static_cast<int>(*one.type));
  if (!one.name.empty()) line += fmt::format(" name {}", one.name);
  if (one.content == Content::kString) line += fmt::format(" text {}", one.data);
  for (const Any& value : FirstValues(one, 3)) line += " value " + value.ToJson().value_or("none");
  return line;
}

struct Reading {
  std::vector<std::string> lines;
  absl::Status status;
};
Reading Read(std::string_view update, UpdateFormat format) {
  Reading reading;
  reading.status = ReadUpdate(
      update, format, [&](const UpdateStruct& one) { reading.lines.push_back(Told(one)); },
      [&](const DeletedRange& range) {
        reading.lines.push_back(fmt::format("deleted {}:{}+{}", range.client, range.clock, range.length));
      });
  return reading;
}

TEST_CASE("an update is told struct by struct, then what it deletes", "[crdt]") {
  Doc doc({.client_id = 7});
  CHECK(doc.GetText("notes")->Insert(0, "Hello").ok());
  CHECK(doc.GetText("notes")->Format(0, 2, {{"bold", true}}).ok());
  CHECK(doc.GetText("notes")->Delete(4, 1).ok());
  CHECK(Push(*doc.GetArray("list"), {Any(1), Any("two"), Any(Any::Null()), Any(4)}));
  CHECK(doc.GetMap("map")->Set("inner", NewType{.kind = SharedKind::kXmlElement, .name = "p"}).ok());
  CHECK(doc.GetMap("map")->Set("bytes", Any(Any::Bytes{"ab"})).ok());
  CHECK(doc.GetMap("map")->Set("page", NewSubdocument{.guid = "g"}).ok());
  const std::vector<std::string> wanted = {
      "7:0+2 4 root notes text He",
      "7:2+2 4 left 7:1 text ll",
      "7:4+1 1 left 7:3",
      "7:5+1 6 right 7:0 name bold value true",
      "7:6+1 6 left 7:1 right 7:2 name bold value null",
      "7:7+4 8 root list value 1 value \"two\" value null",
      "7:11+1 7 root map key inner type 3 name p",
      "7:12+1 3 root map key bytes",
      "7:13+1 9 root map key page name g value {}",
      "deleted 7:4+1",
  };
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    const Reading reading = Read(doc.EncodeState(format), format);
    CHECK(reading.status.ok());
    CHECK(reading.lines == wanted);
  }
}

TEST_CASE("both formats of an update tell the same", "[crdt]") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("libs/crdt/corpus/update_v1")) {
    CAPTURE(entry.path());
    std::ifstream in(entry.path(), std::ios::binary);
    std::string v1{std::istreambuf_iterator<char>(in), {}};
    // Behind the update there are a state vector and a byte that says how long that is.
    v1.resize(v1.size() - 1 - static_cast<uint8_t>(v1.back()));
    const absl::StatusOr<std::string> v2 = ConvertUpdate(v1, UpdateFormat::kV1, UpdateFormat::kV2);
    REQUIRE(v2.ok());
    CHECK(Read(v1, UpdateFormat::kV1).lines == Read(*v2, UpdateFormat::kV2).lines);
    ++files;
  }
  CHECK(files > 20);
}

TEST_CASE("what stands before the damage is told, then the error of CheckUpdate", "[crdt]") {
  Doc doc({.client_id = 7});
  CHECK(doc.GetText("notes")->Insert(0, "Hello").ok());
  CHECK(Push(*doc.GetArray("list"), {Any(1)}));
  const std::string update = doc.EncodeState(UpdateFormat::kV1);
  const size_t whole = Read(update, UpdateFormat::kV1).lines.size();
  size_t most = 0;
  for (size_t size = 0; size < update.size(); ++size) {
    const Reading reading = Read(update.substr(0, size), UpdateFormat::kV1);
    CHECK(reading.status == CheckUpdate(update.substr(0, size), UpdateFormat::kV1));
    CHECK_FALSE(reading.status.ok());
    most = std::max(most, reading.lines.size());
  }
  CHECK(most == whole);
  CHECK(Read(update + "x", UpdateFormat::kV1).status == CheckUpdate(update + "x", UpdateFormat::kV1));
}

TEST_CASE("a state vector is read client by client", "[crdt]") {
  Doc doc({.client_id = 7});
  CHECK(doc.GetText("notes")->Insert(0, "Hello").ok());
  CHECK(*DecodeStateVector(doc.EncodeStateVector()) == std::vector<ClientState>{{7, 5}});
  CHECK(DecodeStateVector("\x02\x07\x05").status() == absl::InvalidArgumentError("at byte 3: it ends too early"));
}

// A document with `edits` of another, whose roots nobody asked for yet.
Doc Untyped(const Doc& edits, bool gc) {
  Doc doc({.client_id = 9, .gc = gc});
  CHECK(doc.Apply(edits.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  return doc;
}

TEST_CASE("a root is taken for what its content looks like until it is asked for", "[crdt]") {
  Doc doc({.client_id = 7});
  CHECK(doc.GetText("text")->InsertEmbed(0, NewType()).ok());
  CHECK(doc.GetText("text")->Insert(1, "ab").ok());
  CHECK(doc.GetText("formats")->Insert(0, "a").ok());
  CHECK(doc.GetText("formats")->Format(0, 1, {{"bold", true}}).ok());
  CHECK(Push(*doc.GetArray("values"), {Any(1), Any(2)}));
  CHECK(Push(*doc.GetArray("maps"), {NewType()}));
  CHECK(doc.GetMap("map")->Set("a", Any(1)).ok());
  CHECK(doc.GetMap("map")->Set("b", Any(1)).ok());
  CHECK(doc.GetMap("map")->Delete("a").ok());
  const SharedType xml = *doc.GetRoot("xml", SharedKind::kXmlFragment);
  CHECK(Push(*xml.AsList(), {NewType{.kind = SharedKind::kXmlElement, .name = "p"}}));
  CHECK(doc.GetText("gone")->Insert(0, "a").ok());
  CHECK(doc.GetText("gone")->Delete(0, 1).ok());

  Doc reader = Untyped(doc, /*gc=*/true);
  CHECK(reader.GetArray("values").ok());
  struct Wanted {
    std::string name;
    std::optional<SharedKind> likely;
    uint64_t length, keys;
  };
  const std::vector<Wanted> wanted = {
      {"text", SharedKind::kText, 3, 0},  {"formats", SharedKind::kText, 1, 0}, {"values", SharedKind::kArray, 2, 0},
      {"maps", SharedKind::kArray, 1, 0}, {"map", SharedKind::kMap, 0, 1},      {"xml", SharedKind::kXmlFragment, 1, 0},
      {"gone", std::nullopt, 0, 0},
  };
  const DocumentSummary summary = Summarize(reader);
  REQUIRE(summary.roots.size() == wanted.size());
  for (const Wanted& root : wanted) {
    CAPTURE(root.name);
    const auto found = std::find_if(summary.roots.begin(), summary.roots.end(),
                                    [&](const RootSummary& one) { return one.name == root.name; });
    REQUIRE(found != summary.roots.end());
    CHECK(found->likely == root.likely);
    CHECK(found->length == root.length);
    CHECK(found->keys == root.keys);
    CHECK(found->kind.has_value() == (root.name == "values"));
  }
  CHECK(summary.types[static_cast<size_t>(SharedKind::kMap)] == 2);
  CHECK(summary.types[static_cast<size_t>(SharedKind::kXmlElement)] == 1);
}

TEST_CASE("a document's structs are counted by what they hold and whether it shows", "[crdt]") {
  Doc doc({.client_id = 7, .gc = false});
  CHECK(doc.GetText("notes")->Insert(0, "Hello").ok());
  CHECK(doc.GetText("notes")->Delete(1, 3).ok());
  const auto of = [](const auto& counts, Content content) { return counts[static_cast<size_t>(content)]; };
  const DocumentSummary kept = Summarize(Untyped(doc, /*gc=*/false));
  CHECK(of(kept.live, Content::kString).structs == 2);
  CHECK(of(kept.live, Content::kString).units == 2);
  CHECK(of(kept.deleted, Content::kString).structs == 1);
  CHECK(of(kept.deleted, Content::kString).units == 3);
  const DocumentSummary collected = Summarize(Untyped(doc, /*gc=*/true));
  CHECK(of(collected.deleted, Content::kString).structs == 0);
  CHECK(of(collected.deleted, Content::kDeleted).units == 3);
  CHECK(Summarize(Doc()).roots.empty());
}

TEST_CASE("nothing is told behind a fault, also where another column goes on", "[crdt]") {
  // Of V2, an item whose origin has a clock but no client, and a deletion.
  const std::string update = absl::HexStringToBytes(
      "00000101010000018403017801000000"
      "010101"
      "0101010000");
  const Reading reading = Read(update, UpdateFormat::kV2);
  CHECK(reading.status.message() == "at byte 4: it ends too early");
  CHECK(reading.lines.empty());
}

TEST_CASE("a summary says what waits and where what it waits for would begin", "[crdt]") {
  Doc writer({.client_id = 7});
  std::vector<std::string> updates;
  const Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  CHECK(writer.GetText("notes")->Insert(0, "a").ok());
  CHECK(writer.GetText("notes")->Insert(1, "b").ok());
  CHECK(writer.GetText("notes")->Insert(2, "c").ok());
  CHECK(writer.GetText("notes")->Delete(2, 1).ok());
  Doc reader;
  CHECK(reader.Apply(updates[0], UpdateFormat::kV1).ok());
  CHECK(reader.Apply(updates[2], UpdateFormat::kV1).ok());
  CHECK(reader.Apply(updates[3], UpdateFormat::kV1).ok());
  DocumentSummary summary = Summarize(reader);
  CHECK(summary.pending_structs == 1);
  CHECK(summary.pending_deletes == 1);
  CHECK(summary.missing == std::vector<UnitId>{{7, 1}});
  CHECK(reader.Apply(updates[1], UpdateFormat::kV1).ok());
  summary = Summarize(reader);
  CHECK(summary.pending_structs == 0);
  CHECK(summary.pending_deletes == 0);
  CHECK(summary.missing.empty());
}

}  // namespace
}  // namespace rivermeet::crdt
