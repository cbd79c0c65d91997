// What every ObjectStore does, as a test: call CheckObjectStoreContract() from a test case of each implementation.
#ifndef RIVERMEET_OBJECTS_OBJECT_STORE_CONTRACT_H_
#define RIVERMEET_OBJECTS_OBJECT_STORE_CONTRACT_H_

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "objects/object_store.h"
#include "testing/temp_dir.h"

namespace rivermeet::objects {

inline absl::Time TestDeadline() { return absl::Now() + absl::Seconds(30); }

inline std::vector<std::string> KeysOf(ObjectStore& store, const std::string& prefix, const std::string& after = "",
                                       size_t limit = 1000) {
  const auto listed = store.List(prefix, after, limit, TestDeadline());
  INFO(listed.status().ToString());
  REQUIRE(listed.ok());
  std::vector<std::string> keys;
  for (const ObjectInfo& object : *listed) keys.push_back(object.key);
  return keys;
}

inline void CheckPutAndGet(ObjectStore& store) {
  SECTION("an object is read as it was put, whole and in parts, until it is replaced or removed") {
    const std::string contents("first\0 \xff contents", 17);
    REQUIRE(store.Put("a/b/c.bin", contents, TestDeadline()).ok());
    CHECK(store.Get("a/b/c.bin", TestDeadline()).value() == contents);
    CHECK(store.GetRange("a/b/c.bin", 2, 3, TestDeadline()).value() == "rst");
    CHECK(store.GetRange("a/b/c.bin", 15, 100, TestDeadline()).value() == contents.substr(15));
    CHECK(store.GetRange("a/b/c.bin", 17, 1, TestDeadline()).value().empty());
    CHECK(absl::IsOutOfRange(store.GetRange("a/b/c.bin", 18, 1, TestDeadline()).status()));
    CHECK(absl::IsInvalidArgument(store.GetRange("a/b/c.bin", -1, 1, TestDeadline()).status()));
    CHECK(store.Stat("a/b/c.bin", TestDeadline()).value().bytes == 17);
    REQUIRE(store.Put("a/b/c.bin", "second", TestDeadline()).ok());
    CHECK(store.Get("a/b/c.bin", TestDeadline()).value() == "second");
    REQUIRE(store.Remove("a/b/c.bin", TestDeadline()).ok());
    CHECK(absl::IsNotFound(store.Get("a/b/c.bin", TestDeadline()).status()));
    CHECK(absl::IsNotFound(store.Stat("a/b/c.bin", TestDeadline()).status()));
    CHECK(store.Remove("a/b/c.bin", TestDeadline()).ok());
  }

  SECTION("an empty object and a large one") {
    REQUIRE(store.Put("empty", "", TestDeadline()).ok());
    CHECK(store.Get("empty", TestDeadline()).value().empty());
    const std::string large(20 << 20, 'x');
    REQUIRE(store.Put("large", large, TestDeadline()).ok());
    CHECK((store.Get("large", TestDeadline()).value() == large));
  }

  SECTION("a file is put like its contents") {
    const testing::TempDir folder;
    std::ofstream(folder / "file") << std::string(3 << 20, 'f');
    REQUIRE(store.PutFile("from/file", folder / "file", TestDeadline()).ok());
    CHECK(store.Stat("from/file", TestDeadline()).value().bytes == 3 << 20);
    CHECK(absl::IsNotFound(store.PutFile("from/nothing", folder / "nothing", TestDeadline())));
    CHECK(absl::IsNotFound(store.Stat("from/nothing", TestDeadline()).status()));
  }

  SECTION("what is no key, or too late, is refused") {
    for (const char* const key : {"", "/a", "a/", "a//b", "a/../b", ".", "a b", "a\nb", "\xc3\xa4", "a/./b", "a\\b"}) {
      INFO(key);
      CHECK(absl::IsInvalidArgument(store.Put(key, "x", TestDeadline())));
      CHECK(absl::IsInvalidArgument(store.Get(key, TestDeadline()).status()));
      CHECK(absl::IsInvalidArgument(store.Remove(key, TestDeadline())));
    }
    CHECK(absl::IsInvalidArgument(store.Put(std::string(kMaxKeyBytes + 1, 'a'), "x", TestDeadline())));
    CHECK(absl::IsDeadlineExceeded(store.Put("late", "x", absl::Now() - absl::Seconds(1))));
    CHECK(KeysOf(store, "").empty());
  }
}

inline void CheckListing(ObjectStore& store) {
  SECTION("listing gives the keys with a prefix in byte order, a page at a time") {
    for (const char* const key : {"t/a/2", "t/a/10", "t/a-b", "t/a.b", "t/ab/1", "t/b", "u"}) {
      REQUIRE(store.Put(key, key, TestDeadline()).ok());
    }
    const std::vector<std::string> all = {"t/a-b", "t/a.b", "t/a/10", "t/a/2", "t/ab/1", "t/b", "u"};
    CHECK(KeysOf(store, "") == all);
    CHECK(KeysOf(store, "t/a/") == std::vector<std::string>{"t/a/10", "t/a/2"});
    CHECK(KeysOf(store, "t/a") == std::vector<std::string>(all.begin(), all.begin() + 5));
    CHECK(KeysOf(store, "t/a/1") == std::vector<std::string>{"t/a/10"});
    CHECK(KeysOf(store, "v").empty());
    CHECK(KeysOf(store, "t/", "t/a/10", 2) == std::vector<std::string>{"t/a/2", "t/ab/1"});
    CHECK(store.List("t/b", "", 1, TestDeadline()).value().front().bytes == 3);
  }
}

inline void CheckRaces(ObjectStore& store) {
  SECTION("of several that put an object if it is absent, one wins, and the object is that one's") {
    for (int round = 0; round < 10; ++round) {
      const std::string key = "race/" + std::to_string(round);
      std::atomic<int> winner{-1};
      std::atomic<int> winners{0};
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
          const absl::Status put = store.PutIfAbsent(key, std::to_string(t), TestDeadline());
          if (put.ok()) {
            winner = t;
            ++winners;
          } else if (!absl::IsAlreadyExists(put)) {
            winners += 100;
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      CHECK(winners == 1);
      CHECK(store.Get(key, TestDeadline()).value() == std::to_string(winner));
    }
  }

  SECTION("a reader never sees a part of an object while it is replaced") {
    REQUIRE(store.Put("k", std::string(100'000, '0'), TestDeadline()).ok());
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      for (char c = '1'; !stop; c = c == '9' ? '0' : static_cast<char>(c + 1)) {
        store.Put("k", std::string(100'000, c), TestDeadline()).IgnoreError();
      }
    });
    for (int i = 0; i < 200; ++i) {
      const auto contents = store.Get("k", TestDeadline());
      REQUIRE(contents.ok());
      REQUIRE((*contents == std::string(100'000, contents->front())));
    }
    stop = true;
    writer.join();
  }
}

// Runs within a TEST_CASE on an empty store, made anew for every section.
inline void CheckObjectStoreContract(ObjectStore& store) {
  CheckPutAndGet(store);
  CheckListing(store);
  CheckRaces(store);
}

}  // namespace rivermeet::objects

#endif  // RIVERMEET_OBJECTS_OBJECT_STORE_CONTRACT_H_
