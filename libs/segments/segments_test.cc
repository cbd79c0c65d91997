// Segments give what memory gave.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <random>

#include "absl/time/clock.h"
#include "base/status.h"
#include "fmt/format.h"
#include "objects/file_object_store.h"
#include "segments/segment_reader.h"
#include "segments/segment_writer.h"
#include "testing/temp_dir.h"
#include "windows/batch_builder.h"

namespace rivermeet::segments {
namespace {

using windows::PartitionState;
using windows::RollupQuery;
using windows::StreamView;
using windows::TestEvent;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'040 * kSecond;

struct World {
  testing::TempDir folder;
  std::unique_ptr<objects::FileObjectStore> store;
  std::unique_ptr<SegmentReader> reader;
  PartitionState state{windows::FoldOptions()};
  int64_t offset = 0;

  World() {
    objects::FileObjectStoreOptions options;
    options.folder = folder / "it's objects";
    store = objects::FileObjectStore::Open(options).value();
    reader = std::make_unique<SegmentReader>(SegmentReaderOptions{store.get(), options.folder});
  }
  void Add(const std::vector<TestEvent>& events) {
    const auto batch = windows::MakeBatch(events);
    state.Fold(windows::MakeHeader(offset + 1, static_cast<uint32_t>(events.size())), &batch, offset,
               kStart + 7200 * kSecond);
    ++offset;
  }
  aggregation::v1::SegmentReference Store(const StreamView& view, int64_t resolution_us, int64_t until_us,
                                          uint32_t partition = 3) {
    const std::string path = folder / "new.parquet";
    const auto written = WriteSegment(path, view, resolution_us, until_us);
    RM_CHECK_OK(written.status());
    const std::string object = fmt::format("segments/{}{}", ++stored, SegmentObjectSuffix(written->crc32c));
    RM_CHECK_OK(store->PutFile(object, path, absl::Now() + absl::Seconds(10)));
    aggregation::v1::SegmentReference reference;
    reference.set_object(object);
    reference.set_rows(static_cast<uint64_t>(written->rows));
    reference.set_partition(partition);
    return reference;
  }
  int stored = 0;
};

aggregation::v1::PartialsQuery Query(int64_t step_us, int64_t resolution_us) {
  aggregation::v1::PartialsQuery query;
  query.set_start_us(kStart);
  query.set_end_us(kStart + 3600 * kSecond);
  query.set_step_us(step_us);
  query.set_resolution_us(resolution_us);
  query.add_measures("x");
  query.add_measures("n");
  query.add_measures("unknown");
  for (const bool is_int64 : {false, true, true}) query.add_measure_is_int64(is_int64);
  query.add_group_by("host");
  return query;
}

struct Row {
  uint64_t events = 0;
  uint64_t x_count = 0;
  double x_sum = 0, x_min = 0, x_max = 0, x_first = 0, x_last = 0, x_increase = 0;
  int64_t x_first_us = 0, x_last_us = 0;
  uint64_t n_count = 0;
  int64_t n_sum = 0, n_min = 0, n_max = 0, n_first = 0, n_last = 0;
  bool operator==(const Row&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << fmt::format("{} events; x {}: {} {} {} {}@{} {}@{} +{}; n {}: {} {} {} {} {}", row.events, row.x_count,
                            row.x_sum, row.x_min, row.x_max, row.x_first, row.x_first_us, row.x_last, row.x_last_us,
                            row.x_increase, row.n_count, row.n_sum, row.n_min, row.n_max, row.n_first, row.n_last);
}
using Rows = std::map<std::pair<int64_t, std::string>, Row>;

void CheckSame(const Rows& got, const Rows& want) {
  CHECK(got.size() == want.size());
  for (const auto& [key, row] : want) {
    CAPTURE(key.first - kStart, key.second);
    REQUIRE(got.contains(key));
    REQUIRE(got.at(key) == row);
  }
}

Rows FromMemory(const StreamView& view, const aggregation::v1::PartialsQuery& asked) {
  RollupQuery query;
  query.start_us = asked.start_us();
  query.end_us = asked.end_us();
  query.step_us = asked.step_us();
  query.measures = {"x", "n"};
  query.group_by = {"host"};
  for (const auto& filter : asked.filters()) {
    query.filters.push_back({filter.dimension(),
                             filter.operator_() == query::v1::FILTER_OPERATOR_NOT_IN,
                             {filter.values().begin(), filter.values().end()}});
  }
  windows::Grouping grouping(query);
  grouping.Extend(view.series);
  Rows rows;
  windows::Rollup(view, query, grouping, [&](const windows::RollupRow& row) {
    Row& to = rows[{row.window_start_us, grouping.TextsOf(row.group)[0]}];
    const auto& x = row.measures[0];
    const auto& n = row.measures[1];
    to.events = row.events;
    to.x_count = x.count;
    if (x.count > 0) {
      to.x_sum = x.float64_sum, to.x_min = x.min.f64, to.x_max = x.max.f64, to.x_first = x.first.f64;
      to.x_last = x.last.f64, to.x_increase = x.increase, to.x_first_us = x.first_us, to.x_last_us = x.last_us;
    }
    to.n_count = n.count;
    if (n.count > 0) {
      to.n_sum = windows::Saturate(n.int64_sum), to.n_min = n.min.i64, to.n_max = n.max.i64;
      to.n_first = n.first.i64, to.n_last = n.last.i64;
    }
  });
  return rows;
}

Rows FromSegments(World& world, const aggregation::v1::PartialsQuery& query,
                  const std::vector<aggregation::v1::SegmentReference>& segments) {
  Rows rows;
  RM_CHECK_OK(world.reader->Read(
      query, segments, absl::Now() + absl::Seconds(20), nullptr, [&](const aggregation::v1::Partials& partials) {
        for (int r = 0; r < partials.window_start_us_size(); ++r) {
          CHECK(partials.partition(r) == 3);
          const uint32_t index = partials.group_by(0).value_index(r);
          const std::string host = index == 0 ? "" : partials.group_by(0).values(static_cast<int>(index) - 1);
          const bool fresh = !rows.contains({partials.window_start_us(r), host});
          CHECK(fresh);
          Row& to = rows[{partials.window_start_us(r), host}];
          const auto& x = partials.measures(0);
          const auto& n = partials.measures(1);
          to.events = partials.event_count(r);
          to.x_count = x.count(r), to.x_sum = x.float64_sum(r), to.x_min = x.float64_min(r);
          to.x_max = x.float64_max(r), to.x_first = x.float64_first(r), to.x_last = x.float64_last(r);
          to.x_increase = x.increase(r), to.x_first_us = x.first_us(r), to.x_last_us = x.last_us(r);
          to.n_count = n.count(r), to.n_sum = n.int64_sum(r), to.n_min = n.int64_min(r), to.n_max = n.int64_max(r);
          to.n_first = n.int64_first(r), to.n_last = n.int64_last(r);
          CHECK(partials.measures(2).count(r) == 0);
        }
        return absl::OkStatus();
      }));
  return rows;
}

TEST_CASE("segments of every resolution give the rows that memory gave", "[segments]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  World world;
  for (int second = 0; second < 240; ++second) {
    std::vector<TestEvent> events;
    for (uint64_t e = 0; e < random() % 12; ++e) {
      TestEvent event{kStart + second * kSecond + static_cast<int64_t>(random() % 20) * 50'000, {}, {}, {}};
      if (random() % 5 != 0) event.dimensions["host"] = "h'\"" + std::to_string(random() % 4);
      if (second > 60) event.dimensions["core"] = std::to_string(random() % 3);
      if (random() % 6 != 0) event.float64["x"] = static_cast<double>(random() % 4096) / 8;
      if (second > 100 && random() % 2 == 0)
        event.int64["n"] = static_cast<int64_t>(random() >> 12) - (int64_t{1} << 51);
      events.push_back(event);
    }
    world.Add(events);
  }
  const StreamView view = world.state.Find(1)->View();
  const int64_t until = kStart + 180 * kSecond;
  for (const int64_t resolution : {kSecond, 10 * kSecond, 60 * kSecond}) {
    const std::vector segments = {world.Store(view, resolution, until)};
    for (const int64_t step : {kSecond, 10 * kSecond, 60 * kSecond, 120 * kSecond}) {
      if (step % resolution != 0) continue;
      auto query = Query(step, resolution);
      query.set_end_us(until);
      CheckSame(FromSegments(world, query, segments), FromMemory(view, query));
      auto& filter = *query.add_filters();
      filter.set_dimension("core");
      filter.add_values("");
      filter.add_values("1");
      CheckSame(FromSegments(world, query, segments), FromMemory(view, query));
      filter.set_operator_(query::v1::FILTER_OPERATOR_NOT_IN);
      CheckSame(FromSegments(world, query, segments), FromMemory(view, query));
      query.set_start_us(kStart + 60 * kSecond);
      CheckSame(FromSegments(world, query, segments), FromMemory(view, query));
    }
  }
}

TEST_CASE("segments with different columns are read together", "[segments]") {
  World world;
  world.Add({{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  const auto first = world.Store(world.state.Find(1)->View(), kSecond, kStart + kSecond);
  world.state.Find(1);
  world.Add({{kStart + 400 * kSecond, {{"host", "a"}, {"core", "0"}}, {{"x", 2}}, {{"n", 5}}}});
  StreamView view = world.state.Find(1)->View(kStart + kSecond);
  const auto second = world.Store(view, kSecond, kStart + 500 * kSecond);
  const Rows rows = FromSegments(world, Query(3600 * kSecond, kSecond), {first, second});
  REQUIRE(rows.size() == 1);
  CHECK(rows.begin()->second.x_sum == 3);
  CHECK(rows.begin()->second.n_sum == 5);
  CHECK(rows.begin()->second.n_count == 1);
}

TEST_CASE("NaN gives way to any number in min and max, and int64 sums saturate", "[segments]") {
  World world;
  world.Add({{kStart, {{"host", "a"}}, {{"x", NAN}}, {{"n", INT64_MAX}}},
             {kStart + kSecond, {{"host", "a"}}, {{"x", 2}}, {{"n", INT64_MAX}}}});
  const auto segment = world.Store(world.state.Find(1)->View(), kSecond, kStart + 60 * kSecond);
  const Row row = FromSegments(world, Query(60 * kSecond, kSecond), {segment}).begin()->second;
  CHECK(row.x_min == 2);
  CHECK(row.x_max == 2);
  CHECK(std::isnan(row.x_sum));
  CHECK(row.n_sum == INT64_MAX);
}

TEST_CASE("a flipped bit anywhere in a segment is detected and nothing of it is given", "[segments]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  World world;
  for (int i = 0; i < 200; ++i) world.Add({{kStart + i * kSecond, {{"host", "a"}}, {{"x", i * 1.5}}, {}}});
  const auto segment = world.Store(world.state.Find(1)->View(), kSecond, kStart + 180 * kSecond);
  const std::string path = *world.store->LocalPath(segment.object());
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (int i = 0; i < 1'000; ++i) {
    std::string damaged = good;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    int rows = 0;
    const absl::Status status = world.reader->Read(Query(kSecond, kSecond), {segment}, absl::Now() + absl::Seconds(20),
                                                   nullptr, [&](const aggregation::v1::Partials& partials) {
                                                     rows += partials.window_start_us_size();
                                                     return absl::OkStatus();
                                                   });
    REQUIRE(status.code() == absl::StatusCode::kDataLoss);
    REQUIRE(rows == 0);
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << good;
  CHECK(FromSegments(world, Query(kSecond, kSecond), {segment}).size() == 180);
}

TEST_CASE("a segment that is gone, and a query that is cancelled or late, say so", "[segments]") {
  World world;
  world.Add({{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  const auto segment = world.Store(world.state.Find(1)->View(), kSecond, kStart + kSecond);
  const auto sink = [](const aggregation::v1::Partials&) { return absl::OkStatus(); };
  const auto query = Query(kSecond, kSecond);
  CHECK(world.reader
            ->Read(
                query, {segment}, absl::Now(), [] { return true; }, sink)
            .code() == absl::StatusCode::kCancelled);
  CHECK(world.reader->Read(query, {segment}, absl::Now() - absl::Seconds(1), nullptr, sink).code() ==
        absl::StatusCode::kDeadlineExceeded);
  RM_CHECK_OK(world.store->Remove(segment.object(), absl::Now() + absl::Seconds(5)));
  CHECK(world.reader->Read(query, {segment}, absl::Now() + absl::Seconds(5), nullptr, sink).code() ==
        absl::StatusCode::kNotFound);
}

TEST_CASE("a query whose client has gone reads no further file, and none to its end", "[segments]") {
  World world;
  const std::string path = world.folder / "big";
  std::ofstream(path, std::ios::binary) << std::string(8 << 20, 'x');
  aggregation::v1::SegmentReference segment;
  segment.set_object("segments/1" + SegmentObjectSuffix(0));
  RM_CHECK_OK(world.store->PutFile(segment.object(), path, absl::Now() + absl::Seconds(10)));
  // Read to its end, the file is found to be damaged.
  const auto read = [&](int asked_before_it_goes) {
    int asked = 0;
    return world.reader
        ->Read(
            Query(kSecond, kSecond), {segment}, absl::InfiniteFuture(), [&] { return ++asked > asked_before_it_goes; },
            [](const aggregation::v1::Partials&) { return absl::OkStatus(); })
        .code();
  };
  CHECK(read(0) == absl::StatusCode::kCancelled);
  CHECK(read(3) == absl::StatusCode::kCancelled);
  CHECK(read(1'000) == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace rivermeet::segments
