#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "catch2/catch.hpp"
#include "crdt/any.h"
#include "crdt/update.h"
#include "crdt_tool/document_report.h"
#include "crdt_tool/test_sample.h"
#include "crdt_tool/update_report.h"
#include "testing/shared_data.h"

namespace rivermeet::crdt_tool {
namespace {

using crdt::Any;
using crdt::SharedKind;
using crdt::UpdateFormat;

UpdateFile File(const std::string& bytes, UpdateFormat format = UpdateFormat::kV1) { return {"it", bytes, format}; }

TEST_CASE("the sample files are the sample", "[crdt_tool]") {
  const crdt::Doc sample = Sample();
  if (std::getenv("RIVERMEET_UPDATE_DOCS") != nullptr) {
    std::ofstream(kSampleV1, std::ios::binary) << sample.EncodeState(UpdateFormat::kV1);
    std::ofstream(kSampleV2, std::ios::binary) << sample.EncodeState(UpdateFormat::kV2);
  }
  CHECK(FileText(kSampleV1) == sample.EncodeState(UpdateFormat::kV1));
  CHECK(FileText(kSampleV2) == sample.EncodeState(UpdateFormat::kV2));
}

TEST_CASE("the report of an update as JSON has what was counted", "[crdt_tool]") {
  const UpdateFile file = File(FileText(kSampleV1));
  const absl::StatusOr<Any> json = Any::FromJson("{" + UpdateReport::Of(file)->ToJson(file) + "}");
  REQUIRE(json.ok());
  const absl::StatusOr<Any> wanted = Any::FromJson(R"({
    "name": "it", "format": "V1", "bytes": 122, "structs": 8, "units": 20,
    "content": {"deleted": {"structs": 1, "units": 4, "bytes": 0}, "string": {"structs": 2, "units": 11, "bytes": 11},
                "format": {"structs": 2, "units": 2, "bytes": 10}, "type": {"structs": 1, "units": 1, "bytes": 0},
                "any": {"structs": 2, "units": 2, "bytes": 17}},
    "types": {"map": 1}, "roots": ["users", "notes"], "deletes": {"units": 4, "ranges": 1, "clients": 1},
    "clients": [{"client": 2, "from": 0, "to": 4, "structs": 4, "deleted": 0},
                {"client": 1, "from": 0, "to": 16, "structs": 4, "deleted": 4}]})");
  CHECK(*json->ToJson() == *wanted->ToJson());
}

TEST_CASE("gaps of an update are no structs of its clients, and blocks of a client count together", "[crdt_tool]") {
  crdt::Doc writer({.client_id = 7});
  std::vector<std::string> updates;
  const crdt::Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  for (int i = 0; i < 4; ++i) CHECK(writer.GetText("notes")->Insert(0, "ab").ok());
  const std::vector<std::string_view> some = {updates[1], updates[3]};
  const UpdateFile file = File(*crdt::MergeUpdates(some, UpdateFormat::kV1));
  const std::string json = UpdateReport::Of(file)->ToJson(file);
  CHECK(json.find(R"("skip":{"structs":1,"units":2,"bytes":0})") != std::string::npos);
  CHECK(json.find(R"("clients":[{"client":7,"from":2,"to":8,"structs":2,"deleted":0}])") != std::string::npos);
}

TEST_CASE("the report of an update shows up to 40 characters of a root's name", "[crdt_tool]") {
  crdt::Doc doc({.client_id = 7});
  const std::string shown(40, 'n'), cut(41, 'm');
  CHECK(doc.GetText(shown)->Insert(0, "a").ok());
  CHECK(doc.GetText(cut)->Insert(0, "b").ok());
  const UpdateFile file = File(doc.EncodeState(UpdateFormat::kV1));
  const std::string text = UpdateReport::Of(file)->ToText(file);
  CHECK(text.find('"' + shown + '"') != std::string::npos);
  CHECK(text.find('"' + cut.substr(0, 40) + "\"…") != std::string::npos);
}

TEST_CASE("a client that deletes in many places counts once", "[crdt_tool]") {
  crdt::Doc doc({.client_id = 7});
  CHECK(doc.GetText("notes")->Insert(0, "abcde").ok());
  CHECK(doc.GetText("notes")->Delete(3, 1).ok());
  CHECK(doc.GetText("notes")->Delete(1, 1).ok());
  const UpdateFile file = File(doc.EncodeState(UpdateFormat::kV1));
  CHECK(UpdateReport::Of(file)->ToJson(file).find(R"("deletes":{"units":2,"ranges":2,"clients":1})") !=
        std::string::npos);
}

TEST_CASE("of many clients the report shows those with the most structs and counts the others", "[crdt_tool]") {
  std::vector<std::string> updates;
  for (uint64_t client = 1; client <= 25; ++client) {
    crdt::Doc doc({.client_id = client});
    // At the front, so that they stay structs of their own.
    for (uint64_t i = 0; i < client; ++i) CHECK(doc.GetText("notes")->Insert(0, "a").ok());
    updates.push_back(doc.EncodeState(UpdateFormat::kV1));
  }
  const std::vector<std::string_view> all(updates.begin(), updates.end());
  const UpdateFile file = File(*crdt::MergeUpdates(all, UpdateFormat::kV1));
  const std::string text = UpdateReport::Of(file)->ToText(file);
  CHECK(text.find("\n25 ") < text.find("\n24 "));
  CHECK(text.find("\n6 ") != std::string::npos);
  CHECK(text.find("\n5 ") == std::string::npos);
  CHECK(text.ends_with("and 5 more: --json has all\n"));
}

TEST_CASE("a report of what can't be read is the error with its byte", "[crdt_tool]") {
  const std::string bytes = FileText(kSampleV1);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const UpdateFile cut = File(bytes.substr(0, size));
    const absl::Status status = crdt::CheckUpdate(cut.bytes, cut.format);
    REQUIRE_FALSE(status.ok());
    CHECK(UpdateReport::Of(cut).status() == OfFile(status, cut));
    CHECK(Load(cut, /*gc=*/true).status() == OfFile(status, cut));
  }
}

TEST_CASE("a document's roots are told as named, and guessed otherwise", "[crdt_tool]") {
  const UpdateFile file = File(FileText(kSampleV2), UpdateFormat::kV2);
  crdt::Doc guessed = *Load(file, /*gc=*/true);
  CHECK(*RootsJson(guessed, {}) == R"({"users":{"bob":{"since":1952},"ada":"Ada Lovelace"},"notes":"Hello world"})");
  crdt::Doc named = *Load(file, /*gc=*/true);
  CHECK(*RootsJson(named, {{"notes", SharedKind::kArray}, {"users", SharedKind::kXmlFragment}}) ==
        R"({"users":"","notes":["H","e","l","l","o"," ","w","o","r","l","d"]})");
}

TEST_CASE("a root that isn't there, or is named as two kinds, is an error", "[crdt_tool]") {
  crdt::Doc doc = *Load(File(FileText(kSampleV1)), /*gc=*/true);
  CHECK(RootsJson(doc, {{"note", SharedKind::kText}}).status() ==
        absl::InvalidArgumentError("there is no root \"note\"; it has \"users\", \"notes\""));
  CHECK(RootsJson(doc, {{"notes", SharedKind::kText}, {"notes", SharedKind::kMap}}).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  crdt::Doc empty;
  CHECK(RootsJson(empty, {{"a", SharedKind::kText}}).status() ==
        absl::InvalidArgumentError("there is no root \"a\"; it has none"));
}

TEST_CASE("a bigint is a text of its digits", "[crdt_tool]") {
  crdt::Doc writer({.client_id = 7});
  CHECK(writer.GetMap("map")->Set("big", Any(Any::BigInt{1'234})).ok());
  crdt::Doc doc = *Load(File(writer.EncodeState(UpdateFormat::kV1)), /*gc=*/true);
  CHECK(*RootsJson(doc, {}) == R"({"map":{"big":"1234"}})");
}

TEST_CASE("the report of a document says what waits for which clock", "[crdt_tool]") {
  crdt::Doc writer({.client_id = 7});
  std::vector<std::string> updates;
  const crdt::Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  CHECK(writer.GetText("notes")->Insert(0, "abc").ok());
  CHECK(writer.GetText("notes")->Insert(3, "d").ok());
  const crdt::Doc doc = *Load(File(updates[1]), /*gc=*/false);
  CHECK(WaitingText(Summarize(doc)) == "1 structs and 0 deleted ranges wait for client 7 from clock 0");
  CHECK(DocumentText(doc).find("waiting   1 structs and 0") != std::string::npos);
  CHECK(DocumentJson(doc).find(R"("waiting":{"structs":1,"deletes":0,"missing":[{"client":7,"from":0}]})") !=
        std::string::npos);
  CHECK(WaitingText(Summarize(crdt::Doc())).empty());
}

TEST_CASE("the report of a document as JSON has roots, contents and memory", "[crdt_tool]") {
  const crdt::Doc doc = *Load(File(FileText(kSampleV1)), /*gc=*/false);
  const absl::StatusOr<Any> json = Any::FromJson(DocumentJson(doc));
  REQUIRE(json.ok());
  CHECK(*json->Find("memoryBytes")->number() == static_cast<double>(doc.MemoryBytes()));
  CHECK(*json->Find("structs")->number() == 8);
  CHECK(*json->Find("types")->ToJson() == R"({"map":1})");
  CHECK(*json->Find("roots")->ToJson() == R"([{"name":"users","looksLike":"map","length":0,"keys":2},)"
                                          R"({"name":"notes","looksLike":"text","length":11,"keys":0}])");
  CHECK(*json->Find("content")->Find("deleted")->ToJson() ==
        R"({"structs":0,"units":0,"deletedStructs":1,"deletedUnits":4})");
}

TEST_CASE("the real traces are read without an option, and both reports agree", "[crdt_tool]") {
  const std::string folder = testing::SharedDataPath("yjs/");
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: " << folder << " isn't there: tests/load/crdt/README.md says how to get it");
    return;
  }
  struct Trace {
    const char* name;
    UpdateFormat format;
    uint64_t structs, units, clients;
  };
  for (const Trace& trace : {Trace{"S1.yjs", UpdateFormat::kV2, 32'913, 546'945, 1},
                             Trace{"A1.yjs", UpdateFormat::kV2, 51'106, 488'767, 192},
                             Trace{"b4-update.bin", UpdateFormat::kV1, 12'387, 182'315, 1}}) {
    CAPTURE(trace.name);
    const UpdateFile file = *ReadUpdateFile(folder + trace.name, std::nullopt);
    CHECK(file.format == trace.format);
    const Any json = *Any::FromJson("{" + UpdateReport::Of(file)->ToJson(file) + "}");
    CHECK(*json.Find("structs")->number() == static_cast<double>(trace.structs));
    CHECK(*json.Find("units")->number() == static_cast<double>(trace.units));
    CHECK(json.Find("clients")->array()->size() == trace.clients);
    crdt::Doc doc = *Load(file, /*gc=*/false);
    CHECK(doc.StructCount() == trace.structs);
    const Any roots = *Any::FromJson(*RootsJson(doc, {}));
    CHECK(roots.Find("text")->text()->size() > 30'000);
  }
}

}  // namespace
}  // namespace rivermeet::crdt_tool
