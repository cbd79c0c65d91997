#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "base/strings.h"
#include "readout.h"
#include "table_inputs.h"
#include "testing/shared_data.h"
#include "testing/temp_dir.h"
#include "trace_files.h"

namespace rivermeet::load {
namespace {

using namespace std::string_view_literals;
using Kind = TableOperation::Kind;

std::string Perform(std::string text, const std::vector<TableOperation>& operations) {
  for (const TableOperation& operation : operations) {
    if (operation.kind == Kind::kDeleteText) {
      text.erase(operation.index, operation.length);
    } else {
      text.insert(operation.index, operation.text);
    }
  }
  return text;
}

std::string HashOf(std::string_view text) {
  Fnv1a hash;
  hash.Add(text);
  return hash.Hex();
}

std::string CheckOfText(const std::string& text) {
  Fnv1a units;
  ReadAtRandom(text.size(), [&](uint64_t index) { units.AddUnit(static_cast<uint8_t>(text[index])); });
  return HashOf(text) + "-" + units.Hex();
}

std::string CheckOfNumbers(const std::vector<TableOperation>& operations) {
  std::vector<uint32_t> array;
  for (const TableOperation& operation : operations) {
    array.insert(array.begin() + operation.index, operation.numbers.begin(), operation.numbers.end());
  }
  Fnv1a elements;
  ReadAtRandom(array.size(), [&](uint64_t index) { elements.Add(fmt::format("{}", array[index])); });
  return HashOf(fmt::format("[{}]", fmt::join(array, ","))) + "-" + elements.Hex();
}

std::string Write(const testing::TempDir& folder, std::string_view bytes) {
  const std::string path = folder / "file";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// The checks that yjs 13.6.33 and yrs 0.28.1 printed for the inputs that peers/js and peers/yrs made.
TEST_CASE("one user's inputs are those that the peers make", "[crdt_bench]") {
  const std::map<std::string, std::string> texts = {
      {"B1.1", "496142428f1c7504-843b914b8dd9ccb5"}, {"B1.2", "0fe3ecfab8c781d0-634cfeb41ff2973a"},
      {"B1.3", "01a520d5c60d59c4-e684c85b67045672"}, {"B1.4", "e4dce228ce747886-bf2d991802fcaaeb"},
      {"B1.5", "5e8d1d9e21479c59-1fdd8f5a32d6c67a"}, {"B1.6", "cbf29ce484222325-cbf29ce484222325"},
      {"B1.7", "1fd0426220dfb7aa-4e550ebfa7cf1cd8"}};
  const std::map<std::string, std::string> arrays = {{"B1.8", "ada8d759849fd25b-934d6d32e92eaeb5"},
                                                     {"B1.9", "4db7208bc8c0759b-2b76ca9bc183faa8"},
                                                     {"B1.10", "9c2555b5bf56efe0-9205f30b69ac5cd5"},
                                                     {"B1.11", "383ace5ef2d13d56-2c36b3384cdd30a6"}};

  for (const auto& [line, check] : texts) CHECK(CheckOfText(Perform("", OneUser(line))) == check);
  for (const auto& [line, check] : arrays) CHECK(CheckOfNumbers(OneUser(line)) == check);
}

TEST_CASE("two users' inputs are those that the peers make", "[crdt_bench]") {
  const std::map<std::string, std::pair<std::string, std::string>> lines = {
      {"B2.1", {"97185341377a6b6c", "884b4a919fc02239"}},
      {"B2.2", {"c0b3b88050dafc51", "37955818f68fc1ba"}},
      {"B2.3", {"a89e346a605c8c7d", "f6821386f60dbab0"}},
      {"B2.4", {"038cbde809d92262", "31fb40c5812751b0"}}};

  for (const auto& [line, hashes] : lines) {
    const TwoUsersInput input = TwoUsers(line);
    CHECK(HashOf(Perform(input.start, input.first)) == hashes.first);
    CHECK(HashOf(Perform(input.start, input.second)) == hashes.second);
  }
}

TEST_CASE("each of many users does one thing", "[crdt_bench]") {
  CHECK(ManyUsers("B3.1")[1'539].numbers == std::vector<uint32_t>{1'539});
  CHECK(ManyUsers("B3.2")[7].text == "7");
  CHECK(ManyUsers("B3.3")[12].text.size() == 2 * 1'540);
  CHECK(ManyUsers("B3.4")[12].kind == Kind::kInsertString);
  CHECK(ManyUsers("B3.5").size() == kTableUsers);
}

TEST_CASE("insertions and deletions of a trace are read", "[crdt_bench]") {
  const testing::TempDir folder;

  const auto edits = ReadEdits(Write(folder, "\x02\x01\x00\x02hi\x02\x80\x01\x03"sv));

  REQUIRE(edits.ok());
  REQUIRE(edits->size() == 2);
  CHECK((*edits)[0].text == "hi");
  CHECK((*edits)[1].index == 128);
  CHECK((*edits)[1].deleted == 3);
}

TEST_CASE("updates are read with their lengths", "[crdt_bench]") {
  const testing::TempDir folder;

  const auto updates = ReadUpdates(Write(folder, std::string_view("\x02\x03"
                                                                  "abc"
                                                                  "\x00",
                                                                  6)));

  REQUIRE(updates.ok());
  CHECK(*updates == std::vector<std::string>{"abc", ""});
}

TEST_CASE("a file that is cut, longer or of another kind is refused", "[crdt_bench]") {
  const testing::TempDir folder;
  for (const std::string_view bytes : {std::string_view("\x02\x03"
                                                        "abc",
                                                        5),
                                       std::string_view("\x01\x01"
                                                        "ab",
                                                        4),
                                       "\x01\xff\xff\xff"sv, ""sv}) {
    CHECK(ReadUpdates(Write(folder, bytes)).status().code() == absl::StatusCode::kDataLoss);
  }
  CHECK(ReadEdits(Write(folder, "\x01\x03\x00\x01"sv)).status().code() == absl::StatusCode::kDataLoss);
  CHECK(ReadUpdates(folder / "missing").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("the B4 trace is read whole", "[crdt_bench]") {
  const auto edits = ReadEdits(testing::SharedDataPath("yjs/b4-editing-trace.bin"));
  if (absl::IsNotFound(edits.status())) {
    WARN("skipped: " << MessageOf(edits.status()) << ": tests/load/crdt/README.md says how to get it");
    return;
  }

  REQUIRE(edits.ok());
  size_t insertions = 0;
  for (const Edit& edit : *edits) insertions += edit.text.empty() ? 0 : 1;
  CHECK(edits->size() == 259'778);
  CHECK(insertions == 182'315);
}

}  // namespace
}  // namespace rivermeet::load
