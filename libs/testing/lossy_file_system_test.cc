#include "testing/lossy_file_system.h"

#include <catch2/catch.hpp>

namespace rivermeet::testing {
namespace {

std::unique_ptr<files::AppendFile> Make(LossyFileSystem& fs, const std::string& path) {
  auto file = fs.OpenForAppend(path, files::OpenMode::kOpenOrCreate);
  REQUIRE(file.ok());
  return std::move(file).value();
}

TEST_CASE("a crash drops contents that were not synced and names whose folder was not", "[testing]") {
  LossyFileSystem fs;
  REQUIRE(fs.CreateFolders("d").ok());
  const auto kept = Make(fs, "d/kept");
  REQUIRE(kept->Append("synced").ok());
  REQUIRE(kept->Sync().ok());
  REQUIRE(fs.SyncDirectory("d").ok());
  REQUIRE(kept->Append(" and not").ok());
  const auto nameless = Make(fs, "d/nameless");
  REQUIRE(nameless->Append("x").ok());
  REQUIRE(nameless->Sync().ok());
  REQUIRE(fs.Rename("d/kept", "d/renamed").ok());
  fs.Crash();
  CHECK(fs.List("d").value() == std::vector<std::string>{"kept"});
  CHECK(files::ReadWholeFile(fs, "d/kept").value() == "synced");
  CHECK_FALSE(kept->Append("ghost").ok());
}

TEST_CASE("the last unsynced write is torn where it is asked to be", "[testing]") {
  LossyFileSystem fs;
  const auto file = Make(fs, "f");
  REQUIRE(fs.SyncDirectory(".").ok());
  REQUIRE(file->Append("0123456789").ok());
  fs.Crash({.torn_bytes = 4});
  CHECK(files::ReadWholeFile(fs, "f").value() == "0123");
}

TEST_CASE("operations from the chosen one on fail until the crash", "[testing]") {
  LossyFileSystem fs;
  fs.StopAt(2);
  const auto file = Make(fs, "f");          // 0
  REQUIRE(file->Append("a").ok());          // 1
  CHECK_FALSE(file->Sync().ok());           // 2
  CHECK_FALSE(fs.SyncDirectory(".").ok());  // 3
  CHECK(fs.operations() == 4);
  fs.Crash();
  CHECK(fs.List(".").value().empty());
}

TEST_CASE("a full disk takes what fits, and a failed sync is final for its file", "[testing]") {
  LossyFileSystem fs;
  fs.SetCapacity(5);
  const auto file = Make(fs, "f");
  CHECK(absl::IsResourceExhausted(file->Append("0123456789")));
  CHECK(file->Size() == 5);
  fs.FailNext(FileOperation::kSync, absl::UnavailableError("EIO"));
  CHECK_FALSE(file->Sync().ok());
  CHECK_FALSE(file->Sync().ok());
}

}  // namespace
}  // namespace rivermeet::testing
