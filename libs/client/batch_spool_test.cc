#include "client/batch_spool.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "testing/temp_dir.h"

namespace rivermeet::client {
namespace {

std::unique_ptr<BatchSpool> OpenSpool(const testing::TempDir& folder, uint64_t max_bytes = 1 << 20) {
  auto spool = BatchSpool::Open(folder.path(), max_bytes);
  REQUIRE(spool.ok());
  return *std::move(spool);
}

SpooledBatch Batch(uint64_t sequence, size_t bytes = 100) {
  return {.sender = 7, .sequence = sequence, .events = 10, .payload = std::string(bytes, static_cast<char>(sequence))};
}

std::vector<uint64_t> DrainSequences(BatchSpool& spool) {
  std::vector<uint64_t> sequences;
  while (true) {
    auto taken = spool.Take();
    REQUIRE(taken.ok());
    if (!taken->has_value()) return sequences;
    for (const SpooledBatch& batch : (*taken)->batches) sequences.push_back(batch.sequence);
    REQUIRE(spool.Forget((*taken)->file).ok());
  }
}

std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
  std::vector<uint64_t> range;
  for (uint64_t i = first; i <= last; ++i) range.push_back(i);
  return range;
}

TEST_CASE("batches come out in the order they went in, over many files", "[spool]") {
  const testing::TempDir folder;
  const auto spool = OpenSpool(folder);
  for (uint64_t i = 1; i <= 1000; ++i) REQUIRE(spool->Append(Batch(i)).ok());
  CHECK(DrainSequences(*spool) == Range(1, 1000));
  CHECK(spool->empty());
  CHECK(spool->size_bytes() == 0);
}

TEST_CASE("what was not forgotten is there after a restart", "[spool]") {
  const testing::TempDir folder;
  {
    const auto spool = OpenSpool(folder);
    for (uint64_t i = 1; i <= 500; ++i) REQUIRE(spool->Append(Batch(i)).ok());
    REQUIRE(spool->SetProducer(7, 99).ok());
    REQUIRE(spool->Take().ok());  // taken, never answered
  }
  const auto spool = OpenSpool(folder);
  CHECK(spool->ProducerOf(7) == 99);
  CHECK(DrainSequences(*spool) == Range(1, 500));
  CHECK(spool->dropped_events() == 0);
}

TEST_CASE("batches put before come before the rest and after what is taken, also after a restart", "[spool]") {
  const testing::TempDir folder;
  {
    const auto spool = OpenSpool(folder);
    for (uint64_t i = 1; i <= 400; ++i) REQUIRE(spool->Append(Batch(i)).ok());
    const auto taken = spool->Take();
    REQUIRE(taken.ok());
    REQUIRE(spool->Prepend({Batch(1001), Batch(1002)}).ok());
    CHECK((*taken)->batches.front().sequence == 1);
  }
  const auto spool = OpenSpool(folder);
  const std::vector<uint64_t> sequences = DrainSequences(*spool);
  REQUIRE(sequences.size() == 402);
  CHECK(sequences.front() == 1);
  const auto at = std::find(sequences.begin(), sequences.end(), 1001u);
  REQUIRE(at != sequences.end());
  CHECK(*(at + 1) == 1002);
  CHECK(at - sequences.begin() < 400);
  CHECK(sequences.back() == 400);
}

TEST_CASE("over its bound the spool drops the oldest and counts their events", "[spool]") {
  const testing::TempDir folder;
  const auto spool = OpenSpool(folder, 64 << 10);
  for (uint64_t i = 1; i <= 2000; ++i) REQUIRE(spool->Append(Batch(i)).ok());
  CHECK(spool->size_bytes() <= 64 << 10);
  const uint64_t dropped = spool->dropped_events() / 10;
  const std::vector<uint64_t> sequences = DrainSequences(*spool);
  CHECK(sequences == Range(dropped + 1, 2000));
  CHECK(dropped > 1000);
}

TEST_CASE("a tail torn at any byte costs the torn batch alone", "[spool]") {
  const testing::TempDir folder;
  {
    const auto spool = OpenSpool(folder);
    for (uint64_t i = 1; i <= 3; ++i) REQUIRE(spool->Append(Batch(i)).ok());
  }
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".spool") file = entry.path();
  }
  const auto size = std::filesystem::file_size(file);
  for (size_t cut = 1; cut <= size / 3; cut += 7) {
    std::filesystem::resize_file(file, size - cut);
    const auto spool = OpenSpool(folder);
    auto taken = spool->Take();
    REQUIRE(taken.ok());
    CHECK((*taken)->batches.size() == 2);
    // Not forgotten: the file stays for the next, shorter cut.
  }
}

TEST_CASE("a second process can't have the same folder", "[spool]") {
  const testing::TempDir folder;
  const auto spool = OpenSpool(folder);
  CHECK(absl::IsFailedPrecondition(BatchSpool::Open(folder.path(), 1 << 20).status()));
}

TEST_CASE("a folder that can't be made is said with its name", "[spool]") {
  const auto spool = BatchSpool::Open("/proc/rivermeet-spool", 1 << 20);
  CHECK(absl::IsUnavailable(spool.status()));
  CHECK(std::string(spool.status().message()).find("/proc/rivermeet-spool") != std::string::npos);
}

}  // namespace
}  // namespace rivermeet::client
