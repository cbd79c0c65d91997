// What a stream's events look like: compiled from its declaration, inferred from a first batch, changed by a new one.
#ifndef RIVERMEET_EVENTS_SCHEMA_H_
#define RIVERMEET_EVENTS_SCHEMA_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/strings.h"
#include "events/batch_view.h"
#include "rivermeet/events/v1/stream.pb.h"

namespace rivermeet::events {

// A stream's declaration with its fields by name. Immutable, so thread-safe; share it by pointer.
class Schema {
 public:
  // `stream` is sound (CheckDeclaration) and made: it has an id, a version and partitions.
  static std::shared_ptr<const Schema> Compile(v1::Stream stream);

  const v1::Stream& stream() const { return stream_; }
  // Null when the stream has no such field. Lives as long as the schema.
  const v1::Field* Find(std::string_view name) const;

 private:
  explicit Schema(v1::Stream stream);

  v1::Stream stream_;
  StringMap<const v1::Field*> fields_;
};

// A declaration for the stream that `batch` is the first of: its dimensions, and its measures that have a value, in
// the batch's order and types.
v1::Stream InferStream(const BatchView& batch);

// Whether a declaration makes sense by itself.
//
// Errors:
//   INVALID_ARGUMENT  A bad name, type or kind, a field twice, more than `max_fields` fields, lateness outside 0 s to
//                     1 h, negative retention, more than `max_partitions` partitions. The message names the field.
absl::Status CheckDeclaration(const v1::Stream& declared, size_t max_fields, uint32_t max_partitions);

// `current` changed as `declared` asks: fields are added in their order; unit, kind and what else isn't the type may
// change; fields that `declared` leaves out stay. Lateness and retention become the declared ones. Name, id, version,
// partitions and time of making are the current ones.
//
// Errors:
//   INVALID_ARGUMENT  Another type for a field, or another partition count. Choose another name.
//   ABORTED           `declared.version` is neither 0 nor the current one. Get the stream and look again.
absl::StatusOr<v1::Stream> ChangeStream(const v1::Stream& current, const v1::Stream& declared);

// "dimension", "float64" and so on.
std::string_view TypeName(v1::FieldType type);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_SCHEMA_H_
