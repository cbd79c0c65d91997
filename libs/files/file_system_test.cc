#include "files/file_system.h"

#include <catch2/catch.hpp>

#include "testing/temp_dir.h"

namespace rivermeet::files {
namespace {

TEST_CASE("what is appended in many pieces is read back at any position", "[files]") {
  const testing::TempDir folder;
  FileSystem& fs = FileSystem::Posix();
  std::vector<std::string_view> pieces(2000, "abc");
  pieces[7] = "";
  {
    auto file = fs.OpenForAppend(folder / "f", OpenMode::kCreateNew);
    REQUIRE(file.ok());
    REQUIRE((*file)->Append(pieces).ok());
    CHECK((*file)->Size() == 1999 * 3);
    REQUIRE((*file)->Truncate(3000).ok());
    REQUIRE((*file)->Append("end").ok());
    REQUIRE((*file)->Sync().ok());
  }
  const auto contents = ReadWholeFile(fs, folder / "f");
  REQUIRE(contents.ok());
  CHECK(contents->size() == 3003);
  CHECK(contents->substr(2997) == "abcend");
  auto file = fs.OpenForRead(folder / "f");
  REQUIRE(file.ok());
  char to[10];
  CHECK((*file)->ReadAt(3000, to).value() == 3);
  CHECK((*file)->ReadAt(5000, to).value() == 0);
}

TEST_CASE("errors say which file and what is wrong with it", "[files]") {
  const testing::TempDir folder;
  FileSystem& fs = FileSystem::Posix();
  const auto missing = fs.OpenForRead(folder / "nothing");
  CHECK(missing.status().code() == absl::StatusCode::kNotFound);
  CHECK(std::string(missing.status().message()).find("nothing") != std::string::npos);
  REQUIRE(WriteWholeFile(fs, folder / "a", "1").ok());
  CHECK(absl::IsAlreadyExists(fs.OpenForAppend(folder / "a", OpenMode::kCreateNew).status()));
  REQUIRE(WriteWholeFile(fs, folder / "b", "2").ok());
  CHECK(absl::IsAlreadyExists(fs.RenameIfAbsent(folder / "a", folder / "b")));
  CHECK(ReadWholeFile(fs, folder / "b").value() == "2");
  CHECK(fs.List(folder.path()).value() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a lock is held by one holder at a time", "[files]") {
  const testing::TempDir folder;
  FileSystem& fs = FileSystem::Posix();
  auto first = fs.Lock(folder / ".lock");
  REQUIRE(first.ok());
  CHECK(fs.Lock(folder / ".lock").status().code() == absl::StatusCode::kFailedPrecondition);
  first->reset();
  CHECK(fs.Lock(folder / ".lock").ok());
}

TEST_CASE("folders are made with all that is missing above them", "[files]") {
  const testing::TempDir folder;
  FileSystem& fs = FileSystem::Posix();
  REQUIRE(fs.CreateFolders(folder / "a/b/c").ok());
  REQUIRE(fs.CreateFolders(folder / "a/b/c").ok());
  CHECK(fs.IsFolder(folder / "a/b/c").value());
  REQUIRE(WriteWholeFile(fs, folder / "a/file", "").ok());
  CHECK_FALSE(fs.CreateFolders(folder / "a/file").ok());
  CHECK_FALSE(fs.CreateFolders(folder / "a/file/below").ok());
  CHECK(fs.FreeBytes(folder.path()).value() > 0);
}

}  // namespace
}  // namespace rivermeet::files
