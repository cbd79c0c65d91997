// The whole service over a real log, a real PostgreSQL and real files.
#include "aggregation/aggregation_module.h"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <thread>

#include "aggregation/recovery.h"
#include "aggregation/test_world.h"
#include "catalog/lease_store.h"
#include "catalog/manifest_store.h"
#include "catalog/postgres_fixture.h"
#include "catalog/snapshot_store.h"
#include "catalog/stream_store.h"
#include "objects/file_object_store.h"
#include "rivermeet/aggregation/v1/aggregation.grpc.pb.h"
#include "rpc/server.h"
#include "segments/segment_reader.h"
#include "testing/eventually.h"

namespace rivermeet::aggregation {
namespace {

class AcmeToken final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view, absl::Time) override {
    authn::Principal principal;
    principal.subject = "ada";
    principal.tenant = "acme";
    principal.role = authn::Role::kViewer;
    return principal;
  }
};

// Holds up who reads a snapshot of partition 1 until it is opened.
class GatedStore final : public objects::ObjectStore {
 public:
  explicit GatedStore(objects::ObjectStore& store) : store_(store) {}

  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  bool waited_for() {
    MutexLock lock(mutex_);
    return waited_for_;
  }

  absl::StatusOr<std::string> Get(const std::string& key, absl::Time deadline) override {
    if (key.starts_with(SnapshotFolder(1))) {
      MutexLock lock(mutex_);
      waited_for_ = true;
      while (!open_) changed_.Wait(mutex_);
    }
    return store_.Get(key, deadline);
  }
  absl::Status Put(const std::string& key, std::string_view contents, absl::Time deadline) override {
    return store_.Put(key, contents, deadline);
  }
  absl::Status PutIfAbsent(const std::string& key, std::string_view contents, absl::Time deadline) override {
    return store_.PutIfAbsent(key, contents, deadline);
  }
  absl::Status PutFile(const std::string& key, const std::string& path, absl::Time deadline) override {
    return store_.PutFile(key, path, deadline);
  }
  absl::StatusOr<std::string> GetRange(const std::string& key, int64_t offset, int64_t length,
                                       absl::Time deadline) override {
    return store_.GetRange(key, offset, length, deadline);
  }
  absl::StatusOr<objects::ObjectInfo> Stat(const std::string& key, absl::Time deadline) override {
    return store_.Stat(key, deadline);
  }
  absl::StatusOr<std::vector<objects::ObjectInfo>> List(const std::string& prefix, const std::string& after,
                                                        size_t limit, absl::Time deadline) override {
    return store_.List(prefix, after, limit, deadline);
  }
  absl::Status Remove(const std::string& key, absl::Time deadline) override { return store_.Remove(key, deadline); }
  std::optional<std::string> LocalPath(const std::string& key) const override { return store_.LocalPath(key); }

 private:
  objects::ObjectStore& store_;
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool waited_for_ ABSL_GUARDED_BY(mutex_) = false;
};

struct Machine {
  testing::TempDir folder;
  catalog::CatalogFixture catalog;
  std::unique_ptr<eventlog::LocalEventLog> log = OpenLog(folder / "log", 2);
  std::unique_ptr<objects::FileObjectStore> objects;
  AcmeToken verifier;
  rpc::BearerVerifier bearers{{}, verifier};
  rpc::Authorizer authorizer{bearers};

  explicit Machine(absl::Duration retention = absl::InfiniteDuration()) {
    objects::FileObjectStoreOptions options;
    options.folder = folder / "objects";
    objects = objects::FileObjectStore::Open(options).value();
    RM_CHECK_OK(catalog.database().Execute(Soon(), "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')").status());
    catalog::Stream stream;
    stream.tenant = "acme";
    stream.name = "s";
    stream.partitions = 2;
    stream.fields = {{.name = "host"}};
    stream.retention = retention;
    RM_CHECK_OK(catalog::StreamStore(catalog.database()).Declare(stream, Soon()).status());
  }
};

// A process's part.
struct Process {
  Machine& machine;
  prometheus::Registry registry;
  std::unique_ptr<AggregationModule> module;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<v1::AggregationService::Stub> stub;

  Process(Machine& machine, const std::string& owner, absl::Duration interval = absl::Hours(1),
          objects::ObjectStore* objects = nullptr)
      : machine(machine) {
    config::v1::AggregationConfig config;
    config.set_owner_name(owner);
    config.mutable_snapshot_interval()->set_seconds(absl::ToInt64Seconds(interval));
    config.mutable_snapshot_interval()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(interval % absl::Seconds(1))));
    config.mutable_hot_age()->set_seconds(0);
    config.mutable_lease()->set_seconds(2);
    config.mutable_lease_renewal()->set_nanos(200'000'000);
    AggregationDependencies needs;
    needs.log = machine.log.get();
    needs.objects = objects != nullptr ? objects : machine.objects.get();
    needs.database = &machine.catalog.database();
    needs.authorizer = &machine.authorizer;
    needs.registry = &registry;
    needs.scratch_folder = machine.folder / "scratch";
    module = AggregationModule::Open(config, needs, Soon()).value();
    server = rpc::Server::Start({.listen = ""}, {&module->service()}).value();
    RM_CHECK_OK(module->Start("address-of-" + owner, Soon()));
    stub = v1::AggregationService::NewStub(server->InProcessChannel());
  }
  ~Process() {
    module->Stop(Soon());
    server->Stop(absl::Now() + absl::Seconds(1));
  }

  grpc::Status Wait(const std::map<uint32_t, int64_t>& positions) {
    v1::WaitForOffsetsRequest request;
    for (const auto& [partition, offset] : positions) {
      auto& position = *request.add_positions();
      position.set_partition(partition);
      position.set_through_offset(offset);
    }
    grpc::ClientContext context;
    rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(20));
    v1::WaitForOffsetsResponse response;
    return stub->WaitForOffsets(&context, request, &response);
  }

  // Events by window, memory and segments together.
  std::map<int64_t, uint64_t> Read(const v1::PartialsQuery& query, int* segments = nullptr) {
    std::map<int64_t, uint64_t> events;
    std::vector<v1::SegmentReference> references;
    const auto add = [&](const v1::Partials& partials) {
      for (int r = 0; r < partials.window_start_us_size(); ++r) {
        events[partials.window_start_us(r)] += partials.event_count(r);
      }
    };
    grpc::ClientContext context;
    rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(20));
    v1::ReadPartialsRequest request;
    *request.mutable_query() = query;
    auto stream = stub->ReadPartials(&context, request);
    v1::ReadPartialsResponse response;
    while (stream->Read(&response)) {
      add(response.partials());
      references.insert(references.end(), response.segments().begin(), response.segments().end());
    }
    const grpc::Status status = stream->Finish();
    INFO(status.error_message());
    CHECK(status.ok());
    if (segments != nullptr) *segments = static_cast<int>(references.size());
    segments::SegmentReader reader({machine.objects.get(), machine.folder / "objects"});
    RM_CHECK_OK(reader.Read(query, references, Soon(), nullptr, [&](const v1::Partials& partials) {
      add(partials);
      return absl::OkStatus();
    }));
    return events;
  }
};

// A watch of partition 1 that has its snapshot.
struct Watch {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchPartialsResponse>> stream;
  v1::WatchPartialsResponse response;

  explicit Watch(Process& process) {
    rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(20));
    v1::WatchPartialsRequest request;
    *request.mutable_query() = Query({1});
    stream = process.stub->WatchPartials(&context, request);
    REQUIRE(stream->Read(&response));
  }
  // How it ends.
  grpc::StatusCode Finish() {
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  }
};

// One event a second and partition, for `seconds`; gives the last offsets.
std::map<uint32_t, int64_t> Feed(Machine& machine, int64_t from, int64_t seconds) {
  std::map<uint32_t, int64_t> last;
  for (uint32_t partition = 0; partition < 2; ++partition) {
    std::vector<windows::TestEvent> events;
    for (int64_t second = 0; second < seconds; ++second) {
      events.push_back({kStart + (from + second) * kSecond, {{"host", "a"}}, {{"x", 1}}, {}});
    }
    last[partition] = Append(*machine.log, partition, static_cast<uint64_t>(from + 1), events);
  }
  return last;
}

TEST_CASE("memory and segments together give every event once, across a restart", "[module]") {
  Machine machine;
  std::map<int64_t, uint64_t> expected;
  for (int64_t minute = 0; minute < 10; ++minute) expected[kStart + minute * 60 * kSecond] = 120;
  {
    Process process(machine, "one");
    CHECK(process.Wait(Feed(machine, 0, 300)).ok());
    CHECK(process.Wait(Feed(machine, 300, 300)).ok());
    CHECK(process.Read(Query({0, 1}, 60 * kSecond)) == expected);
  }
  // The clean stop has stored what was closed.
  int segments = 0;
  Process process(machine, "one");
  CHECK(process.Read(Query({0, 1}, 60 * kSecond), &segments) == expected);
  CHECK(segments == 2);
  for (const int64_t step : {kSecond, 10 * kSecond, 120 * kSecond}) {
    uint64_t events = 0;
    for (const auto& [window, count] : process.Read(Query({0, 1}, step))) events += count;
    CHECK(events == 1200);
  }
  CHECK(catalog::ManifestStore(machine.catalog.database()).List({}, Soon())->size() == 6);
}

TEST_CASE("snapshots are taken while the fold goes on and reads stay whole", "[module]") {
  Machine machine;
  Process process(machine, "one", absl::Milliseconds(20));
  catalog::ManifestStore manifest(machine.catalog.database());
  std::map<uint32_t, int64_t> last;
  size_t stored = 0;
  for (int64_t minute = 0; minute < 30; ++minute) {
    last = Feed(machine, minute * 60, 60);
    CHECK(process.Wait(last).ok());
    // However slow the machine is, some of it is stored by then.
    if (minute % 10 == 9) CHECK(testing::Eventually([&] { return manifest.List({}, Soon())->size() > stored; }));
    if (minute % 10 == 9) stored = manifest.List({}, Soon())->size();
    uint64_t events = 0;
    for (const auto& [window, count] : process.Read(Query({0, 1}, 60 * kSecond))) events += count;
    CHECK(events == static_cast<uint64_t>(minute + 1) * 120);
  }
  catalog::SnapshotStore snapshots(machine.catalog.database());
  CHECK(testing::Eventually([&] {
    const auto list = snapshots.List(0, Soon());
    return list.ok() && !list->empty() && list->front().offset == last[0] + 1;
  }));
  CHECK(stored > 6);
}

TEST_CASE("a clean stop hands over at once", "[module]") {
  Machine machine;
  std::map<uint32_t, int64_t> last;
  {
    Process one(machine, "one");
    last = Feed(machine, 0, 60);
    CHECK(one.Wait(last).ok());
  }
  Process two(machine, "two");
  CHECK(two.Wait(last).ok());
  const auto leases = catalog::LeaseStore(machine.catalog.database()).List(Soon());
  REQUIRE(leases.ok());
  for (const auto& lease : *leases) {
    CHECK(lease.owner == "two");
    CHECK(lease.address == "address-of-two");
    CHECK(lease.epoch == 2);
  }
}

TEST_CASE("an owner whose partition was taken stops answering for it", "[module]") {
  Machine machine;
  Process one(machine, "one");
  CHECK(one.Wait(Feed(machine, 0, 60)).ok());
  Watch watch(one);
  // Somebody else takes it: what would have to wait for the lease's end is written by hand.
  RM_CHECK_OK(
      machine.catalog.database()
          .Execute(Soon(),
                   "UPDATE leases SET owner = 'two', epoch = epoch + 1, expires_at = 'infinity' WHERE partition = 1")
          .status());
  CHECK(testing::Eventually([&] {
    grpc::ClientContext context;
    rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(20));
    v1::ReadPartialsRequest request;
    *request.mutable_query() = Query({1});
    auto stream = one.stub->ReadPartials(&context, request);
    v1::ReadPartialsResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code() == grpc::StatusCode::FAILED_PRECONDITION;
  }));
  CHECK(watch.Finish() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(one.Wait({{0, 0}}).ok());
}

TEST_CASE("a process that stops ends the watches of what it owned", "[module]") {
  Machine machine;
  Process one(machine, "one");
  // Nothing was folded: no snapshot wakes who watches.
  Watch watch(one);
  one.module->Stop(Soon());
  CHECK(watch.Finish() == grpc::StatusCode::FAILED_PRECONDITION);
}

// A process that serves partition 0 and restores partition 1 until `gate` is opened.
struct SlowRestore {
  Machine machine;
  catalog::LeaseStore leases{machine.catalog.database()};
  std::map<uint32_t, int64_t> last;
  GatedStore gate{*machine.objects};
  std::optional<Process> process;

  SlowRestore() {
    {
      Process before(machine, "before");
      last = Feed(machine, 0, 60);
      CHECK(before.Wait(last).ok());
    }
    const auto other = catalog::LeaseStore(machine.catalog.database(), "events", absl::Hours(1))
                           .Acquire(1, "other", "elsewhere", Soon());
    REQUIRE(other.ok());
    process.emplace(machine, "one", absl::Hours(1), &gate);
    CHECK(process->Wait({{0, last[0]}}).ok());
    RM_CHECK_OK(leases.Release(*other, Soon()));
    REQUIRE(testing::Eventually([&] { return gate.waited_for(); }));
  }
  ~SlowRestore() { gate.Open(); }

  catalog::Lease lease_of(int32_t partition) { return leases.List(Soon()).value()[static_cast<size_t>(partition)]; }
};

TEST_CASE("restoring a partition takes longer than a lease and costs none", "[module]") {
  SlowRestore slow;
  Process& process = *slow.process;
  const int64_t epochs[] = {slow.lease_of(0).epoch, slow.lease_of(1).epoch};
  // By the database's clock: a lease is 2 s.
  const auto now = [&] {
    return (*slow.machine.catalog.database().Execute(Soon(), "SELECT extract(epoch FROM clock_timestamp())::bigint"))[0]
        .Int(0);
  };
  const int64_t begun = now();
  CHECK(testing::Eventually([&] { return now() > begun + 3; }));
  for (const int32_t partition : {0, 1}) {
    CAPTURE(partition);
    CHECK(slow.lease_of(partition).owner == "one");
    CHECK(slow.lease_of(partition).epoch == epochs[partition]);
    CHECK(slow.lease_of(partition).remaining > absl::ZeroDuration());
  }
  CHECK(process.Wait({{0, slow.last[0]}}).ok());
  CHECK(process.Wait({{1, slow.last[1]}}).error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  slow.gate.Open();
  CHECK(testing::Eventually([&] { return process.Wait({{1, slow.last[1]}}).ok(); }));
  CHECK(slow.lease_of(1).epoch == epochs[1]);
}

TEST_CASE("a stop hands over what is served before it waits for what is being restored", "[module]") {
  SlowRestore slow;
  std::thread stopping([&] { slow.process->module->Stop(Soon()); });
  CHECK(testing::Eventually([&] { return slow.lease_of(0).remaining <= absl::ZeroDuration(); }));
  slow.gate.Open();
  stopping.join();
  CHECK(slow.lease_of(1).remaining <= absl::ZeroDuration());
}

TEST_CASE("what is past the stream's retention leaves the manifest", "[module]") {
  Machine machine(absl::Minutes(10));
  catalog::ManifestStore manifest(machine.catalog.database());
  {
    Process process(machine, "one");
    CHECK(process.Wait(Feed(machine, 0, 300)).ok());
  }
  CHECK(manifest.List({}, Soon())->size() == 6);
  {
    Process process(machine, "one");
    CHECK(process.Wait(Feed(machine, 3000, 300)).ok());
  }
  const auto left = manifest.List({}, Soon());
  REQUIRE(left.ok());
  for (const auto& segment : *left) {
    CHECK(segment.last_window_us + absl::ToInt64Microseconds(segment.resolution) > kStart + 2500 * kSecond);
  }
}

TEST_CASE("a deleted stream leaves memory at once and what still comes of it is nobody's", "[module]") {
  Machine machine;
  catalog::StreamStore streams(machine.catalog.database());
  catalog::Stream other;
  other.tenant = "acme";
  other.name = "other";
  other.fields = {{.name = "host"}};
  const uint64_t other_id = streams.Declare(other, Soon())->id;
  const auto append = [&](uint64_t stream_id, uint64_t sequence) {
    events::v1::RecordHeader header = windows::MakeHeader(sequence, 1);
    header.set_stream_id(stream_id);
    return Append(*machine.log, 0, header, {{kStart, {{"host", "b"}}, {{"x", 1}}, {}}});
  };
  const auto events = [](Process& process, uint64_t stream_id) {
    v1::PartialsQuery query = Query({0, 1}, 60 * kSecond);
    query.set_stream_id(stream_id);
    uint64_t total = 0;
    for (const auto& [window, count] : process.Read(query)) total += count;
    return total;
  };
  {
    // With a snapshot of its state in the catalog, and one segment at least.
    Process process(machine, "one");
    CHECK(process.Wait(Feed(machine, 0, 300)).ok());
  }
  int64_t last = 0;
  {
    Process process(machine, "one");
    CHECK(events(process, 1) == 600);
    CHECK(process.Wait({{0, append(other_id, 1'000)}}).ok());
    RM_CHECK_OK(streams.Delete("acme", "s", Soon()));
    CHECK(testing::Eventually([&] { return events(process, 1) == 0; }));
    // Of a batch that was under way when the stream was deleted.
    last = append(1, 1'001);
    CHECK(process.Wait({{0, last}}).ok());
    CHECK(events(process, 1) == 0);
    CHECK(events(process, other_id) == 1);
  }
  // Neither does a restart bring it back, nor a stream of the same name.
  RM_CHECK_OK(
      machine.catalog.database().Execute(Soon(), "DELETE FROM snapshots WHERE record_offset > $1", {last}).status());
  catalog::Stream again = other;
  again.name = "s";
  const auto recreated = streams.Declare(again, Soon());
  REQUIRE(recreated.ok());
  CHECK(recreated->id > other_id);
  Process process(machine, "one");
  CHECK(process.Wait({{0, last}}).ok());
  CHECK(testing::Eventually([&] { return events(process, 1) == 0; }));
  CHECK(events(process, recreated->id) == 0);
  CHECK(events(process, other_id) == 1);
}

TEST_CASE("settings out of their range are refused by name", "[module]") {
  config::v1::AggregationConfig config;
  config.set_owner_name("one");
  config.mutable_lease()->set_seconds(3);
  config.mutable_lease_renewal()->set_seconds(3);
  const auto refused_for = [](const config::v1::AggregationConfig& wrong, const std::string& name) {
    CAPTURE(name);
    const auto opened = AggregationModule::Open(wrong, {}, Soon());
    CHECK(opened.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(opened.status().message()).find("aggregation." + name + " is") != std::string::npos);
  };
  refused_for(config, "lease_renewal");
  config.mutable_lease_renewal()->set_seconds(1);
  auto wrong = config;
  wrong.set_hot_bytes(1);
  refused_for(wrong, "hot_bytes");
  wrong = config;
  wrong.set_snapshot_bytes(uint64_t{1} << 60);
  refused_for(wrong, "snapshot_bytes");
  wrong = config;
  wrong.set_max_series(100'000'001);
  refused_for(wrong, "max_series");
}

}  // namespace
}  // namespace rivermeet::aggregation
