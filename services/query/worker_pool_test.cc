#include "query/worker_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "testing/eventually.h"

namespace rivermeet::query {

TEST_CASE("a pool runs so many at a time, lets so many wait and refuses the rest at once", "[pool]") {
  TimerQueue timers(Clock::System());
  WorkerPool pool({.what = "queries", .concurrency = 2, .queue = 3, .queue_wait = absl::Hours(1)}, timers);
  std::atomic<bool> go = false;
  std::atomic<int> running = 0, most = 0, done = 0, refused = 0;
  for (int i = 0; i < 7; ++i) {
    pool.Submit([&](const absl::Status& admitted) {
      if (!admitted.ok()) {
        CHECK(admitted.code() == absl::StatusCode::kResourceExhausted);
        ++refused;
        return;
      }
      most = std::max(most.load(), ++running);
      while (!go) std::this_thread::yield();
      --running;
      ++done;
    });
  }
  CHECK(refused == 2);
  go = true;
  REQUIRE(testing::Eventually([&] { return done >= 5; }));
  CHECK(most <= 2);
}

TEST_CASE("work that waits too long is refused, and a stopped pool refuses what waits", "[pool]") {
  TimerQueue timers(Clock::System());
  WorkerPool pool({.what = "queries", .concurrency = 1, .queue = 3, .queue_wait = absl::Milliseconds(20)}, timers);
  std::atomic<bool> go = false;
  std::atomic<int> refused = 0;
  pool.Submit([&](const absl::Status&) {
    while (!go) std::this_thread::yield();
  });
  pool.Submit([&](const absl::Status& admitted) { refused += absl::IsResourceExhausted(admitted) ? 1 : 0; });
  REQUIRE(testing::Eventually([&] { return refused != 0; }));
  std::atomic<int> unavailable = 0;
  pool.Submit([&](const absl::Status& admitted) { unavailable += absl::IsUnavailable(admitted) ? 1 : 0; });
  std::thread stopper([&] { pool.Stop(); });
  REQUIRE(testing::Eventually([&] { return unavailable != 0; }));
  go = true;
  stopper.join();
  pool.Submit([&](const absl::Status& admitted) { unavailable += absl::IsUnavailable(admitted) ? 1 : 0; });
  CHECK(unavailable == 2);
}

}  // namespace rivermeet::query
