#include "eventlog/local_event_log.h"

#include <catch2/catch.hpp>

#include "testing/temp_dir.h"

namespace rivermeet::eventlog {
namespace {

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

TEST_CASE("what was appended is read back after opening anew", "[eventlog]") {
  const testing::TempDir folder;
  LocalEventLogOptions options;
  options.folder = folder.path();
  options.partitions = 2;
  std::vector<int64_t> times;
  {
    auto log = LocalEventLog::Open(options);
    REQUIRE(log.ok());
    for (int i = 0; i < 10; ++i) {
      const auto offset = (*log)->AppendAndWait(1, {"h" + std::to_string(i), std::string(1000, 'x')}, Soon());
      REQUIRE(offset.ok());
      CHECK(*offset == i);
    }
    auto reader = (*log)->OpenReader(1, 0);
    REQUIRE(reader.ok());
    const auto records = (*reader)->Read(1 << 20, Soon());
    REQUIRE(records.ok());
    for (const LogRecord& record : *records) times.push_back(record.append_time_us);
  }
  auto log = LocalEventLog::Open(options);
  REQUIRE(log.ok());
  CHECK((*log)->AppendAndWait(1, {"h", "p"}, Soon()).value() == 10);
  auto reader = (*log)->OpenReader(1, 3);
  REQUIRE(reader.ok());
  const auto records = (*reader)->Read(1 << 20, Soon());
  REQUIRE(records.ok());
  REQUIRE(records->size() == 8);
  CHECK(records->front().offset == 3);
  CHECK(records->front().header == "h3");
  CHECK(records->front().payload == std::string(1000, 'x'));
  CHECK(records->front().append_time_us == times[3]);
}

}  // namespace
}  // namespace rivermeet::eventlog
