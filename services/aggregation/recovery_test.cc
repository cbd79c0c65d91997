// A life ended by SIGKILL at each step, or by a damaged snapshot, makes no difference to what comes after.
#include "aggregation/recovery.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <regex>

#include "aggregation/test_world.h"
#include "catalog/lease_store.h"
#include "catalog/postgres_fixture.h"
#include "catalog/stream_store.h"
#include "objects/file_object_store.h"
#include "segments/segment_reader.h"

namespace rivermeet::aggregation {
namespace {

// Where three lives stop reading.
constexpr int64_t kFirst = 99;
constexpr int64_t kMiddle = 199;
constexpr int64_t kLast = 299;

void FillLog(const std::string& folder, uint64_t seed) {
  std::mt19937_64 random(seed);
  auto log = OpenLog(folder, 1);
  for (int64_t record = 0; record <= kLast; ++record) {
    std::vector<windows::TestEvent> events;
    for (uint64_t e = 0; e < 1 + random() % 8; ++e) {
      windows::TestEvent event{kStart + record * kSecond - static_cast<int64_t>(random() % 4) * kSecond, {}, {}, {}};
      event.dimensions["host"] = std::to_string(random() % (record < 50 ? 3 : 7));
      event.float64["x"] = static_cast<double>(random() % 100);
      if (record > 120) event.int64["n"] = static_cast<int64_t>(record) * 3;
      events.push_back(event);
    }
    // Some sequences come twice.
    const uint64_t sequence = random() % 10 == 0 ? static_cast<uint64_t>(record) : static_cast<uint64_t>(record) + 1;
    Append(*log, 0, std::max<uint64_t>(sequence, 1), events);
  }
}

struct Life {
  bool killed = false;
  int64_t restored = -2;
  std::string came_to;  // state and segments
};

struct World {
  catalog::ServerTempDir folder;
  catalog::CatalogFixture catalog;
  std::string log = folder / "log";

  explicit World(const std::string& log_to_copy) {
    std::filesystem::copy(log_to_copy, log, std::filesystem::copy_options::recursive);
    RM_CHECK_OK(catalog.database().Execute(Soon(), "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')").status());
    catalog::Stream stream;
    stream.tenant = "acme";
    stream.name = "s";
    stream.fields = {{.name = "host"}};
    const auto declared = catalog::StreamStore(catalog.database()).Declare(stream, Soon());
    RM_CHECK_OK(declared.status());
    RM_CHECK(declared->id == 1);
  }

  Life Live(int64_t through, const std::string& crash_at = "") {
    int pipe_ends[2];
    RM_CHECK(pipe(pipe_ends) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    std::vector<std::string> words = {
        RECOVERY_CHILD, log, folder / "objects", folder / "scratch", catalog.connection(), std::to_string(through)};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> variables;
    for (char** one = environ; *one != nullptr; ++one) variables.emplace_back(*one);
    if (!crash_at.empty()) variables.push_back("RIVERMEET_CRASH_AT=" + crash_at);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    pid_t pid = 0;
    RM_CHECK(posix_spawn(&pid, RECOVERY_CHILD, &actions, nullptr, arguments.data(), environment.data()) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    std::string output;
    char buffer[4096];
    for (ssize_t got; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) output.append(buffer, got);
    close(pipe_ends[0]);
    int status = 0;
    RM_CHECK(waitpid(pid, &status, 0) == pid);
    Life life;
    life.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (life.killed) return life;
    INFO(output);
    REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    std::smatch match;
    REQUIRE(std::regex_search(output, match, std::regex("restored (-?[0-9]+) (state .*)")));
    life.restored = std::stoll(match[1]);
    life.came_to = match[2];
    return life;
  }

  std::vector<std::string> ObjectsOf(std::string_view kind) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "objects")) {
      const std::string path = entry.path();
      if (entry.is_regular_file() && path.find("/" + std::string(kind) + "/") != std::string::npos) {
        found.push_back(path);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

// Logs are the same for all: the append times are in them.
struct SharedLog {
  testing::TempDir folder;
  uint64_t seed = std::random_device()();
  SharedLog() {
    FillLog(folder / "log", seed);
    std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  }
};

TEST_CASE("a kill at any step of a snapshot changes nothing of what comes after", "[recovery]") {
  SharedLog shared;
  CAPTURE(shared.seed);
  std::string expected;
  {
    World undisturbed(shared.folder / "log");
    undisturbed.Live(kFirst);
    undisturbed.Live(kMiddle);
    expected = undisturbed.Live(kLast).came_to;
    CHECK(expected.find("segment-rows 0") == std::string::npos);
  }
  for (const std::string point :
       {"segment.before_write:1", "segment.after_write:1", "segment.after_write:3", "snapshot.before_put:1",
        "snapshot.after_put:1", "snapshot.before_commit:1", "catalog.snapshot.before_commit:1",
        "catalog.snapshot.after_commit:1", "snapshot.after_commit:1", "snapshot.after_cleanup:1"}) {
    CAPTURE(point);
    World world(shared.folder / "log");
    CHECK(world.Live(kFirst).restored == -1);
    REQUIRE(world.Live(kMiddle, point).killed);
    const bool committed = point.find("after_commit") != std::string::npos || point == "snapshot.after_cleanup:1";
    const Life next = world.Live(kMiddle);
    CHECK(next.restored == (committed ? kMiddle : kFirst));
    CHECK(world.Live(kLast).came_to == expected);
    // Nothing is left over: three resolutions a segment span, three snapshots.
    const auto manifest = catalog::ManifestStore(world.catalog.database()).List({}, Soon());
    REQUIRE(manifest.ok());
    CHECK(world.ObjectsOf("segments").size() == manifest->size());
    CHECK(world.ObjectsOf("snapshots").size() == 3);
  }
}

TEST_CASE("a damaged snapshot is passed over for the one before it", "[recovery]") {
  SharedLog shared;
  CAPTURE(shared.seed);
  World undisturbed(shared.folder / "log");
  undisturbed.Live(kFirst);
  undisturbed.Live(kMiddle);
  const std::string expected = undisturbed.Live(kLast).came_to;

  World world(shared.folder / "log");
  world.Live(kFirst);
  world.Live(kMiddle);
  const auto snapshots = world.ObjectsOf("snapshots");
  REQUIRE(snapshots.size() == 2);
  const auto flip = [](const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(500);
    const int byte = file.get();
    file.seekp(500);
    file.put(static_cast<char>(byte ^ 4));
  };
  flip(snapshots[1]);
  const Life second = world.Live(kLast);
  CHECK(second.restored == kFirst);
  CHECK(second.came_to == expected);
  // All damaged: the log reaches back to the beginning.
  const auto left = world.ObjectsOf("snapshots");
  CHECK(world.ObjectsOf("damaged").size() == 1);
  for (const std::string& path : left) {
    if (path.find("/damaged/") == std::string::npos) flip(path);
  }
  const Life third = world.Live(kLast);
  CHECK(third.restored == -1);
  CHECK(world.ObjectsOf("damaged").size() == 3);
  CHECK(third.came_to == expected);
}

// What a recovery reads, and nothing that was folded into it yet.
struct Sources {
  catalog::CatalogFixture catalog;
  testing::TempDir folder;
  std::unique_ptr<eventlog::EventLog> log = OpenLog(folder / "log", 1);
  std::unique_ptr<objects::FileObjectStore> objects =
      objects::FileObjectStore::Open({.folder = folder / "objects"}).value();
  catalog::SnapshotStore snapshots{catalog.database()};
  catalog::ManifestStore manifest{catalog.database()};
  const RecoverySources all{*log, *objects, snapshots, manifest};
};

TEST_CASE("a partition whose log no longer reaches its snapshot is refused, not guessed", "[recovery]") {
  Sources sources;
  catalog::LeaseStore leases(sources.catalog.database());
  RM_CHECK_OK(leases.EnsurePartitions(1, Soon()));
  const auto lease = leases.Acquire(0, "test", "nowhere", Soon()).value();
  prometheus::Registry registry;
  AggregationMetrics metrics(registry);
  PartitionMetrics partition_metrics = metrics.Of(0);
  CHECK(Recover(0, sources.all, windows::FoldOptions(), partition_metrics, Soon).ok());
  RM_CHECK_OK(sources.objects->Put("snapshots/events/p0/x", "not a snapshot", Soon()));
  catalog::SnapshotCommit commit;
  commit.snapshot.epoch = lease.epoch;
  commit.snapshot.offset = 5;
  commit.snapshot.object = "snapshots/events/p0/x";
  RM_CHECK_OK(sources.snapshots.Commit(commit, Soon()).status());
  // A log that ends before it can't be the one that was folded.
  for (uint64_t record = 1; record <= 4; ++record)
    Append(*sources.log, 0, record, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  const absl::Status short_log = Recover(0, sources.all, windows::FoldOptions(), partition_metrics, Soon).status();
  const std::string message(short_log.message());
  CAPTURE(message);
  CHECK(short_log.code() == absl::StatusCode::kDataLoss);
  CHECK(message.find("ends at offset 4") != std::string::npos);
  CHECK(message.find("up to offset 5") != std::string::npos);
  Append(*sources.log, 0, 5, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  // The log begins at 0, so that a replay of all of it is whole.
  CHECK(Recover(0, sources.all, windows::FoldOptions(), partition_metrics, Soon).ok());
  CHECK(partition_metrics.damaged_snapshots.Value() == 1);
}

TEST_CASE("who was slow to restore removes nothing of the next owner's", "[recovery]") {
  Sources sources;
  catalog::Segment segment;
  segment.first_offset = 0;
  segment.end_offset = 7;
  std::vector<std::string> names;
  for (const uint64_t epoch : {4, 5, 6}) {
    names.push_back(SnapshotObject(0, 7, epoch));
    names.push_back(SegmentObject(segment, epoch) + segments::SegmentObjectSuffix(0xe7e7e7e7));
  }
  names.push_back("snapshots/events/p0/somebody-else");
  for (const std::string& name : names) RM_CHECK_OK(sources.objects->Put(name, "x", Soon()));
  RM_CHECK_OK(RemoveOrphans(0, 5, sources.all, Recovered(), Soon));
  for (size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(sources.objects->Stat(names[i], Soon()).ok() == (i >= 2));
  }
}

}  // namespace
}  // namespace rivermeet::aggregation
