// The examples in docs/formats/yjs-*.md: each is what this library reads and writes.
//
// An example begins with a heading "### Example N: ..." and has fenced blocks: "hex v1" and "hex v2", the bytes of one
// update, whose lines end in " | explanation"; "json", what is true of it. The object's members, all optional:
//   after         numbers of examples that are applied before it
//   then          updates (V1) that are applied after it
//   text, length  of roots, by name, then
//   stateVector, snapshot   of the document then; snapshot is in V1
//   pending       true: something waits
//   same          true: the document's whole state, in both formats, is these bytes
//   last          true: so is what the transaction sends
//   stateVectorOf of the update alone
//   since         {"example": N, "stateVector": S}: the bytes are the difference of example N to S
//   merges        updates (V1): the bytes are their merged update
//   convertsTo    what V1 made from the V2 is, and V2 from the V1; without it both are the other block
// Blocks "hex v1 refused" and "hex v2 refused" have an update a line that nothing accepts, and the error.
// A block "hex any" has a value a line: bytes, perhaps "-> canonical bytes", and what it is.
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/any.h"
#include "crdt/doc.h"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

std::string FromHex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits.push_back(c);
  }
  REQUIRE(digits.size() % 2 == 0);
  REQUIRE(digits.find_first_not_of("0123456789abcdef") == std::string::npos);
  return absl::HexStringToBytes(digits);
}
std::string ToHex(std::string_view bytes) { return absl::BytesToHexString({bytes.data(), bytes.size()}); }

struct Example {
  std::string v1, v2;
  Any expected;
};

struct Value {
  std::string bytes, canonical, meaning;
};

struct Refused {
  UpdateFormat format = UpdateFormat::kV1;
  std::string bytes, error;
};

struct Documents {
  std::map<int, Example> examples;
  std::vector<Refused> refused;
  std::vector<Value> values;
};

// What stands before and after `separator`; nothing after when it isn't there.
std::pair<std::string_view, std::string_view> Cut(std::string_view line, std::string_view separator) {
  const size_t at = line.find(separator);
  if (at == std::string_view::npos) return {line, {}};
  return {line.substr(0, at), line.substr(at + separator.size())};
}

void AddValue(std::string_view line, Documents& documents) {
  const auto [bytes, meaning] = Cut(line, " | ");
  const auto [read, written] = Cut(bytes, "->");
  documents.values.push_back({FromHex(read), FromHex(written.empty() ? read : written), std::string(meaning)});
}

void AddBlock(std::string_view kind, const std::vector<std::string>& lines, int number, Documents& documents) {
  if (kind == "hex any") {
    for (const std::string& line : lines) AddValue(line, documents);
  } else if (kind == "hex v1" || kind == "hex v2") {
    std::string& bytes = kind == "hex v1" ? documents.examples[number].v1 : documents.examples[number].v2;
    REQUIRE(bytes.empty());
    for (const std::string& line : lines) bytes += FromHex(Cut(line, " | ").first);
  } else if (kind == "hex v1 refused" || kind == "hex v2 refused") {
    const UpdateFormat format = kind == "hex v1 refused" ? UpdateFormat::kV1 : UpdateFormat::kV2;
    for (const std::string& line : lines) {
      const auto [bytes, error] = Cut(line, " | ");
      documents.refused.push_back({format, FromHex(bytes), std::string(error)});
    }
  } else if (kind == "json" && number > 0) {
    std::string json;
    for (const std::string& line : lines) json += line;
    const absl::StatusOr<Any> expected = Any::FromJson(json);
    REQUIRE(expected.ok());
    documents.examples[number].expected = *expected;
  }
}

constexpr std::string_view kHeading = "### Example ";

void Read(const std::string& path, Documents& documents) {
  std::ifstream file(path);
  REQUIRE(file.is_open());
  std::string kind;
  bool inside = false;
  std::vector<std::string> lines;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      if (inside) AddBlock(kind, lines, number, documents);
      inside = !inside;
      kind = line.substr(3);
      lines.clear();
    } else if (inside) {
      lines.push_back(line);
    } else if (line.starts_with(kHeading)) {
      number = std::stoi(line.substr(kHeading.size()));
      REQUIRE(!documents.examples.contains(number));
    }
  }
}

Documents ReadAll() {
  Documents documents;
  for (const char* path :
       {"docs/formats/yjs-update.md", "docs/formats/yjs-algorithm.md", "docs/formats/yjs-examples.md"}) {
    Read(path, documents);
  }
  return documents;
}

std::string Text(const Any& of, std::string_view key) {
  const Any* found = of.Find(key);
  return found == nullptr || found->text() == nullptr ? "" : *found->text();
}
bool Flag(const Any& of, std::string_view key) {
  const Any* found = of.Find(key);
  return found != nullptr && found->boolean() != nullptr && *found->boolean();
}
std::vector<int> Numbers(const Any& of, std::string_view key) {
  std::vector<int> numbers;
  const Any* found = of.Find(key);
  if (found == nullptr) return numbers;
  for (const Any& number : *found->array()) numbers.push_back(static_cast<int>(*number.number()));
  return numbers;
}

const std::string& BytesOf(const Example& example, UpdateFormat format) {
  return format == UpdateFormat::kV1 ? example.v1 : example.v2;
}
UpdateFormat Other(UpdateFormat format) { return format == UpdateFormat::kV1 ? UpdateFormat::kV2 : UpdateFormat::kV1; }

void CheckDocument(const std::map<int, Example>& examples, const Example& example, UpdateFormat format) {
  const Any& expected = example.expected;
  Doc doc;
  for (const int number : Numbers(expected, "after")) {
    REQUIRE(doc.Apply(BytesOf(examples.at(number), format), format).ok());
  }
  std::map<UpdateFormat, std::string> told;
  std::vector<Subscription> subscriptions;
  for (const UpdateFormat heard : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    subscriptions.push_back(
        doc.OnUpdate(heard, [&told, heard](std::string_view update, std::string_view) { told[heard] = update; }));
  }
  REQUIRE(doc.Apply(BytesOf(example, format), format).ok());
  if (Flag(expected, "last")) {
    CHECK(ToHex(told[UpdateFormat::kV1]) == ToHex(example.v1));
    CHECK(ToHex(told[UpdateFormat::kV2]) == ToHex(example.v2));
  }
  if (const Any* then = expected.Find("then"); then != nullptr) {
    for (const Any& update : *then->array()) REQUIRE(doc.Apply(FromHex(*update.text()), UpdateFormat::kV1).ok());
  }
  if (const Any* texts = expected.Find("text"); texts != nullptr) {
    for (const auto& [root, text] : *texts->object()) CHECK(doc.FindRoot(root)->PlainText() == *text.text());
  }
  if (const Any* lengths = expected.Find("length"); lengths != nullptr) {
    for (const auto& [root, length] : *lengths->object())
      CHECK(doc.FindRoot(root)->length() == static_cast<uint64_t>(*length.number()));
  }
  CHECK(ToHex(doc.EncodeStateVector()) == Text(expected, "stateVector"));
  if (expected.Find("snapshot") != nullptr)
    CHECK(ToHex(doc.EncodeSnapshot(UpdateFormat::kV1)) == Text(expected, "snapshot"));
  CHECK(doc.HasPending() == Flag(expected, "pending"));
  if (Flag(expected, "same")) {
    CHECK(ToHex(doc.EncodeState(UpdateFormat::kV1)) == ToHex(example.v1));
    CHECK(ToHex(doc.EncodeState(UpdateFormat::kV2)) == ToHex(example.v2));
  }
}

void CheckUpdateAlone(const std::map<int, Example>& examples, const Example& example, UpdateFormat format) {
  const Any& expected = example.expected;
  const auto converted = ConvertUpdate(BytesOf(example, Other(format)), Other(format), format);
  REQUIRE(converted.ok());
  const Any* converts_to = expected.Find("convertsTo");
  const std::string wanted = converts_to == nullptr
                                 ? ToHex(BytesOf(example, format))
                                 : *converts_to->array()->at(format == UpdateFormat::kV1 ? 0 : 1).text();
  CHECK(ToHex(*converted) == wanted);
  if (expected.Find("stateVectorOf") != nullptr) {
    const auto state_vector = EncodeStateVectorFromUpdate(BytesOf(example, format), format);
    REQUIRE(state_vector.ok());
    CHECK(ToHex(*state_vector) == Text(expected, "stateVectorOf"));
  }
  if (const Any* since = expected.Find("since"); since != nullptr) {
    const Example& whole = examples.at(static_cast<int>(*since->Find("example")->number()));
    const auto difference = DiffUpdate(BytesOf(whole, format), FromHex(Text(*since, "stateVector")), format);
    REQUIRE(difference.ok());
    CHECK(ToHex(*difference) == ToHex(BytesOf(example, format)));
  }
  if (expected.Find("merges") != nullptr) {
    std::vector<std::string> merged_from;
    for (const Any& update : *expected.Find("merges")->array()) {
      merged_from.push_back(*ConvertUpdate(FromHex(*update.text()), UpdateFormat::kV1, format));
    }
    const std::vector<std::string_view> updates(merged_from.begin(), merged_from.end());
    const auto merged = MergeUpdates(updates, format);
    REQUIRE(merged.ok());
    CHECK(ToHex(*merged) == ToHex(BytesOf(example, format)));
  }
}

TEST_CASE("the format documents' examples are true", "[crdt]") {
  const Documents documents = ReadAll();
  CHECK(documents.examples.size() >= 10);
  for (const auto& [number, example] : documents.examples) {
    CAPTURE(number);
    REQUIRE(example.expected.object() != nullptr);
    for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
      CAPTURE(static_cast<int>(format));
      REQUIRE(!BytesOf(example, format).empty());
      CheckDocument(documents.examples, example, format);
      CheckUpdateAlone(documents.examples, example, format);
    }
  }
}

TEST_CASE("what the format documents call malformed is refused for that reason", "[crdt]") {
  const Documents documents = ReadAll();
  CHECK(documents.refused.size() >= 10);
  for (const Refused& refused : documents.refused) {
    CAPTURE(ToHex(refused.bytes));
    Doc doc;
    CHECK(doc.Apply(refused.bytes, refused.format).message() == refused.error);
    CHECK(ToHex(doc.EncodeState(UpdateFormat::kV1)) == "0000");
    CHECK(CheckUpdate(refused.bytes, refused.format).message() == refused.error);
  }
}

TEST_CASE("the format documents' values are true", "[crdt]") {
  const Documents documents = ReadAll();
  CHECK(documents.values.size() >= 10);
  for (const Value& value : documents.values) {
    CAPTURE(value.meaning);
    const absl::StatusOr<Any> read = Any::Decode(value.bytes);
    REQUIRE(read.ok());
    CHECK(ToHex(read->Encode()) == ToHex(value.canonical));
    // Not all of them are values that JSON has.
    if (const absl::StatusOr<Any> json = Any::FromJson(value.meaning); json.ok())
      CHECK(ToHex(json->Encode()) == ToHex(value.canonical));
  }
}

}  // namespace
}  // namespace rivermeet::crdt
