#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "base/status.h"
#include "catalog/lease_store.h"
#include "catalog/manifest_store.h"
#include "catalog/postgres_fixture.h"
#include "catalog/settings_store.h"
#include "catalog/snapshot_store.h"
#include "catalog/stream_store.h"
#include "testing/eventually.h"

namespace rivermeet::catalog {
namespace {

absl::Time Soon() { return CatalogFixture::Soon(); }

Stream Metrics() {
  Stream stream;
  stream.tenant = "default";
  stream.name = "host.metrics";
  stream.partitions = 2;
  stream.retention = absl::Hours(24);
  stream.fields = {{.name = "host"},
                   {.name = "cpu", .type = FieldType::kFloat64, .unit = "percent", .allow_non_finite = true},
                   {.name = "reads", .type = FieldType::kInt64, .kind = MeasureKind::kCounter}};
  return stream;
}

Segment SegmentOf(const Stream& stream, int64_t first, int64_t end) {
  return Segment{.stream_id = stream.id,
                 .tenant = stream.tenant,
                 .partition = 0,
                 .resolution = absl::Seconds(1),
                 .first_window_us = first * 1'000'000,
                 .last_window_us = (end - 1) * 1'000'000,
                 .first_offset = first,
                 .end_offset = end,
                 .object = "s/" + std::to_string(first) + "-" + std::to_string(end) + "-e1",
                 .rows = end - first,
                 .bytes = 100};
}

SnapshotCommit CommitAt(const Lease& lease, int64_t offset, std::vector<Segment> added = {},
                        std::vector<Segment> removed = {}) {
  return {.snapshot = {.partition = lease.partition,
                       .epoch = lease.epoch,
                       .offset = offset,
                       .object = "snap/" + std::to_string(offset) + "-" + std::to_string(lease.epoch),
                       .bytes = 10},
          .added = std::move(added),
          .removed = std::move(removed)};
}

TEST_CASE("a stream is declared, found, listed, changed and deleted", "[catalog]") {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  const int64_t before = *streams.Version(Soon());
  const auto made = streams.Declare(Metrics(), Soon());
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  CHECK(made->version == 1);
  CHECK(made->id > 0);
  CHECK(made->fields == Metrics().fields);
  CHECK(made->retention == absl::Hours(24));
  CHECK(*streams.Version(Soon()) > before);

  Stream changed = *made;
  changed.fields.push_back({.name = "zone"});
  const auto second = streams.Declare(changed, Soon());
  REQUIRE(second.ok());
  CHECK(second->version == 2);
  CHECK(second->id == made->id);
  CHECK(streams.FieldsOf(made->id, 1, Soon())->size() == 3);
  CHECK(streams.FieldsOf(made->id, 2, Soon())->size() == 4);
  CHECK(streams.FieldsOf(made->id, 3, Soon()).status().code() == absl::StatusCode::kNotFound);

  Stream settings = *second;
  settings.retention = absl::InfiniteDuration();
  CHECK(streams.Declare(settings, Soon())->version == 2);
  CHECK(streams.Get("default", "host.metrics", Soon())->retention == absl::InfiniteDuration());
  CHECK(streams.List("default", Soon())->size() == 1);
  CHECK(streams.List("", Soon())->size() == 1);
  CHECK(streams.List("other", Soon())->empty());
  CHECK(streams.Get("other", "host.metrics", Soon()).status().code() == absl::StatusCode::kNotFound);

  CHECK(streams.Delete("default", "host.metrics", Soon()).ok());
  CHECK(streams.Delete("default", "host.metrics", Soon()).code() == absl::StatusCode::kNotFound);
  CHECK(streams.Declare(Metrics(), Soon())->id != made->id);
}

TEST_CASE("only one of many concurrent declarations of a version wins", "[catalog]") {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  for (int32_t version : {0, 1}) {
    std::atomic<int> won = 0, lost = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        Stream stream = Metrics();
        stream.version = version;
        stream.fields.push_back({.name = "field" + std::to_string(i) + "_" + std::to_string(version)});
        const auto declared = streams.Declare(stream, Soon());
        ++(declared.ok() ? won : lost);
        if (!declared.ok()) RM_CHECK(declared.status().code() == absl::StatusCode::kAborted);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(won == 1);
    CHECK(lost == 7);
  }
}

TEST_CASE("a stream that makes no sense is refused", "[catalog]") {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  const auto code = [&](auto change) {
    Stream stream = Metrics();
    change(stream);
    return streams.Declare(stream, Soon()).status().code();
  };
  CHECK(code([](Stream& s) { s.name = "Bad"; }) == absl::StatusCode::kInvalidArgument);
  CHECK(code([](Stream& s) { s.partitions = 0; }) == absl::StatusCode::kInvalidArgument);
  CHECK(code([](Stream& s) { s.fields.push_back({.name = "host"}); }) == absl::StatusCode::kInvalidArgument);
  CHECK(code([](Stream& s) { s.tenant = "nobody"; }) == absl::StatusCode::kNotFound);
  CHECK(code([](Stream& s) { s.version = 1; }) == absl::StatusCode::kNotFound);
  REQUIRE(streams.Declare(Metrics(), Soon()).ok());
  CHECK(code([](Stream& s) { s.version = 1, s.partitions = 3; }) == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a lease has one owner, a new epoch at each change of hands, and an end", "[catalog]") {
  CatalogFixture catalog;
  LeaseStore leases(catalog.database());
  REQUIRE(leases.EnsurePartitions(2, Soon()).ok());
  REQUIRE(leases.EnsurePartitions(3, Soon()).ok());
  CHECK(leases.List(Soon())->size() == 3);

  const auto ada = leases.Acquire(0, "ada", "127.0.0.1:1", Soon());
  INFO(ada.status().ToString());
  REQUIRE(ada.ok());
  CHECK(ada->epoch == 1);
  CHECK(ada->remaining > absl::Seconds(8));
  CHECK(ada->remaining <= kLeaseTime);
  const int64_t version = *leases.Version(Soon());
  const auto refused = leases.Acquire(0, "bob", "127.0.0.1:2", Soon());
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(refused.status().ToString().find("ada") != std::string::npos);
  CHECK(leases.Acquire(9, "bob", "", Soon()).status().code() == absl::StatusCode::kNotFound);
  CHECK(leases.Renew("ada", {*ada}, Soon())->size() == 1);
  CHECK(*leases.Version(Soon()) == version);

  // Restarted under its own name: at once, with a new epoch; the old epoch can't renew.
  const auto again = leases.Acquire(0, "ada", "127.0.0.1:3", Soon());
  REQUIRE(again.ok());
  CHECK(again->epoch == 2);
  CHECK(leases.Renew("ada", {*ada}, Soon())->empty());

  // Handed over at once on a clean stop; a stale release changes nothing.
  CHECK(leases.Release(*ada, Soon()).ok());
  CHECK(leases.List(Soon())->front().owner == "ada");
  CHECK(leases.Release(*again, Soon()).ok());
  const auto bob = leases.Acquire(0, "bob", "127.0.0.1:2", Soon());
  REQUIRE(bob.ok());
  CHECK(bob->epoch == 3);
  CHECK(*leases.Version(Soon()) > version);

  // Past its time anybody may take it.
  REQUIRE(catalog.database().Execute(Soon(), "UPDATE leases SET expires_at = now() - interval '1 ms'").ok());
  CHECK(leases.Acquire(0, "cyd", "", Soon())->epoch == 4);
  CHECK(leases.Renew("bob", {*bob}, Soon())->empty());
}

TEST_CASE("owners that start together share the partitions without overlap", "[catalog]") {
  CatalogFixture catalog;
  LeaseStore leases(catalog.database());
  REQUIRE(leases.EnsurePartitions(12, Soon()).ok());
  std::vector<std::vector<Lease>> got(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < got.size(); ++i) {
    threads.emplace_back([&, i] {
      const std::string owner = "owner" + std::to_string(i);
      for (const absl::Time deadline = Soon(); got[i].size() < 3 && absl::Now() < deadline;) {
        auto more = leases.AcquireFree(owner, "a", 3 - static_cast<int>(got[i].size()), false, Soon());
        RM_CHECK(more.ok());
        got[i].insert(got[i].end(), more->begin(), more->end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int32_t> taken;
  for (const auto& part : got) {
    for (const Lease& lease : part) taken.insert(lease.partition);
  }
  CHECK(taken.size() == 12);
  CHECK(leases.AcquireFree("late", "a", 12, false, Soon())->empty());
  CHECK(leases.AcquireFree("owner1", "a", 12, true, Soon())->size() == 3);
}

TEST_CASE("a snapshot, its offset and its segments commit together", "[catalog]") {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  ManifestStore manifest(catalog.database());
  LeaseStore leases(catalog.database());
  SnapshotStore snapshots(catalog.database());
  REQUIRE(leases.EnsurePartitions(1, Soon()).ok());
  const Stream stream = *streams.Declare(Metrics(), Soon());
  const Lease lease = *leases.Acquire(0, "ada", "", Soon());
  CHECK(snapshots.List(0, Soon())->empty());

  const auto first = snapshots.Commit(CommitAt(lease, 10, {SegmentOf(stream, 0, 5), SegmentOf(stream, 5, 10)}), Soon());
  INFO(first.status().ToString());
  REQUIRE(first.ok());
  CHECK(snapshots.List(0, Soon())->front().offset == 10);
  CHECK(manifest.List({}, Soon())->size() == 2);
  CHECK(manifest.List({.stream_id = stream.id, .partition = 0, .from_us = 5'000'000, .to_us = 6'000'000}, Soon())
            ->size() == 1);
  CHECK(manifest.List({.stream_id = stream.id + 1}, Soon())->empty());
  CHECK(manifest.Changes(0, Soon())->added.size() == 2);

  // Said again, as after an unclear answer.
  REQUIRE(snapshots.Commit(CommitAt(lease, 10, {SegmentOf(stream, 0, 5), SegmentOf(stream, 5, 10)}), Soon()).ok());
  CHECK(manifest.List({}, Soon())->size() == 2);
  CHECK(snapshots.List(0, Soon())->size() == 1);

  // Compacted.
  const int64_t seen = *manifest.Version(Soon());
  const auto compacted = snapshots.Commit(
      CommitAt(lease, 11, {SegmentOf(stream, 0, 10)}, {SegmentOf(stream, 0, 5), SegmentOf(stream, 5, 10)}), Soon());
  REQUIRE(compacted.ok());
  CHECK(manifest.List({}, Soon())->size() == 1);
  const auto changes = manifest.Changes(seen, Soon());
  CHECK(changes->version == compacted->manifest_version);
  CHECK(changes->added.size() == 1);
  CHECK(changes->removed.size() == 2);
  CHECK(manifest.Removed(absl::Hours(1), 10, Soon())->empty());
  const auto removed = manifest.Removed(absl::ZeroDuration(), 10, Soon());
  REQUIRE(removed->size() == 2);
  CHECK(manifest.Purge({removed->at(0).object, removed->at(1).object, SegmentOf(stream, 0, 10).object}, Soon()).ok());
  CHECK(manifest.Removed(absl::ZeroDuration(), 10, Soon())->empty());
  CHECK(manifest.List({}, Soon())->size() == 1);
}

TEST_CASE("a stale owner commits nothing", "[catalog]") {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  ManifestStore manifest(catalog.database());
  LeaseStore leases(catalog.database());
  SnapshotStore snapshots(catalog.database());
  REQUIRE(leases.EnsurePartitions(1, Soon()).ok());
  const Stream stream = *streams.Declare(Metrics(), Soon());
  const Lease old = *leases.Acquire(0, "ada", "", Soon());
  REQUIRE(leases.Release(old, Soon()).ok());
  const auto code = [&](const Lease& lease, int64_t offset) {
    return snapshots.Commit(CommitAt(lease, offset, {SegmentOf(stream, 0, 5)}), Soon()).status().code();
  };
  CHECK(code(old, 5) == absl::StatusCode::kFailedPrecondition);
  const Lease now = *leases.Acquire(0, "bob", "", Soon());
  CHECK(code(old, 5) == absl::StatusCode::kFailedPrecondition);
  CHECK(manifest.List({}, Soon())->empty());
  CHECK(snapshots.List(0, Soon())->empty());
  CHECK(code(now, 5) == absl::StatusCode::kOk);
  CHECK(code(now, 4) == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a commit waits for whoever is taking its partition over, and is refused then", "[catalog]") {
  CatalogFixture catalog;
  LeaseStore leases(catalog.database());
  SnapshotStore snapshots(catalog.database());
  REQUIRE(leases.EnsurePartitions(1, Soon()).ok());
  const Lease old = *leases.Acquire(0, "ada", "", Soon());
  std::atomic<bool> done = false;
  absl::Status committed;
  std::thread committing;
  const auto waits = [&] {
    const auto waiting = catalog.database().Execute(
        Soon(), "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
    return waiting.ok() && !waiting->empty();
  };
  RM_CHECK_OK(catalog.database().Run(Soon(), [&](Transaction& taking) -> absl::Status {
    RM_RETURN_IF_ERROR(taking.Execute("UPDATE leases SET owner = 'bob', epoch = epoch + 1").status());
    committing = std::thread([&] {
      committed = snapshots.Commit(CommitAt(old, 5), Soon()).status();
      done = true;
    });
    CHECK(testing::Eventually([&] { return done || waits(); }));
    return absl::OkStatus();
  }));
  committing.join();
  CHECK(committed.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(snapshots.List(0, Soon())->empty());
}

TEST_CASE("the last three snapshots are kept and the others' objects are named for deletion", "[catalog]") {
  CatalogFixture catalog;
  LeaseStore leases(catalog.database());
  SnapshotStore snapshots(catalog.database());
  REQUIRE(leases.EnsurePartitions(1, Soon()).ok());
  const Lease lease = *leases.Acquire(0, "ada", "", Soon());
  std::vector<std::string> obsolete;
  for (int64_t offset : {1, 2, 3, 4, 5}) {
    const auto committed = snapshots.Commit(CommitAt(lease, offset), Soon());
    REQUIRE(committed.ok());
    obsolete.insert(obsolete.end(), committed->obsolete_objects.begin(), committed->obsolete_objects.end());
  }
  CHECK(obsolete == std::vector<std::string>{"snap/1-1", "snap/2-1"});
  const auto kept = snapshots.List(0, Soon());
  REQUIRE(kept->size() == 3);
  CHECK(kept->front().offset == 5);

  // A replay from 3 on makes anew what those beyond it count on.
  SnapshotCommit replayed = CommitAt(lease, 6);
  replayed.replayed_from = 3;
  const auto committed = snapshots.Commit(replayed, Soon());
  REQUIRE(committed.ok());
  CHECK(std::set<std::string>(committed->obsolete_objects.begin(), committed->obsolete_objects.end()) ==
        std::set<std::string>{"snap/4-1", "snap/5-1"});
  const auto left = snapshots.List(0, Soon());
  REQUIRE(left->size() == 2);
  CHECK(left->front().offset == 6);
  CHECK(left->back().offset == 3);
  CHECK(snapshots.Commit(replayed, Soon()).ok());  // its outcome was unknown
  CHECK(snapshots.List(0, Soon())->size() == 2);
}

TEST_CASE("segments of a deleted stream go out of the manifest and don't come back", "[catalog]") {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  ManifestStore manifest(catalog.database());
  LeaseStore leases(catalog.database());
  SnapshotStore snapshots(catalog.database());
  REQUIRE(leases.EnsurePartitions(1, Soon()).ok());
  const Stream stream = *streams.Declare(Metrics(), Soon());
  const Lease lease = *leases.Acquire(0, "ada", "", Soon());
  REQUIRE(snapshots.Commit(CommitAt(lease, 5, {SegmentOf(stream, 0, 5)}), Soon()).ok());
  REQUIRE(streams.Delete("default", stream.name, Soon()).ok());
  CHECK(manifest.List({}, Soon())->empty());
  CHECK(manifest.Removed(absl::ZeroDuration(), 10, Soon())->size() == 1);
  const auto committed = snapshots.Commit(CommitAt(lease, 9, {SegmentOf(stream, 5, 9)}), Soon());
  REQUIRE(committed.ok());
  CHECK(committed->obsolete_objects == std::vector<std::string>{SegmentOf(stream, 5, 9).object});
  CHECK(manifest.List({}, Soon())->empty());
}

TEST_CASE("the first of several processes sets a shared value", "[catalog]") {
  CatalogFixture catalog;
  SettingsStore settings(catalog.database());
  CHECK(settings.Get("secret", Soon()).status().code() == absl::StatusCode::kNotFound);
  CHECK(*settings.GetOrSet("secret", std::string("a\0b", 3), Soon()) == std::string("a\0b", 3));
  CHECK(*settings.GetOrSet("secret", "other", Soon()) == std::string("a\0b", 3));
  CHECK(settings.Set("secret", "new", Soon()).ok());
  CHECK(*settings.Get("secret", Soon()) == "new");
}

}  // namespace
}  // namespace rivermeet::catalog
