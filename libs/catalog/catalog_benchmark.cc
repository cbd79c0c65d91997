// What the catalog costs its callers, on a real server with fsync on.
#include <benchmark/benchmark.h>

#include "base/status.h"
#include "catalog/lease_store.h"
#include "catalog/postgres_fixture.h"
#include "catalog/snapshot_store.h"
#include "catalog/stream_store.h"

namespace rivermeet::catalog {
namespace {

absl::Time Soon() { return CatalogFixture::Soon(); }

// Stop and start of a server that has a cluster.
void BM_Restart(benchmark::State& state) {
  ServerTempDir folder;
  auto postgres = *PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  RM_CHECK_OK(postgres->Start(Soon()));
  for (auto _ : state) {
    state.PauseTiming();
    RM_CHECK_OK(postgres->Stop(Soon()));
    state.ResumeTiming();
    RM_CHECK_OK(postgres->Start(Soon()));
  }
}
BENCHMARK(BM_Restart)->Unit(benchmark::kMillisecond)->Iterations(10)->UseRealTime();

// The poll that every service makes each second.
void BM_StreamVersion(benchmark::State& state) {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  for (auto _ : state) RM_CHECK_OK(streams.Version(Soon()).status());
}
BENCHMARK(BM_StreamVersion)->Unit(benchmark::kMicrosecond)->UseRealTime();

void BM_RenewLease(benchmark::State& state) {
  CatalogFixture catalog;
  LeaseStore leases(catalog.database());
  RM_CHECK_OK(leases.EnsurePartitions(1, Soon()));
  const Lease lease = *leases.Acquire(0, "ada", "", Soon());
  for (auto _ : state) RM_CHECK(leases.Renew("ada", {lease}, Soon())->size() == 1);
}
BENCHMARK(BM_RenewLease)->Unit(benchmark::kMicrosecond)->UseRealTime();

// A snapshot with as many segments as the argument.
void BM_CommitSnapshot(benchmark::State& state) {
  CatalogFixture catalog;
  StreamStore streams(catalog.database());
  LeaseStore leases(catalog.database());
  SnapshotStore snapshots(catalog.database());
  Stream stream;
  stream.tenant = "default";
  stream.name = "s";
  stream = *streams.Declare(stream, Soon());
  RM_CHECK_OK(leases.EnsurePartitions(1, Soon()));
  const Lease lease = *leases.Acquire(0, "ada", "", Soon());
  int64_t offset = 0;
  for (auto _ : state) {
    SnapshotCommit commit;
    for (int64_t i = 0; i < state.range(0); ++i, ++offset) {
      commit.added.push_back({.stream_id = stream.id,
                              .tenant = "default",
                              .resolution = absl::Seconds(1),
                              .first_offset = offset,
                              .end_offset = offset + 1,
                              .object = "s/" + std::to_string(offset),
                              .rows = 1,
                              .bytes = 1});
    }
    commit.snapshot = {.epoch = lease.epoch, .offset = ++offset, .object = std::to_string(offset)};
    RM_CHECK_OK(snapshots.Commit(commit, Soon()).status());
  }
}
BENCHMARK(BM_CommitSnapshot)->Arg(0)->Arg(10)->Arg(100)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace rivermeet::catalog

BENCHMARK_MAIN();
