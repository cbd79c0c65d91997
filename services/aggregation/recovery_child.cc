// One life of a partition's owner, for tests that end it by SIGKILL: takes the lease, restores, folds through an
// offset, takes a snapshot, and says what it came to.
//
//   recovery_child LOG_FOLDER OBJECTS_FOLDER SCRATCH_FOLDER CONNECTION THROUGH_OFFSET
#include <cstdio>
#include <cstdlib>

#include "aggregation/owner_life.h"
#include "base/crc32c.h"
#include "objects/file_object_store.h"

namespace rivermeet::aggregation {
namespace {

int Run(char** arguments) {
  auto log = OpenLog(arguments[1], 1);
  objects::FileObjectStoreOptions object_options;
  object_options.folder = arguments[2];
  auto objects = objects::FileObjectStore::Open(object_options);
  RM_CHECK_OK(objects.status());
  catalog::DatabaseOptions database_options;
  database_options.connection = arguments[4];
  catalog::Database database(database_options);

  OwnerLife life(*log, **objects, database, arguments[3]);
  RM_CHECK_OK(life.Begin());
  // The log holds more than this life is to see: folded by hand up to there.
  life.owner()->FoldThrough(std::atoll(arguments[5]));
  RM_CHECK_OK(life.snapshotter().Take(Soon()));

  bool pressed = false;
  const std::string state = windows::EncodeState(life.owner()->Capture(pressed));
  int64_t rows = 0;
  const auto segments = life.owner()->Manifest();
  for (const auto& segment : segments) rows += segment.rows;
  std::printf("restored %lld state %08x bytes %zu segment-rows %lld\n", static_cast<long long>(life.restored()),
              Crc32c(state), state.size(), static_cast<long long>(rows));
  return 0;
}

}  // namespace
}  // namespace rivermeet::aggregation

int main(int count, char** arguments) { return count == 6 ? rivermeet::aggregation::Run(arguments) : 2; }
