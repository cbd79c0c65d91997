// Streams and their schemas.
#ifndef RIVERMEET_CATALOG_STREAM_STORE_H_
#define RIVERMEET_CATALOG_STREAM_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/database.h"

namespace rivermeet::catalog {

// The numbers are those of rivermeet.events.v1.FieldType.
enum class FieldType { kDimension = 1, kFloat64 = 2, kInt64 = 3, kAttribute = 4 };
// The numbers are those of rivermeet.events.v1.MeasureKind.
enum class MeasureKind { kGauge = 1, kCounter = 2, kDelta = 3 };

struct Field {
  std::string name;
  FieldType type = FieldType::kDimension;
  MeasureKind kind = MeasureKind::kGauge;
  std::string unit;
  bool allow_non_finite = false;

  bool operator==(const Field&) const = default;
};

// What a change of a schema may do to the events and readers that there are; checked by the stream rules, kept here.
enum class Compatibility {
  kNone = 0,
  kBackward = 1,
  kForward = 2,
  kFull = 3,
  kBackwardTransitive = 4,
  kForwardTransitive = 5,
  kFullTransitive = 6
};

struct Stream {
  // Never used again, even by a stream of the same name. Set by Declare().
  uint64_t id = 0;
  std::string tenant;
  std::string name;
  // Of the schema, from 1. Set by Declare().
  int32_t version = 0;
  std::vector<Field> fields;
  // Fixed when the stream is made.
  int32_t partitions = 1;
  Compatibility compatibility = Compatibility::kBackward;
  absl::Duration allowed_lateness = absl::Seconds(60);
  // InfiniteDuration(): for ever.
  absl::Duration retention = absl::InfiniteDuration();
  // Set by the store.
  absl::Time created;
  absl::Time updated;
};

// Thread-safe. Every call is one transaction and blocks until its deadline at most; errors besides the named ones
// are those of Database::Run().
class StreamStore {
 public:
  // `database` outlives this.
  explicit StreamStore(Database& database) : database_(database) {}

  // Errors:
  //   NOT_FOUND  The tenant has no such stream.
  absl::StatusOr<Stream> Get(std::string_view tenant, std::string_view name, absl::Time deadline);

  // The tenant's streams, by name; of all tenants when `tenant` is empty.
  absl::StatusOr<std::vector<Stream>> List(std::string_view tenant, absl::Time deadline);

  // Fields of one earlier (or the current) version of a stream.
  //
  // Errors:
  //   NOT_FOUND  No such stream or version.
  absl::StatusOr<std::vector<Field>> FieldsOf(uint64_t stream_id, int32_t version, absl::Time deadline);

  // Makes the stream, or changes it, when its version is still `stream.version` (0: it does not exist). The version
  // grows by one when the fields differ from the current ones. Returns it as it is now.
  //
  // Errors:
  //   ABORTED           Somebody else made or changed it first. Get() it, look again, retry.
  //   INVALID_ARGUMENT  A bad name, a field twice, no partitions, another partition count than it was made with.
  //   NOT_FOUND         `stream.version` is not 0 and there is no such stream; or no such tenant.
  absl::StatusOr<Stream> Declare(const Stream& stream, absl::Time deadline);

  // Removes the stream and marks its segments removed.
  //
  // Errors:
  //   NOT_FOUND  No such stream.
  absl::Status Delete(std::string_view tenant, std::string_view name, absl::Time deadline);

  // A number that grows with every Declare() and Delete() that changed something, of any tenant. Cheap: poll it each
  // second, and List() again when it grew.
  absl::StatusOr<int64_t> Version(absl::Time deadline);

 private:
  Database& database_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_STREAM_STORE_H_
