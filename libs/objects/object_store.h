// Whole objects by name: snapshots and Parquet segments, models, exports. What is put is durable and never changes
// in part.
//
// Keys are paths of [A-Za-z0-9._=-] with '/' between the parts, at most kMaxKeyBytes bytes, no part empty or only of
// dots: valid as a path, in S3, and in an address, without escaping.
#ifndef RIVERMEET_OBJECTS_OBJECT_STORE_H_
#define RIVERMEET_OBJECTS_OBJECT_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rivermeet::objects {

inline constexpr size_t kMaxKeyBytes = 512;

bool IsObjectKey(std::string_view key);

struct ObjectInfo {
  std::string key;
  int64_t bytes = 0;
};

// Thread-safe. Every function blocks, at most until `deadline`.
//
// Errors of every function, besides those named:
//   INVALID_ARGUMENT    Not a key. Don't retry.
//   UNAVAILABLE         The store is away or failing. Retry after a pause.
//   RESOURCE_EXHAUSTED  No space. Retry once there is.
//   DEADLINE_EXCEEDED   Not done in time. A write may or may not have happened; repeating it is harmless.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Stores `contents` under `key`, in place of what was there. Readers see the old object or the new one whole;
  // once it returns OK the new one survives a power cut.
  virtual absl::Status Put(const std::string& key, std::string_view contents, absl::Time deadline) = 0;

  // Like Put(), but ALREADY_EXISTS, and nothing changed, when there is an object. Of several callers one wins.
  virtual absl::Status PutIfAbsent(const std::string& key, std::string_view contents, absl::Time deadline) = 0;

  // Like Put() with the contents of a local file, which need not be durable yet. The file may be gone afterwards.
  virtual absl::Status PutFile(const std::string& key, const std::string& path, absl::Time deadline) = 0;

  // NOT_FOUND when there is no such object.
  virtual absl::StatusOr<std::string> Get(const std::string& key, absl::Time deadline) = 0;

  // `length` bytes from `offset` on; fewer where the object ends before. OUT_OF_RANGE when it ends before `offset`.
  virtual absl::StatusOr<std::string> GetRange(const std::string& key, int64_t offset, int64_t length,
                                               absl::Time deadline) = 0;

  // NOT_FOUND when there is no such object.
  virtual absl::StatusOr<ObjectInfo> Stat(const std::string& key, absl::Time deadline) = 0;

  // The objects whose key begins with `prefix` (any text, also in the middle of a part) and sorts after `after`, in
  // the order of their keys' bytes, at most `limit` of them.
  virtual absl::StatusOr<std::vector<ObjectInfo>> List(const std::string& prefix, const std::string& after,
                                                       size_t limit, absl::Time deadline) = 0;

  // OK also when there was none.
  virtual absl::Status Remove(const std::string& key, absl::Time deadline) = 0;

  // The object as a file of this machine, for readers that take a path, if the store keeps it so. The file may
  // vanish when the object is removed, never change.
  virtual std::optional<std::string> LocalPath(const std::string& key) const = 0;
};

}  // namespace rivermeet::objects

#endif  // RIVERMEET_OBJECTS_OBJECT_STORE_H_
