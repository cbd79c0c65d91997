#include "objects/file_object_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "fmt/format.h"
#include "objects/object_store_contract.h"
#include "testing/lossy_file_system.h"
#include "testing/temp_dir.h"

namespace rivermeet::objects {
namespace {

using testing::CrashMode;
using testing::LossyFileSystem;

std::unique_ptr<FileObjectStore> Open(const std::string& folder, files::FileSystem& fs = files::FileSystem::Posix()) {
  auto store = FileObjectStore::Open({.folder = folder, .fs = &fs});
  INFO(store.status().ToString());
  REQUIRE(store.ok());
  return std::move(store).value();
}

TEST_CASE("objects in files keep the contract of every object store", "[objects]") {
  const testing::TempDir folder;
  const auto store = Open(folder.path());
  CheckObjectStoreContract(*store);
}

TEST_CASE("an object can be read as a file of this machine", "[objects]") {
  const testing::TempDir folder;
  const auto store = Open(folder.path());
  REQUIRE(store->Put("a/b", "contents", TestDeadline()).ok());
  const auto path = store->LocalPath("a/b");
  REQUIRE(path);
  CHECK(files::ReadWholeFile(files::FileSystem::Posix(), *path).value() == "contents");
  CHECK_FALSE(store->LocalPath("../b"));
}

TEST_CASE("a key cannot be an object and a folder of objects", "[objects]") {
  const testing::TempDir folder;
  const auto store = Open(folder.path());
  REQUIRE(store->Put("a/b", "1", TestDeadline()).ok());
  CHECK(absl::IsInvalidArgument(store->Put("a", "2", TestDeadline())));
  CHECK(absl::IsInvalidArgument(store->Put("a/b/c", "3", TestDeadline())));
  CHECK(absl::IsInvalidArgument(store->PutIfAbsent("a", "2", TestDeadline())));
  CHECK(KeysOf(*store, "") == std::vector<std::string>{"a/b"});
}

TEST_CASE("one process has the folder, and what an interrupted put left is removed", "[objects]") {
  LossyFileSystem fs;
  {
    const auto store = Open("objects", fs);
    CHECK(FileObjectStore::Open({.folder = "objects", .fs = &fs}).status().code() ==
          absl::StatusCode::kFailedPrecondition);
  }
  REQUIRE(files::WriteWholeFile(fs, "objects/.incoming/7", "half").ok());
  const auto store = Open("objects", fs);
  CHECK(fs.List("objects/.incoming").value().empty());
}

TEST_CASE("no space is said, nothing is left behind, and the old object stays", "[objects]") {
  LossyFileSystem fs;
  const auto store = Open("objects", fs);
  REQUIRE(store->Put("k", "old", TestDeadline()).ok());
  fs.SetCapacity(100);
  CHECK(absl::IsResourceExhausted(store->Put("k", std::string(1000, 'n'), TestDeadline())));
  CHECK(fs.List("objects/.incoming").value().empty());
  fs.FailNext(testing::FileOperation::kSync, absl::UnavailableError("EIO"));
  CHECK(absl::IsUnavailable(store->Put("k", "new", TestDeadline())));
  CHECK(store->Get("k", TestDeadline()).value() == "old");
}

// Puts, replaces and removes until the file system stops; what a key may hold afterwards.
void Work(LossyFileSystem& fs, std::map<std::string, std::vector<std::string>>& may_hold) {
  const auto opened = FileObjectStore::Open({.folder = "objects", .fs = &fs});
  if (!opened.ok()) return;
  FileObjectStore& store = **opened;
  const std::string absent = "absent";
  for (int i = 0; i < 12; ++i) {
    const std::string key = fmt::format("a/{}", i % 4);
    std::vector<std::string>& allowed = may_hold[key];
    if (allowed.empty()) allowed.push_back(absent);
    const bool removes = i % 5 == 4;
    const std::string contents = removes ? absent : fmt::format("contents {}", i) + std::string(600, 'x');
    allowed.push_back(contents);
    const absl::Status done = removes ? store.Remove(key, TestDeadline()) : store.Put(key, contents, TestDeadline());
    // Once it is done, nothing before it may come back.
    if (done.ok()) allowed = {contents};
  }
}

TEST_CASE("an object that was put survives a power cut at any operation, and none is ever half there",
          "[objects][crash]") {
  std::vector<CrashMode> modes = {{}, {.torn_bytes = 1}, {.torn_bytes = 300}};
  for (uint64_t seed = 0; seed < 10; ++seed) modes.push_back({.seed = seed});
  bool done = false;
  for (int64_t stop = 0; !done; ++stop) {
    for (const CrashMode& mode : modes) {
      LossyFileSystem fs;
      std::map<std::string, std::vector<std::string>> may_hold;
      fs.StopAt(stop);
      Work(fs, may_hold);
      done = fs.operations() <= stop;
      fs.Crash(mode);
      const auto store = Open("objects", fs);
      for (const auto& [key, allowed] : may_hold) {
        const auto found = store->Get(key, TestDeadline());
        const std::string held = found.ok() ? *found : "absent";
        INFO("stopped at " << stop << ", " << key << " holds " << held.substr(0, 12));
        REQUIRE((found.ok() || absl::IsNotFound(found.status())));
        REQUIRE(std::find(allowed.begin(), allowed.end(), held) != allowed.end());
      }
    }
    REQUIRE(stop < 1000);
  }
}

// The child of the next test: run by it alone, for its crash point comes from the environment.
TEST_CASE("puts one object and ends", "[.killed]") {
  const auto store = Open(std::getenv("RIVERMEET_TEST_FOLDER"));
  CHECK(store->Put("k", "new", TestDeadline()).ok());
}

// The signal that ended the child, or 0.
int RunChild(const std::string& folder, const char* point) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("RIVERMEET_TEST_FOLDER", folder.c_str(), 1);
    setenv("RIVERMEET_CRASH_AT", point, 1);
    execl("/proc/self/exe", "objects_test", "[.killed]", "-o", "/dev/null", nullptr);
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("a process killed at any named point of a put leaves the old object or the new one", "[objects][crash]") {
  const std::map<const char*, std::string> left = {
      {"objects.put.before_write:1", "old"}, {"objects.put.before_sync:1", "old"},
      {"objects.put.after_sync:1", "old"},   {"objects.put.before_rename:1", "old"},
      {"objects.put.after_rename:1", "new"}, {"objects.put.after_sync_directory:1", "new"}};
  for (const auto& [point, expected] : left) {
    INFO(point);
    const testing::TempDir folder;
    REQUIRE(Open(folder.path())->Put("k", "old", TestDeadline()).ok());
    CHECK(RunChild(folder.path(), point) == SIGKILL);
    CHECK(Open(folder.path())->Get("k", TestDeadline()).value() == expected);
  }
}

TEST_CASE("a store open for reading only sees what another writes and changes nothing", "[objects]") {
  const testing::TempDir folder;
  auto writer = FileObjectStore::Open({.folder = folder.path()});
  auto reader = FileObjectStore::Open({.folder = folder.path(), .read_only = true});
  REQUIRE(writer.ok());
  REQUIRE(reader.ok());
  REQUIRE((*writer)->Put("a", "contents", absl::InfiniteFuture()).ok());
  CHECK((*reader)->Get("a", absl::InfiniteFuture()).value() == "contents");
  CHECK(absl::IsFailedPrecondition((*reader)->Put("a", "other", absl::InfiniteFuture())));
  CHECK(absl::IsFailedPrecondition((*reader)->PutIfAbsent("b", "other", absl::InfiniteFuture())));
  CHECK(absl::IsFailedPrecondition((*reader)->Remove("a", absl::InfiniteFuture())));
  CHECK((*writer)->Get("a", absl::InfiniteFuture()).value() == "contents");
}

}  // namespace
}  // namespace rivermeet::objects
