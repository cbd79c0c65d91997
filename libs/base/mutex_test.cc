#include "base/mutex.h"

#include <catch2/catch.hpp>
#include <thread>

namespace rivermeet {
namespace {

TEST_CASE("a waiter sees what another thread wrote under the lock", "[base]") {
  Mutex mutex;
  CondVar changed;
  int value = 0;
  std::thread writer([&] {
    MutexLock lock(mutex);
    value = 7;
    changed.NotifyAll();
  });
  {
    MutexLock lock(mutex);
    while (value == 0) changed.Wait(mutex);
    CHECK(value == 7);
  }
  writer.join();
}

TEST_CASE("waiting ends at the time-out", "[base]") {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  CHECK_FALSE(never.WaitFor(mutex, absl::Milliseconds(1)));
}

}  // namespace
}  // namespace rivermeet
