#include "aggregation/aggregation_service.h"

#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <random>

#include "aggregation/test_world.h"

namespace rivermeet::aggregation {
namespace {

TEST_CASE("what was appended is read as soon as its offset is waited for", "[aggregation]") {
  TwoPartitions world;
  Append(*world.log, 0, 1, {{kStart, {{"host", "a"}}, {{"x", 1.5}}, {}}});
  const auto offset = Append(*world.log, 0, 2, {{kStart + 1, {{"host", "b"}}, {{"x", 2}}, {{"n", 4}}}});
  CHECK(world.Wait(0, offset).ok());
  v1::PartialsQuery query = Query({0, 1});
  query.add_measures("n");
  query.add_measures("never_seen");
  query.add_measure_is_int64(false);
  query.add_measure_is_int64(true);
  query.add_measure_is_int64(true);
  const auto response = world.Read(query);
  REQUIRE(response.partials().window_start_us_size() == 1);
  CHECK(response.partials().event_count(0) == 2);
  CHECK(response.partials().measures(0).float64_sum(0) == 3.5);
  CHECK(response.partials().measures(1).int64_sum(0) == 4);
  CHECK(response.partials().measures(2).count(0) == 0);
  CHECK(response.partials().measures(2).int64_sum_size() == 1);
  REQUIRE(response.data_version().partitions_size() == 2);
  CHECK(response.data_version().partitions(0).through_offset() == offset);
  CHECK(response.data_version().partitions(0).epoch() == 7);
  CHECK(response.data_version().partitions(1).through_offset() == -1);
}

TEST_CASE("another tenant's stream looks like one without events", "[aggregation]") {
  TwoPartitions world;
  CHECK(world.Wait(0, Append(*world.log, 0, 1, {{kStart, {{"h", "secret"}}, {{"x", 1}}, {}}})).ok());
  CHECK(world.Read(Query({0}), "acme").partials().window_start_us_size() == 1);
  CHECK(world.Read(Query({0}), "other").partials().window_start_us_size() == 0);
  v1::ReadDimensionValuesRequest values;
  values.set_stream_id(1);
  values.add_partitions(0);
  values.set_dimension("h");
  CHECK(world.service.ReadDimensionValues("acme", values)->values_size() == 1);
  CHECK(world.service.ReadDimensionValues("other", values)->values_size() == 0);
  v1::ReadLedgerRequest ledger;
  ledger.set_stream_id(1);
  ledger.add_partitions(0);
  CHECK(world.service.ReadLedger("acme", ledger)->entries(0).folded() == 1);
  CHECK(world.service.ReadLedger("other", ledger)->entries(0).received() == 0);
}

TEST_CASE("a partition that is not here, or whose lease has run out, is refused", "[aggregation]") {
  TwoPartitions world;
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({5});
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kFailedPrecondition);
  *request.mutable_query() = Query({0});
  world.owners[0]->set_serves_until(absl::ZeroDuration());
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a record that can't be parsed stops nobody", "[aggregation]") {
  TwoPartitions world;
  RM_CHECK_OK(world.log->AppendAndWait(0, {"\xff\xff", "junk"}, Soon()).status());
  RM_CHECK_OK(
      world.log->AppendAndWait(0, {windows::MakeHeader(1, 3).SerializeAsString(), "\xff junk"}, Soon()).status());
  const auto offset = Append(*world.log, 0, 2, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(world.Wait(0, offset).ok());
  v1::ReadLedgerRequest ledger;
  ledger.set_stream_id(1);
  ledger.add_partitions(0);
  const auto entry = world.service.ReadLedger("acme", ledger)->entries(0);
  CHECK(entry.folded() == 1);
  CHECK(entry.rejected() == 3);
}

TEST_CASE("whoever waits for several partitions leaves none behind when one can't come", "[aggregation]") {
  TwoPartitions world;
  v1::WaitForOffsetsRequest request;
  for (const uint32_t partition : {0u, 1u}) {
    auto& position = *request.add_positions();
    position.set_partition(partition);
    position.set_through_offset(1'000);
  }
  std::promise<absl::Status> ended;
  const auto wait = world.service.WaitForOffsets(request, [&](const absl::Status& status) { ended.set_value(status); });
  CHECK(world.owners[1]->waiters() == 1);
  world.owners[0]->Stop();
  CHECK(ended.get_future().get().code() == absl::StatusCode::kUnavailable);
  CHECK(world.owners[1]->waiters() == 0);
}

TEST_CASE("a query that can't be is refused with what is wrong", "[aggregation]") {
  TwoPartitions world;
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({0});
  request.mutable_query()->set_step_us(1'500'000);
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kInvalidArgument);
  request.mutable_query()->set_step_us(kSecond);
  request.mutable_query()->set_resolution_us(7);
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kInvalidArgument);
}

// Keeps what a watch tells, put over each other.
struct Follower final : WatchSubscriber {
  bool Ready() override {
    MutexLock lock(mutex);
    return ready;
  }
  void OnResponse(std::shared_ptr<const v1::WatchPartialsResponse> response) override {
    MutexLock lock(mutex);
    if (response->snapshot()) rows.clear();
    snapshots += response->snapshot();
    ++responses;
    for (int r = 0; r < response->partials().window_start_us_size(); ++r) {
      rows[{response->partials().window_start_us(r), response->partials().partition(r)}] =
          response->partials().event_count(r);
    }
    for (const auto& version : response->data_version().partitions()) {
      through[version.partition()] = version.through_offset();
    }
    changed.NotifyAll();
  }
  void OnClosed(const absl::Status& status) override {
    MutexLock lock(mutex);
    closed = status;
    changed.NotifyAll();
  }
  template <typename Condition>
  bool Await(Condition condition) {
    const absl::Time until = Soon();
    MutexLock lock(mutex);
    while (!condition()) {
      if (absl::Now() > until) return false;
      changed.WaitFor(mutex, absl::Seconds(1));
    }
    return true;
  }

  Mutex mutex;
  CondVar changed;
  bool ready = true;
  std::map<std::pair<int64_t, uint32_t>, uint64_t> rows;
  std::map<uint32_t, int64_t> through;
  int snapshots = 0;
  int responses = 0;
  absl::Status closed;
};

TEST_CASE("a watch begins with all there is and then tells what changed", "[aggregation]") {
  TwoPartitions world;
  Append(*world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}, {kStart + kSecond, {}, {{"x", 1}}, {}}});
  CHECK(world.Wait(0, 0).ok());
  auto follower = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0, 1});
  request.mutable_query()->set_end_us(0);
  CHECK(world.service.WatchPartials("acme", request, follower).ok());
  CHECK(follower->Await([&] { return follower->rows.size() == 2; }));
  const auto offset = Append(*world.log, 1, 2, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(follower->Await([&] { return follower->rows.size() == 3 && follower->through[1] == offset; }));
  CHECK(follower->snapshots == 1);
  world.service.Remove(1);
  CHECK(follower->Await([&] { return follower->closed.code() == absl::StatusCode::kFailedPrecondition; }));
}

TEST_CASE("nobody watches an owner that serves no more", "[aggregation]") {
  TwoPartitions world;
  auto follower = std::make_shared<Follower>();
  auto late = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0});
  CHECK(world.service.WatchPartials("acme", request, follower).ok());
  CHECK(follower->Await([&] { return follower->snapshots == 1; }));
  SECTION("when its lease has run out") {
    world.owners[0]->set_serves_until(absl::ZeroDuration());
    world.service.hub().Wake();
  }
  SECTION("when it has stopped") {
    world.owners[0]->Stop();
    world.service.Remove(0);
  }
  CHECK(follower->Await([&] { return follower->closed.code() == absl::StatusCode::kFailedPrecondition; }));
  // Whoever found it before it was taken away.
  const absl::Status watching = world.service.hub().Subscribe("acme", request, {world.owners[0]}, late);
  CHECK(watching.code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("whoever watches a service that goes away is told", "[aggregation]") {
  auto follower = std::make_shared<Follower>();
  {
    TwoPartitions world;
    v1::WatchPartialsRequest request;
    *request.mutable_query() = Query({0});
    CHECK(world.service.WatchPartials("acme", request, follower).ok());
    CHECK(follower->Await([&] { return follower->snapshots == 1; }));
  }
  CHECK(follower->closed.code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("a large answer comes in messages as they are made", "[aggregation]") {
  TwoPartitions world;
  const v1::ReadPartialsRequest request = FillWithRows(world);
  const auto responses = ReadAll(world.service, "acme", request);
  REQUIRE(responses.ok());
  REQUIRE(responses->size() == 2);
  CHECK(responses->at(0).data_version().partitions_size() == 1);
  CHECK(responses->at(0).partials().event_count_size() + responses->at(1).partials().event_count_size() == 60'000);
  CHECK(responses->at(0).ByteSizeLong() < size_t{5} << 20);
  int sent = 0;
  const absl::Status ended = world.service.ReadPartials("acme", request, [&](const v1::ReadPartialsResponse&) {
    ++sent;
    return absl::CancelledError("the reader is gone");
  });
  CHECK(ended.code() == absl::StatusCode::kCancelled);
  CHECK(sent == 1);
}

TEST_CASE("an answer over the limit is refused with what to narrow, whether it is read or watched", "[aggregation]") {
  TwoPartitions world(size_t{5} << 20);
  v1::ReadPartialsRequest request = FillWithRows(world);
  const absl::Status refused = ReadAll(world.service, "acme", request).status();
  CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(refused.message()).find("5 MiB of rows: ask for a shorter range") != std::string::npos);
  auto follower = std::make_shared<Follower>();
  v1::WatchPartialsRequest watch;
  *watch.mutable_query() = request.query();
  CHECK(world.service.WatchPartials("acme", watch, follower).ok());
  CHECK(follower->Await([&] { return follower->closed.code() == absl::StatusCode::kInvalidArgument; }));
  CHECK(follower->responses == 0);
  request.mutable_query()->clear_group_by();
  CHECK(ReadAll(world.service, "acme", request)->at(0).partials().event_count_size() == 20);
}

TEST_CASE("one who could not take changes gets a snapshot, the others go on", "[aggregation]") {
  TwoPartitions world;
  auto slow = std::make_shared<Follower>();
  auto quick = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0});
  CHECK(world.service.WatchPartials("acme", request, slow).ok());
  CHECK(world.service.WatchPartials("acme", request, quick).ok());
  CHECK(slow->Await([&] { return slow->snapshots == 1; }));
  CHECK(quick->Await([&] { return quick->snapshots == 1; }));
  {
    MutexLock lock(slow->mutex);
    slow->ready = false;
  }
  Append(*world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(quick->Await([&] { return quick->rows.size() == 1; }));
  {
    MutexLock lock(slow->mutex);
    CHECK(slow->rows.empty());
    slow->ready = true;
  }
  world.service.hub().Wake();
  CHECK(slow->Await([&] { return slow->snapshots == 2 && slow->rows.size() == 1; }));
  CHECK(quick->snapshots == 1);
}

TEST_CASE("a watch of a busy stream ends where a read does", "[aggregation]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  TwoPartitions world;
  auto follower = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0, 1}, 10 * kSecond);
  request.mutable_interval()->set_nanos(5'000'000);
  CHECK(world.service.WatchPartials("acme", request, follower).ok());
  int64_t last[2] = {-1, -1};
  for (uint64_t batch = 1; batch <= 300; ++batch) {
    std::vector<windows::TestEvent> events;
    for (int e = 0; e < 5; ++e) {
      events.push_back({kStart + static_cast<int64_t>(batch) * kSecond / 3 -
                            static_cast<int64_t>(random() % 3) * kSecond + 3 * kSecond,
                        {{"host", std::to_string(random() % 9)}},
                        {{"x", 1}},
                        {}});
    }
    const uint32_t partition = random() % 2;
    last[partition] = Append(*world.log, partition, batch, events);
  }
  CHECK(follower->Await([&] { return follower->through[0] >= last[0] && follower->through[1] >= last[1]; }));
  const auto response = world.Read(request.query());
  std::map<std::pair<int64_t, uint32_t>, uint64_t> rows;
  for (int r = 0; r < response.partials().window_start_us_size(); ++r) {
    rows[{response.partials().window_start_us(r), response.partials().partition(r)}] =
        response.partials().event_count(r);
  }
  MutexLock lock(follower->mutex);
  CHECK(follower->rows == rows);
  CHECK(follower->responses > 2);
}

}  // namespace
}  // namespace rivermeet::aggregation
