// What every EventLog does, as a test: call CheckEventLogContract() from a test case of each implementation.
#ifndef RIVERMEET_EVENTLOG_EVENT_LOG_CONTRACT_H_
#define RIVERMEET_EVENTLOG_EVENT_LOG_CONTRACT_H_

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "eventlog/event_log.h"

namespace rivermeet::eventlog {

// A fresh log with at least two partitions.
class EventLogFixture {
 public:
  virtual ~EventLogFixture() = default;
  virtual EventLog& log() = 0;
  // Closes the log and opens it again on the same data.
  virtual void Reopen() = 0;
};

inline absl::Time TestDeadline() { return absl::Now() + absl::Seconds(30); }

// The records of a partition from `from` on, until `count` are there or the test's deadline passes.
inline std::vector<LogRecord> ReadRecords(EventLog& log, PartitionId partition, Offset from, size_t count) {
  auto reader = log.OpenReader(partition, from);
  REQUIRE(reader.ok());
  std::vector<LogRecord> records;
  const absl::Time deadline = TestDeadline();
  while (records.size() < count && absl::Now() < deadline) {
    auto some = (*reader)->Read(1 << 20, deadline);
    INFO(some.status().ToString());
    REQUIRE(some.ok());
    for (LogRecord& record : *some) records.push_back(std::move(record));
  }
  REQUIRE(records.size() == count);
  return records;
}

// Counts the outcomes of asynchronous appends.
class AppendOutcomes {
 public:
  EventLog::Done Expect(size_t index) {
    MutexLock lock(mutex_);
    ++expected_;
    return [this, index](absl::StatusOr<Offset> offset) {
      MutexLock lock(mutex_);
      outcomes_[index].push_back(std::move(offset));
      threads_.push_back(std::this_thread::get_id());
      ++called_;
      changed_.NotifyAll();
    };
  }

  // By index; each has one element.
  std::map<size_t, std::vector<absl::StatusOr<Offset>>> Wait() {
    MutexLock lock(mutex_);
    const absl::Time deadline = TestDeadline();
    while (called_ < expected_ && absl::Now() < deadline) changed_.WaitFor(mutex_, deadline - absl::Now());
    return outcomes_;
  }

  bool CalledOn(std::thread::id thread) {
    MutexLock lock(mutex_);
    return std::find(threads_.begin(), threads_.end(), thread) != threads_.end();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<size_t, std::vector<absl::StatusOr<Offset>>> outcomes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread::id> threads_ ABSL_GUARDED_BY(mutex_);
  size_t expected_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t called_ ABSL_GUARDED_BY(mutex_) = 0;
};

inline std::string RandomText(uint64_t seed, size_t size) {
  std::mt19937_64 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

inline void CheckAppendAndRead(EventLogFixture& fixture) {
  SECTION("records come back in order, byte for byte, each in its own partition") {
    std::vector<Record> given = {{"h", "payload"},
                                 {"", ""},
                                 {std::string("\0\xff\x80", 3), std::string("\0a\0", 3)},
                                 {"compresses", std::string(200'000, 'z')},
                                 {"does not", RandomText(1, 200'000)},
                                 {std::string(kMaxHeaderBytes, 'h'), RandomText(2, kMaxRecordBytes)}};
    Offset last = -1;
    for (const Record& record : given) {
      const auto offset = fixture.log().AppendAndWait(0, record, TestDeadline());
      INFO(offset.status().ToString());
      REQUIRE(offset.ok());
      CHECK(*offset > last);
      last = *offset;
    }
    REQUIRE(fixture.log().AppendAndWait(1, {"other", "partition"}, TestDeadline()).ok());
    for (const bool reopened : {false, true}) {
      if (reopened) fixture.Reopen();
      const auto read = ReadRecords(fixture.log(), 0, 0, given.size());
      for (size_t i = 0; i < given.size(); ++i) {
        CHECK((read[i].header == given[i].header));
        CHECK((read[i].payload == given[i].payload));
      }
      CHECK(read.back().offset == last);
      CHECK(ReadRecords(fixture.log(), 1, 0, 1).front().header == "other");
    }
  }

  SECTION("the append time lies within the append and never changes") {
    const int64_t before = absl::ToUnixMicros(absl::Now()) - 1000;
    REQUIRE(fixture.log().AppendAndWait(0, {"a", "b"}, TestDeadline()).ok());
    const int64_t after = absl::ToUnixMicros(absl::Now()) + 1000;
    const int64_t time = ReadRecords(fixture.log(), 0, 0, 1).front().append_time_us;
    CHECK(time >= before);
    CHECK(time <= after);
    CHECK(ReadRecords(fixture.log(), 0, 0, 1).front().append_time_us == time);
    fixture.Reopen();
    CHECK(ReadRecords(fixture.log(), 0, 0, 1).front().append_time_us == time);
  }
}

inline void CheckLimitsAndRange(EventLogFixture& fixture) {
  SECTION("what is too large or for no partition is refused and not appended") {
    EventLog& log = fixture.log();
    const Record large{"", std::string(kMaxRecordBytes + 1, 'x')};
    const Record large_header{std::string(kMaxHeaderBytes + 1, 'x'), ""};
    CHECK(absl::IsInvalidArgument(log.AppendAndWait(0, large, TestDeadline()).status()));
    CHECK(absl::IsInvalidArgument(log.AppendAndWait(0, large_header, TestDeadline()).status()));
    CHECK(absl::IsInvalidArgument(log.AppendAndWait(log.partitions(), {"", ""}, TestDeadline()).status()));
    CHECK(absl::IsInvalidArgument(log.OpenReader(log.partitions(), 0).status()));
    CHECK(absl::IsInvalidArgument(log.OpenReader(0, -1).status()));
    CHECK(absl::IsInvalidArgument(log.Range(log.partitions(), TestDeadline()).status()));
    CHECK(absl::IsInvalidArgument(log.DeleteBefore(log.partitions(), 0)));
    const auto range = log.Range(0, TestDeadline());
    REQUIRE(range.ok());
    CHECK(range->first == range->end);
  }

  SECTION("a log says at every opening that it is the same") {
    const std::string identity = fixture.log().identity();
    CHECK_FALSE(identity.empty());
    fixture.Reopen();
    CHECK(fixture.log().identity() == identity);
  }

  SECTION("the range names the first record and the one after the last") {
    Offset last = 0;
    for (int i = 0; i < 5; ++i) last = fixture.log().AppendAndWait(0, {"", "x"}, TestDeadline()).value();
    for (const bool reopened : {false, true}) {
      if (reopened) fixture.Reopen();
      const auto range = fixture.log().Range(0, TestDeadline());
      REQUIRE(range.ok());
      CHECK(range->first == 0);
      CHECK(range->end == last + 1);
    }
  }
}

inline void CheckConcurrentAppends(EventLogFixture& fixture) {
  SECTION("each callback is called once, not inside Append, and one thread's records keep their order") {
    constexpr size_t kRecords = 500;
    AppendOutcomes outcomes;
    for (size_t i = 0; i < kRecords; ++i) {
      fixture.log().Append(0, {std::to_string(i), RandomText(i, i)}, TestDeadline(), outcomes.Expect(i));
    }
    const auto ended = outcomes.Wait();
    REQUIRE(ended.size() == kRecords);
    Offset last = -1;
    for (const auto& [index, results] : ended) {
      REQUIRE(results.size() == 1);
      REQUIRE(results[0].ok());
      CHECK(*results[0] > last);
      last = *results[0];
    }
    CHECK_FALSE(outcomes.CalledOn(std::this_thread::get_id()));
    const auto read = ReadRecords(fixture.log(), 0, 0, kRecords);
    for (size_t i = 0; i < kRecords; ++i) CHECK(read[i].header == std::to_string(i));
  }

  SECTION("what several threads append is all there, once, in each thread's order") {
    constexpr int kThreads = 4;
    constexpr int kEach = 100;
    std::vector<std::thread> threads;
    std::atomic<int> failed{0};
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const Record record{std::to_string(t), std::to_string(i)};
          if (!fixture.log().AppendAndWait(1, record, TestDeadline()).ok()) ++failed;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE(failed == 0);
    std::map<std::string, int> next;
    for (const LogRecord& record : ReadRecords(fixture.log(), 1, 0, kThreads * kEach)) {
      CHECK(record.payload == std::to_string(next[record.header]++));
    }
    CHECK(next.size() == kThreads);
  }
}

inline void CheckReaders(EventLogFixture& fixture) {
  EventLog& log = fixture.log();
  SECTION("a reader at the end waits for what is appended next, and nothing is an answer too") {
    const Offset end = log.AppendAndWait(0, {"old", ""}, TestDeadline()).value() + 1;
    auto reader = log.OpenReader(0, end);
    REQUIRE(reader.ok());
    const auto nothing = (*reader)->Read(1000, absl::Now() + absl::Milliseconds(20));
    REQUIRE(nothing.ok());
    CHECK(nothing->empty());
    std::thread appender([&] { log.AppendAndWait(0, {"new", ""}, TestDeadline()).IgnoreError(); });
    const auto records = (*reader)->Read(1000, TestDeadline());
    appender.join();
    REQUIRE(records.ok());
    REQUIRE(records->size() == 1);
    CHECK(records->front().header == "new");
  }

  SECTION("a reader opened beyond the end returns nothing before its offset") {
    for (int i = 0; i < 3; ++i) REQUIRE(log.AppendAndWait(0, {std::to_string(i), ""}, TestDeadline()).ok());
    auto reader = log.OpenReader(0, 5);
    REQUIRE(reader.ok());
    for (int i = 3; i < 8; ++i) REQUIRE(log.AppendAndWait(0, {std::to_string(i), ""}, TestDeadline()).ok());
    const auto records = (*reader)->Read(1, TestDeadline());
    REQUIRE(records.ok());
    REQUIRE_FALSE(records->empty());
    CHECK(records->front().offset >= 5);
  }

  SECTION("a reader begins where it is told to") {
    std::vector<Offset> offsets;
    for (int i = 0; i < 20; ++i)
      offsets.push_back(log.AppendAndWait(0, {std::to_string(i), ""}, TestDeadline()).value());
    for (const size_t i : {0, 7, 19}) {
      const auto records = ReadRecords(log, 0, offsets[i], 20 - i);
      CHECK(records.front().offset == offsets[i]);
      CHECK(records.front().header == std::to_string(i));
    }
  }
}

inline void CheckReads(EventLogFixture& fixture) {
  EventLog& log = fixture.log();
  SECTION("a read returns at least one record and not many more bytes than asked for") {
    for (int i = 0; i < 10; ++i) REQUIRE(log.AppendAndWait(0, {"", RandomText(7, 10'000)}, TestDeadline()).ok());
    auto reader = log.OpenReader(0, 0);
    REQUIRE(reader.ok());
    size_t read = 0;
    while (read < 10) {
      const auto one = (*reader)->Read(1, TestDeadline());
      REQUIRE(one.ok());
      REQUIRE(one->size() == 1);
      ++read;
    }
    reader = log.OpenReader(0, 0);
    const auto some = (*reader)->Read(30'000, TestDeadline());
    REQUIRE(some.ok());
    CHECK(some->size() <= 3);
  }

  SECTION("cancelling ends a waiting read and all later ones") {
    auto reader = log.OpenReader(0, 0);
    REQUIRE(reader.ok());
    std::thread canceller([&] { (*reader)->Cancel(); });
    const absl::Time started = absl::Now();
    const auto cancelled = (*reader)->Read(1000, TestDeadline());
    canceller.join();
    CHECK(absl::IsCancelled(cancelled.status()));
    CHECK(absl::Now() - started < absl::Seconds(20));
    CHECK(absl::IsCancelled((*reader)->Read(1000, TestDeadline()).status()));
  }
}

inline void CheckRetentionAndStop(EventLogFixture& fixture) {
  EventLog& log = fixture.log();
  SECTION("deleting removes nothing at or above the offset, and reading what is gone says so") {
    std::vector<Offset> offsets;
    for (int i = 0; i < 30; ++i) {
      offsets.push_back(log.AppendAndWait(0, {std::to_string(i), RandomText(3, 3000)}, TestDeadline()).value());
    }
    REQUIRE(log.DeleteBefore(0, offsets[20]).ok());
    const auto range = log.Range(0, TestDeadline());
    REQUIRE(range.ok());
    CHECK(range->first > 0);
    CHECK(range->first <= offsets[20]);
    CHECK(range->end == offsets.back() + 1);
    CHECK(absl::IsOutOfRange(log.OpenReader(0, range->first - 1).status()));
    CHECK(ReadRecords(log, 0, offsets[20], 10).front().header == "20");
    fixture.Reopen();
    CHECK(fixture.log().Range(0, TestDeadline())->first == range->first);
    CHECK(ReadRecords(fixture.log(), 0, offsets[20], 10).back().header == "29");
    CHECK(fixture.log().AppendAndWait(0, {"", ""}, TestDeadline()).value() > offsets.back());
  }

  SECTION("a stopped log has appended what it had taken, and refuses what comes") {
    AppendOutcomes outcomes;
    for (size_t i = 0; i < 50; ++i) log.Append(0, {"", RandomText(i, 1000)}, TestDeadline(), outcomes.Expect(i));
    log.Stop(TestDeadline());
    const auto ended = outcomes.Wait();
    REQUIRE(ended.size() == 50);
    for (const auto& [index, results] : ended) CHECK(results.at(0).ok());
    CHECK(absl::IsUnavailable(log.AppendAndWait(0, {"", ""}, TestDeadline()).status()));
    CHECK(ReadRecords(log, 0, 0, 50).size() == 50);
  }

  SECTION("what was appended and read is counted") {
    for (int i = 0; i < 3; ++i) REQUIRE(log.AppendAndWait(0, {"12", "345678"}, TestDeadline()).ok());
    ReadRecords(log, 0, 0, 3);
    const LogStats stats = log.Stats();
    CHECK(stats.appended_records == 3);
    CHECK(stats.appended_bytes == 24);
    CHECK(stats.read_records == 3);
    CHECK(stats.read_bytes == 24);
    CHECK(stats.syncs >= 1);
    CHECK(stats.queued_bytes == 0);
  }
}

// Runs within a TEST_CASE; the fixture is made anew for every section.
inline void CheckEventLogContract(EventLogFixture& fixture) {
  CheckAppendAndRead(fixture);
  CheckLimitsAndRange(fixture);
  CheckConcurrentAppends(fixture);
  CheckReaders(fixture);
  CheckReads(fixture);
  CheckRetentionAndStop(fixture);
}

}  // namespace rivermeet::eventlog

#endif  // RIVERMEET_EVENTLOG_EVENT_LOG_CONTRACT_H_
