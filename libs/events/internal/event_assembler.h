// Events from named values: what the JSON and CSV decoders share.
#ifndef RIVERMEET_EVENTS_INTERNAL_EVENT_ASSEMBLER_H_
#define RIVERMEET_EVENTS_INTERNAL_EVENT_ASSEMBLER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/strings.h"
#include "events/arena.h"
#include "events/batch_builder.h"
#include "events/json_reader.h"
#include "events/text_decoder.h"

namespace rivermeet::events::internal {

// What is known of a field name in this body.
struct FieldSlot {
  enum class Role : uint8_t { kTime, kId, kDimensions, kMeasures, kAttributes, kField, kBadName };
  enum class Kind : uint8_t { kUndecided, kUndeclared, kDimension, kFloat64, kInt64, kAttribute };

  std::string name;
  Role role = Role::kField;
  Kind kind = Kind::kUndecided;
  bool non_finite = false;
  // Whether the schema settled `kind`.
  bool declared = false;
  int column = -1;
  uint64_t last_event = UINT64_MAX;
  uint64_t last_chunk = UINT64_MAX;
  // The field that followed it last time: events of one sender name their fields in one order.
  FieldSlot* next = nullptr;
};

// Where in an event a value stands.
enum class Place { kFlat, kDimensions, kMeasures };

// One body's events, one at a time: Begin(), values, End(); Finish() at last. The first fault of an event rejects it;
// its later values are then ignored. `offset` is where a value begins in the body. Texts are borrowed until End().
class EventAssembler {
 public:
  EventAssembler(const DecodeOptions& options, ErrorList& errors, ChunkSink sink);

  // `offset` is where the event begins in the body.
  void Begin(uint64_t index, size_t offset);
  absl::Status End();
  absl::Status Finish() { return Flush(); }

  // The field of that name; `after` is the one before it in this event, or null. Null, and the event rejected, when
  // the body names too many fields.
  FieldSlot* Find(std::string_view name, FieldSlot* after, size_t offset);

  void Text(FieldSlot& slot, std::string_view text, Place place, size_t offset);
  void Number(FieldSlot& slot, const JsonNumber& number, Place place, size_t offset);
  void Bool(FieldSlot& slot, bool value, Place place, size_t offset);
  // An object or array, as its text.
  void Json(FieldSlot& slot, std::string_view raw, size_t depth, Place place, size_t offset);
  void Null(FieldSlot& slot, Place place, size_t offset);
  // One member of the long form's attributes.
  void Attribute(std::string_view name, std::string_view raw_value, size_t depth, size_t offset);
  // Notes the long form's own objects; false when the event is rejected for it.
  bool EnterObject(FieldSlot& slot, size_t offset) { return Enter(slot, Place::kFlat, offset); }

  template <typename MakeMessage>
  void Fail(Reason reason, std::string_view field, size_t offset, MakeMessage message) {
    if (failed_) return;
    failed_ = true;
    if (!errors_.Wants(index_)) return errors_.AddUntold(reason);
    errors_.Add({index_, reason, std::string(field), message(), static_cast<int64_t>(offset)});
  }
  bool failed() const { return failed_; }

  // Where a string's escapes may be resolved; forgotten at Begin().
  Arena& scratch() { return scratch_; }

 private:
  FieldSlot* Make(std::string_view name, size_t offset);
  bool Enter(FieldSlot& slot, Place place, size_t offset);
  bool Decide(FieldSlot& slot, Place place, bool is_number, size_t offset);
  void SetTime(bool sound, int64_t time_us, std::string_view text, size_t offset);
  void SetDimension(FieldSlot& slot, std::string_view text, size_t offset);
  void SetMeasure(FieldSlot& slot, const JsonNumber& number, size_t offset);
  void SetNonFinite(FieldSlot& slot, std::string_view text, size_t offset);
  void CheckAttributes();
  void SetArrivalTime();
  absl::Status Flush();

  const DecodeOptions& options_;
  ErrorList& errors_;
  ChunkSink sink_;
  BatchBuilder builder_;
  std::vector<uint64_t> source_index_;
  StringMap<std::unique_ptr<FieldSlot>> slots_;
  FieldSlot* first_slot_ = nullptr;
  size_t fields_ = 0;

  uint64_t index_ = 0;
  size_t begin_ = 0;
  uint64_t serial_ = 0;
  bool failed_ = false;
  bool has_time_ = false;
  size_t event_bytes_ = 0;
  std::vector<FieldSlot*> touched_;
  std::string attributes_;
  std::vector<std::string_view> attribute_names_;
  Arena scratch_;

  uint32_t chunk_ = 0;
  size_t chunk_events_ = 0;
  size_t chunk_columns_ = 0;
  size_t chunk_bytes_ = 0;
};

}  // namespace rivermeet::events::internal

#endif  // RIVERMEET_EVENTS_INTERNAL_EVENT_ASSEMBLER_H_
