#include "objects/file_object_store.h"

#include <catch2/catch.hpp>

#include "testing/temp_dir.h"

namespace rivermeet::objects {
namespace {

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

TEST_CASE("an object is put, read, listed and removed", "[objects]") {
  const testing::TempDir folder;
  auto store = FileObjectStore::Open({.folder = folder.path()});
  REQUIRE(store.ok());
  REQUIRE((*store)->Put("a/b/c", "contents", Soon()).ok());
  CHECK((*store)->Get("a/b/c", Soon()).value() == "contents");
  CHECK(absl::IsAlreadyExists((*store)->PutIfAbsent("a/b/c", "other", Soon())));
  CHECK((*store)->List("a/", "", 10, Soon()).value().size() == 1);
  REQUIRE((*store)->Remove("a/b/c", Soon()).ok());
  CHECK(absl::IsNotFound((*store)->Get("a/b/c", Soon()).status()));
}

}  // namespace
}  // namespace rivermeet::objects
