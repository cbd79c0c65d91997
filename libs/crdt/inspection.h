// What updates and documents are made of, for whoever looks into them: struct by struct, root by root.
#ifndef RIVERMEET_CRDT_INSPECTION_H_
#define RIVERMEET_CRDT_INSPECTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crdt/any.h"
#include "crdt/doc.h"
#include "crdt/id.h"
#include "crdt/insertable.h"
#include "crdt/limits.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt {

// What a struct holds, numbered as on the wire (docs/formats/yjs-update.md).
enum class Content : uint8_t {
  kGc,       // what was there, and where, is thrown away
  kDeleted,  // what was there is thrown away
  kJson,
  kBinary,
  kString,
  kEmbed,
  kFormat,
  kType,
  kAny,
  kSubdocument,
  kSkip,  // an update lacks these ids
};
inline constexpr size_t kContents = 11;
inline constexpr size_t kSharedKinds = 7;

// A struct as it travels. Its views end with the call that gave it.
struct UpdateStruct {
  UnitId id;  // the first of `length`
  uint64_t length = 0;
  Content content = Content::kGc;
  std::optional<UnitId> origin;  // what stood left and right of it when it was made
  std::optional<UnitId> right_origin;
  // The type it is in: a root, or the one that an item holds. Neither is said where there is an origin: it is that
  // one's.
  std::optional<std::string_view> root;
  std::optional<UnitId> parent;
  std::optional<std::string_view> key;  // in a map, or of an attribute; where the type it is in is said
  std::optional<SharedKind> type;       // kType
  std::string_view name;                // of a format, XML element or hook; a subdocument's guid
  // kString: UTF-8. kBinary: the bytes. kJson, kAny: `length` values; kEmbed, kFormat: one; kSubdocument: its options;
  // all for FirstValues.
  std::string_view data;
};
// The first `most` values that it holds, in order; of a content that isn't made of values none.
std::vector<Any> FirstValues(const UpdateStruct& of, uint64_t most);

struct DeletedRange {
  uint64_t client = 0;
  uint64_t clock = 0;
  uint64_t length = 0;
};

// Gives `on_struct` each struct of `update` and then `on_deleted` each range that it deletes, in the order of the bytes
// (yjs: decodeUpdate), holding one of them at a time. What was given before an error is what stands there.
// Errors: as those of CheckUpdate.
absl::Status ReadUpdate(std::string_view update, UpdateFormat format,
                        absl::FunctionRef<void(const UpdateStruct&)> on_struct,
                        absl::FunctionRef<void(const DeletedRange&)> on_deleted, const Limits& limits = {});

// The first clock of each client that is lacking, in the order of the bytes (yjs: decodeStateVector).
//
// Errors:
//   INVALID_ARGUMENT    The bytes are no state vector; the message has the byte offset. Don't retry.
//   RESOURCE_EXHAUSTED  It has more clients than max_clients. Don't retry.
absl::StatusOr<std::vector<ClientState>> DecodeStateVector(std::string_view bytes, const Limits& limits = {});

struct RootSummary {
  std::string name;
  std::optional<SharedKind> kind;    // as which it was asked for
  std::optional<SharedKind> likely;  // what its content looks like: a guess; nothing when there is none to tell
  uint64_t length = 0;               // places in its list that a reader sees
  uint64_t keys = 0;                 // that have a value
};

struct DocumentSummary {
  struct Count {
    uint64_t structs = 0;
    uint64_t units = 0;
  };
  std::array<Count, kContents> live{};  // by Content
  std::array<Count, kContents> deleted{};
  std::array<uint64_t, kSharedKinds> types{};  // by SharedKind: those in it, without roots
  std::vector<RootSummary> roots;              // in the order in which they came
  // What waits for others that didn't come yet, and where those would go on, in order of clients.
  uint64_t pending_structs = 0;
  uint64_t pending_deletes = 0;
  std::vector<UnitId> missing;
};

// In the time of going through all of it.
DocumentSummary Summarize(const Doc& doc);

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_INSPECTION_H_
