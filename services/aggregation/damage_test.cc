// Snapshots and segments: power lost at any operation on the disk, and any bit
// flipped or file cut while nothing runs. What is read afterwards is what the log adds up to, or an error that names
// the file.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>

#include "aggregation/owner_life.h"
#include "catalog/postgres_fixture.h"
#include "catalog/stream_store.h"
#include "files/file_system.h"
#include "objects/file_object_store.h"
#include "segments/segment_reader.h"
#include "testing/lossy_file_system.h"

namespace rivermeet::aggregation {
namespace {

// Where lives stop reading. A record a second, so that each leaves minutes to be stored.
constexpr int64_t kFirst = 149;
constexpr int64_t kMiddle = 299;
constexpr int64_t kLast = 449;

using Results = std::map<int64_t, std::pair<uint64_t, double>>;  // by window: events and sum

// Adds up what was appended, by itself: the third record of each ten comes twice.
struct Told {
  Results results;
  void Fill(eventlog::EventLog& log, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<windows::TestEvent> events;
    uint64_t sequence = 0;
    for (int64_t record = 0; record <= kLast; ++record) {
      if (record % 10 != 3) {
        ++sequence;
        events.clear();
        for (uint64_t e = 0; e < 1 + random() % 6; ++e) {
          const double x = static_cast<double>(random() % 1000);
          const int64_t time = kStart + (record + 2 - static_cast<int64_t>(random() % 3)) * kSecond;
          events.push_back({time, {{"host", std::to_string(random() % 5)}}, {{"x", x}}, {}});
          auto& [count, sum] = results[time];
          ++count;
          sum += x;
        }
      }
      Append(log, 0, sequence, events);
    }
  }
};

void DeclareStream(catalog::Database& database) {
  RM_CHECK_OK(database.Execute(Soon(), "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')").status());
  catalog::Stream stream;
  stream.tenant = "acme";
  stream.name = "s";
  stream.fields = {{.name = "host"}};
  RM_CHECK(catalog::StreamStore(database).Declare(stream, Soon())->id == 1);
}

// What a reader is given of memory and segments together. `store` is on this machine's disk.
absl::StatusOr<Results> Read(OwnerLife& life, objects::ObjectStore& store, const std::string& folder) {
  AggregationService service(life.metrics());
  service.Add(life.owner());
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({0});
  Results results;
  const auto add = [&](const v1::Partials& rows) {
    for (int r = 0; r < rows.window_start_us_size(); ++r) {
      auto& [count, sum] = results[rows.window_start_us(r)];
      count += rows.event_count(r);
      sum += rows.measures(0).float64_sum(r);
    }
    return absl::OkStatus();
  };
  RM_ASSIGN_OR_RETURN(const auto responses, ReadAll(service, "acme", request));
  std::vector<v1::SegmentReference> references;
  for (const auto& response : responses) {
    RM_RETURN_IF_ERROR(add(response.partials()));
    references.insert(references.end(), response.segments().begin(), response.segments().end());
  }
  segments::SegmentReader reader({&store, folder});
  RM_RETURN_IF_ERROR(reader.Read(request.query(), references, Soon(), nullptr, add));
  return results;
}

// Lives on a real disk, each with its snapshot and segments.
struct Stopped {
  testing::TempDir folder;
  catalog::CatalogFixture catalog;
  std::unique_ptr<eventlog::LocalEventLog> log = OpenLog(folder / "log", 1);
  std::unique_ptr<objects::FileObjectStore> objects;
  Told told;
  const std::string store = folder / "objects";

  explicit Stopped(uint64_t seed, const std::vector<int64_t>& lives = {kFirst, kMiddle, kLast}) {
    DeclareStream(catalog.database());
    told.Fill(*log, seed);
    objects = objects::FileObjectStore::Open({.folder = store}).value();
    for (const int64_t through : lives) {
      OwnerLife life(*log, *objects, catalog.database(), folder / "scratch");
      RM_CHECK_OK(life.Begin());
      life.owner()->FoldThrough(through);
      RM_CHECK_OK(life.snapshotter().Take(Soon()));
    }
  }

  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store)) {
      const std::string path = entry.path();
      const bool kept = path.find("/snapshots/") != std::string::npos || path.find("/segments/") != std::string::npos;
      if (!entry.is_regular_file() || !kept) continue;
      std::ifstream in(path, std::ios::binary);
      files[path] = std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    }
    return files;
  }
};

std::string Damage(const std::string& good, std::mt19937_64& random) {
  std::string damaged = good;
  if (random() % 4 == 0) {
    damaged.resize(random() % good.size());
  } else {
    damaged[random() % good.size()] ^= static_cast<char>(1 << random() % 8);
  }
  return damaged;
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

TEST_CASE("whatever byte of a snapshot or a segment is damaged, what is read is what the log adds up to", "[damage]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Stopped world(seed);
  const auto files = world.Files();
  REQUIRE(files.size() >= 9);
  int snapshots = 0;
  int segments = 0;
  for (int i = 0; i < 150; ++i) {
    const auto& [path, good] = *std::next(files.begin(), static_cast<std::ptrdiff_t>(random() % files.size()));
    CAPTURE(path);
    WriteFile(path, Damage(good, random));
    OwnerLife life(*world.log, *world.objects, world.catalog.database(), world.folder / "scratch");
    RM_CHECK_OK(life.Begin());
    life.owner()->FoldThrough(kLast);
    const auto results = Read(life, *world.objects, world.store);
    INFO(results.status().ToString());
    REQUIRE(results.ok());
    REQUIRE((*results == world.told.results));
    const bool is_segment = path.find("/segments/") != std::string::npos;
    (is_segment ? segments : snapshots) += 1;
    // The newest snapshot is looked at first, so that only its damage is found; every segment is.
    if (is_segment) {
      REQUIRE(life.partition_metrics().damaged_segments.Value() == 1);
      REQUIRE(std::filesystem::exists(world.store + "/damaged" + path.substr(world.store.size())));
    }
    WriteFile(path, good);
    std::filesystem::remove_all(world.store + "/damaged");
  }
  CHECK(snapshots > 15);
  CHECK(segments > 50);
}

TEST_CASE("a segment made anew takes the damaged one's place for good", "[damage]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  Stopped world(seed);
  const auto files = world.Files();
  const auto segment = std::find_if(
      files.begin(), files.end(), [](const auto& file) { return file.first.find("/segments/") != std::string::npos; });
  REQUIRE(segment != files.end());
  SECTION("when a bit of it is flipped") {
    std::mt19937_64 random(seed);
    WriteFile(segment->first, Damage(segment->second, random));
  }
  SECTION("when it is gone") { std::filesystem::remove(segment->first); }
  for (int life_number = 0; life_number < 2; ++life_number) {
    OwnerLife life(*world.log, *world.objects, world.catalog.database(), world.folder / "scratch");
    RM_CHECK_OK(life.Begin());
    CHECK(life.partition_metrics().damaged_segments.Value() == (life_number == 0 ? 1 : 0));
    life.owner()->FoldThrough(kLast);
    RM_CHECK_OK(life.snapshotter().Take(Soon()));
    CHECK((Read(life, *world.objects, world.store).value() == world.told.results));
  }
}

TEST_CASE("after a segment was made anew only states that fit the new ones are gone back to", "[damage]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Stopped world(seed, {kFirst, kMiddle});
  const auto damage = [&](const std::string& object) {
    const std::string path = world.store + "/" + object;
    WriteFile(path, Damage(world.Files().at(path), random));
  };
  const auto live_through = [&](int64_t offset) {
    OwnerLife life(*world.log, *world.objects, world.catalog.database(), world.folder / "scratch");
    RM_CHECK_OK(life.Begin());
    life.owner()->FoldThrough(offset);
    RM_CHECK_OK(life.snapshotter().Take(Soon()));
    return Read(life, *world.objects, world.store).value();
  };
  const auto a_segment = [&](int64_t end_offset) {
    auto manifest = catalog::ManifestStore(world.catalog.database()).List({.partition = 0}, Soon()).value();
    std::erase_if(manifest, [&](const catalog::Segment& segment) { return segment.end_offset != end_offset; });
    REQUIRE_FALSE(manifest.empty());
    return manifest[random() % manifest.size()].object;
  };
  // Made anew from the beginning: one segment takes the place of two, which the older snapshots had counted on.
  damage(a_segment(kFirst + 1));
  live_through(kLast);
  SECTION("when the newest snapshot is damaged") {
    const auto snapshots = catalog::SnapshotStore(world.catalog.database()).List(0, Soon()).value();
    damage(snapshots.front().object);
  }
  SECTION("when the new segment is damaged") { damage(a_segment(kLast + 1)); }
  CHECK((live_through(kLast) == world.told.results));
}

TEST_CASE("a damaged segment that no log reaches is an error that names it, never a number", "[damage]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  Stopped world(seed);
  const auto files = world.Files();
  const std::string path = std::find_if(files.begin(), files.end(), [](const auto& file) {
                             return file.first.find("/1s/") != std::string::npos;
                           })->first;
  // As retention does: the log begins at the newest snapshot, and only that one is left.
  RM_CHECK_OK(world.catalog.database()
                  .Execute(Soon(), "DELETE FROM snapshots WHERE record_offset <= $1", {kMiddle + 1})
                  .status());
  eventlog::LocalEventLogOptions options;
  options.folder = world.folder / "later-log";
  options.partitions = 1;
  options.segment_bytes = 4096;
  auto log = eventlog::LocalEventLog::Open(options).value();
  Told().Fill(*log, seed);
  RM_CHECK_OK(log->DeleteBefore(0, kLast + 1));
  REQUIRE(log->Range(0, Soon())->first > 0);
  std::mt19937_64 random(seed);
  WriteFile(path, Damage(files.at(path), random));

  OwnerLife life(*log, *world.objects, world.catalog.database(), world.folder / "scratch");
  RM_CHECK_OK(life.Begin());
  CHECK(life.restored() == kLast);
  const auto results = Read(life, *world.objects, world.store);
  CHECK(results.status().code() == absl::StatusCode::kDataLoss);
  CHECK(std::string(results.status().message()).find(std::filesystem::path(path).filename()) != std::string::npos);
}

TEST_CASE("a snapshot that failed leaves nothing behind, unless it may have been committed", "[damage]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  testing::TempDir folder;
  catalog::CatalogFixture catalog;
  DeclareStream(catalog.database());
  auto log = OpenLog(folder / "log", 1);
  Told().Fill(*log, seed);
  testing::LossyFileSystem fs;
  fs.ReadThrough(folder / "scratch");
  auto objects = objects::FileObjectStore::Open({.folder = "store", .fs = &fs}).value();
  OwnerLife life(*log, *objects, catalog.database(), folder / "scratch");
  RM_CHECK_OK(life.Begin());
  const auto kept = [&] {
    return std::pair(objects->List("segments/", "", 100, Soon())->size(),
                     objects->List("snapshots/", "", 100, Soon())->size());
  };

  life.owner()->FoldThrough(kFirst);
  fs.FailNext(testing::FileOperation::kRename, absl::ResourceExhaustedError("the disk is full"), 1, "/snapshots/");
  CHECK(life.snapshotter().Take(Soon()).code() == absl::StatusCode::kResourceExhausted);
  CHECK(kept() == std::pair<size_t, size_t>(0, 0));
  CHECK(life.snapshotter().Take(Soon()).ok());
  CHECK(kept() == std::pair<size_t, size_t>(3, 1));

  life.owner()->FoldThrough(kMiddle);
  RM_CHECK_OK(catalog.database().Execute(Soon(), "UPDATE leases SET epoch = epoch + 1").status());
  CHECK(life.snapshotter().Take(Soon()).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(kept() == std::pair<size_t, size_t>(3, 1));
  RM_CHECK_OK(catalog.database().Execute(Soon(), "UPDATE leases SET epoch = epoch - 1").status());

  // Somebody else holds the row that the commit looks at for as long as it may take, and the owner ends.
  life.owner()->Stop();
  RM_CHECK_OK(catalog.database().Run(Soon(), [&](catalog::Transaction& transaction) {
    RM_CHECK_OK(transaction.Execute("SELECT 1 FROM leases FOR UPDATE").status());
    CHECK(life.snapshotter().Take(absl::Now() + absl::Seconds(1)).code() == absl::StatusCode::kDeadlineExceeded);
    return absl::OkStatus();
  }));
  CHECK(kept() == std::pair<size_t, size_t>(6, 2));

  // Segments of the same records under another name would count them twice.
  life.owner()->FoldThrough(kLast);
  CHECK(life.snapshotter().Take(Soon()).code() == absl::StatusCode::kUnavailable);
  CHECK(kept() == std::pair<size_t, size_t>(6, 2));
}

TEST_CASE("a commit of unknown outcome is tried again whatever the catalog answers next", "[damage]") {
  testing::TempDir folder;
  catalog::CatalogFixture catalog;
  auto log = OpenLog(folder / "log", 1);
  auto objects = objects::FileObjectStore::Open({.folder = folder / "objects"}).value();
  Append(*log, 0, 1, {{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
  // What a failover looks like: no answer, then one that refuses, then all is well.
  for (const char* sql :
       {"CREATE SEQUENCE attempts",
        "CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE attempt bigint := nextval('attempts'); BEGIN "
        "IF attempt = 1 THEN PERFORM pg_sleep(30); END IF; "
        "IF attempt = 2 THEN RAISE 'full' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER fail BEFORE INSERT ON snapshots FOR EACH ROW EXECUTE FUNCTION fail_twice()"}) {
    RM_CHECK_OK(catalog.database().Execute(Soon(), sql).status());
  }
  OwnerLife life(*log, *objects, catalog.database(), folder / "scratch");
  RM_CHECK_OK(life.Begin());
  life.owner()->FoldThrough(0);
  RM_CHECK_OK(life.snapshotter().Take(absl::Now() + absl::Seconds(1)));
  const auto attempts = catalog.database().Execute(Soon(), "SELECT last_value FROM attempts");
  RM_CHECK_OK(attempts.status());
  CHECK((*attempts)[0].Int(0) == 3);
}

// One machine whose disk forgets what was not synced; the catalog is a server of its own, which has committed or not.
struct PowerWorld {
  testing::TempDir folder;
  catalog::CatalogFixture catalog;
  std::map<std::string, std::string> log_files;
  Told told;

  explicit PowerWorld(uint64_t seed) {
    DeclareStream(catalog.database());
    testing::LossyFileSystem fs;
    told.Fill(*OpenOn(fs), seed);
    const std::vector<std::string> names = fs.List("data/events/0000").value();
    for (const std::string& name : names) {
      const std::string path = "data/events/0000/" + name;
      log_files[path] = files::ReadWholeFile(fs, path).value();
    }
  }

  static std::unique_ptr<eventlog::LocalEventLog> OpenOn(files::FileSystem& fs) {
    eventlog::LocalEventLogOptions options;
    options.folder = "data";
    options.partitions = 1;
    options.segment_bytes = 8192;
    options.fs = &fs;
    return eventlog::LocalEventLog::Open(options).value();
  }

  void Reset(testing::LossyFileSystem& fs) {
    for (const char* table : {"snapshots", "segments", "leases"}) {
      RM_CHECK_OK(catalog.database().Execute(Soon(), fmt::format("DELETE FROM {}", table)).status());
    }
    fs.ReadThrough(folder.path());
    RM_CHECK_OK(fs.CreateFolders("data/events/0000"));
    for (const auto& [path, contents] : log_files) RM_CHECK_OK(files::WriteWholeFile(fs, path, contents));
  }

  // Restores, folds, takes a snapshot; what became of the last step.
  absl::Status Live(
      testing::LossyFileSystem& fs, int64_t through, const std::function<void()>& before_take = [] {}) {
    auto log = OpenOn(fs);
    auto objects = objects::FileObjectStore::Open({.folder = "objects", .fs = &fs});
    RM_RETURN_IF_ERROR(objects.status());
    OwnerLife life(*log, **objects, catalog.database(), folder / "scratch");
    RM_RETURN_IF_ERROR(life.Begin());
    life.owner()->FoldThrough(through);
    before_take();
    return life.snapshotter().Take(Soon());
  }

  // Restores and folds all; reads, with the objects that are named copied to this machine's disk.
  absl::StatusOr<Results> ReadAll(testing::LossyFileSystem& fs) {
    auto log = OpenOn(fs);
    auto objects = objects::FileObjectStore::Open({.folder = "objects", .fs = &fs});
    RM_RETURN_IF_ERROR(objects.status());
    OwnerLife life(*log, **objects, catalog.database(), folder / "scratch");
    RM_RETURN_IF_ERROR(life.Begin());
    if (life.partition_metrics().damaged_snapshots.Value() > 0) return absl::DataLossError("a snapshot is damaged");
    if (life.partition_metrics().damaged_segments.Value() > 0) return absl::DataLossError("a segment is damaged");
    life.owner()->FoldThrough(kLast);
    const testing::TempDir copies;
    auto copy = objects::FileObjectStore::Open({.folder = copies.path()}).value();
    for (const catalog::Segment& segment : life.owner()->Manifest()) {
      RM_ASSIGN_OR_RETURN(const std::string contents, (*objects)->Get(segment.object, Soon()));
      RM_RETURN_IF_ERROR(copy->Put(segment.object, contents, Soon()));
    }
    return Read(life, *copy, copies.path());
  }
};

// The number of operations at which power was cut; what is wrong is told in `wrong`.
int64_t CutEverywhere(bool ignore_syncs, const std::vector<testing::CrashMode>& modes,
                      std::vector<std::string>& wrong) {
  PowerWorld world(20261125);
  int64_t points = 0;
  for (bool done = false; !done && wrong.size() < 5; ++points) {
    for (const testing::CrashMode& mode : modes) {
      testing::LossyFileSystem fs;
      world.Reset(fs);
      RM_CHECK_OK(world.Live(fs, kFirst));
      fs.IgnoreSyncs(ignore_syncs);
      int64_t begun = 0;
      const absl::Status taken = world.Live(fs, kMiddle, [&] {
        begun = fs.operations();
        fs.StopAt(begun + points);
      });
      done = taken.ok() && fs.operations() <= begun + points;
      fs.Crash(mode);
      fs.IgnoreSyncs(false);
      const auto results = world.ReadAll(fs);
      const std::string at = fmt::format("power cut at operation {} ({})", points, taken.ToString());
      if (!results.ok()) {
        wrong.push_back(fmt::format("{}: {}", at, results.status().ToString()));
      } else if (*results != world.told.results) {
        wrong.push_back(at + ": other numbers");
      }
    }
  }
  return points;
}

TEST_CASE("power lost at any operation of a snapshot leaves the one before it or the one after", "[damage][crash]") {
  std::vector<testing::CrashMode> modes = {{}, {.torn_bytes = 100}};
  for (uint64_t seed = 0; seed < 2; ++seed) modes.push_back({.seed = seed});
  std::vector<std::string> wrong;
  // Three segments and a snapshot, each created, written, synced, renamed, its folder synced.
  CHECK(CutEverywhere(/*ignore_syncs=*/false, modes, wrong) > 20);
  for (const std::string& violation : wrong) UNSCOPED_INFO(violation);
  CHECK(wrong.empty());
}

TEST_CASE("the checker notices when the store's syncs are taken out", "[damage][crash]") {
  std::vector<std::string> wrong;
  CutEverywhere(/*ignore_syncs=*/true, {{}}, wrong);
  CHECK_FALSE(wrong.empty());
}

}  // namespace
}  // namespace rivermeet::aggregation
