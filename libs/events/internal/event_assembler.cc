#include "events/internal/event_assembler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/json_string.h"
#include "base/status.h"
#include "events/names.h"
#include "events/time_text.h"

namespace rivermeet::events::internal {
namespace {

using Kind = FieldSlot::Kind;
using Role = FieldSlot::Role;

// What a text takes in a batch beside its bytes.
constexpr size_t kTextOverhead = 8;

Role RoleOf(std::string_view name) {
  if (name == "time") return Role::kTime;
  if (name == "id") return Role::kId;
  if (name == "dimensions") return Role::kDimensions;
  if (name == "measures") return Role::kMeasures;
  if (name == "attributes") return Role::kAttributes;
  return IsFieldName(name) ? Role::kField : Role::kBadName;
}

// What senders call the time who don't know our name for it.
bool MayMeanTime(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"timestamp",  "ts",        "datetime",
                                                      "event_time", "eventtime", "_time"};
  return std::find(kNames.begin(), kNames.end(), ToLower(name)) != kNames.end();
}

Kind KindOf(const v1::Field* field) {
  if (field == nullptr) return Kind::kUndeclared;
  switch (field->type()) {
    case v1::FIELD_TYPE_DIMENSION:
      return Kind::kDimension;
    case v1::FIELD_TYPE_FLOAT64:
      return Kind::kFloat64;
    case v1::FIELD_TYPE_INT64:
      return Kind::kInt64;
    default:
      return Kind::kAttribute;
  }
}

bool IsExact(const JsonNumber& number) {
  return number.float64 < 9223372036854775808.0 && number.float64 >= -9223372036854775808.0 &&
         static_cast<int64_t>(number.float64) == number.int64;
}

}  // namespace

EventAssembler::EventAssembler(const DecodeOptions& options, ErrorList& errors, ChunkSink sink)
    : options_(options),
      errors_(errors),
      sink_(sink),
      builder_(options.stream, options.schema == nullptr ? 0 : options.schema->stream().version()) {}

void EventAssembler::Begin(uint64_t index, size_t offset) {
  index_ = index;
  begin_ = offset;
  ++serial_;
  failed_ = false;
  has_time_ = false;
  event_bytes_ = 0;
  touched_.clear();
  attributes_.clear();
  attribute_names_.clear();
  scratch_.Reset();
  builder_.Begin(0);
}

FieldSlot* EventAssembler::Find(std::string_view name, FieldSlot* after, size_t offset) {
  FieldSlot*& guess = after == nullptr ? first_slot_ : after->next;
  if (guess != nullptr && guess->name == name) return guess;
  // A name that is too long is known by its beginning: enough to refuse it.
  const std::string_view known_by = name.substr(0, kMaxNameBytes + 1);
  const auto found = slots_.find(known_by);
  FieldSlot* slot = found != slots_.end() ? found->second.get() : Make(known_by, offset);
  if (slot != nullptr) guess = slot;
  return slot;
}

FieldSlot* EventAssembler::Make(std::string_view name, size_t offset) {
  const Role role = RoleOf(name);
  const bool counts = role == Role::kField || role == Role::kBadName;
  if (counts && fields_ == options_.max_fields) {
    Fail(Reason::kTooManyFields, name.substr(0, kMaxNameBytes), offset,
         [&] { return fmt::format("the body names more than {} fields", options_.max_fields); });
    return nullptr;
  }
  fields_ += counts;
  auto slot = std::make_unique<FieldSlot>();
  slot->name = name;
  slot->role = role;
  if (options_.schema != nullptr && slot->role == Role::kField) {
    const v1::Field* field = options_.schema->Find(name);
    slot->kind = KindOf(field);
    slot->non_finite = field != nullptr && field->allow_non_finite();
    slot->declared = true;
  }
  FieldSlot* made = slot.get();
  slots_.emplace(made->name, std::move(slot));
  return made;
}

// Whether the event can have this field here.
bool EventAssembler::Enter(FieldSlot& slot, Place place, size_t offset) {
  const bool again = std::exchange(slot.last_event, serial_) == serial_;
  // Rejected events count for where the body is cut, or the cut would depend on the schema.
  if (!again) touched_.push_back(&slot);
  if (failed_) return false;
  if (slot.role == Role::kBadName || (place != Place::kFlat && slot.role != Role::kField)) {
    Fail(Reason::kBadName, slot.name, offset,
         [&] { return fmt::format("{} is not a field name like [A-Za-z_][A-Za-z0-9_.]{{0,62}}", Quoted(slot.name)); });
    return false;
  }
  if (again) Fail(Reason::kDuplicateField, slot.name, offset, [] { return "occurs twice in the event"; });
  return !again;
}

// Whether a scalar can be taken for this field here, after settling what a new field is.
bool EventAssembler::Decide(FieldSlot& slot, Place place, bool is_number, size_t offset) {
  if (slot.kind == Kind::kUndeclared) {
    Fail(Reason::kUnknownField, slot.name, offset, [&] {
      return fmt::format("stream {} (version {}) has no field {}; declare it with PUT /v1/streams/{}", options_.stream,
                         options_.schema->stream().version(), slot.name, options_.stream);
    });
    return false;
  }
  if (slot.kind == Kind::kUndecided) {
    const bool measure = place == Place::kMeasures || (place == Place::kFlat && is_number);
    slot.kind = measure ? Kind::kFloat64 : Kind::kDimension;
  }
  const bool is_measure = slot.kind == Kind::kFloat64 || slot.kind == Kind::kInt64;
  const bool misplaced =
      (place == Place::kDimensions && slot.kind != Kind::kDimension) || (place == Place::kMeasures && !is_measure);
  if (misplaced) {
    Fail(Reason::kWrongType, slot.name, offset, [&] {
      return fmt::format("is {}, not {}",
                         slot.kind == Kind::kDimension ? "a dimension"
                         : is_measure                  ? "a measure"
                                                       : "an attribute",
                         place == Place::kDimensions ? "a dimension" : "a measure");
    });
    return false;
  }
  if (slot.column < 0 && slot.kind == Kind::kDimension) slot.column = builder_.DimensionColumn(slot.name);
  if (slot.column < 0 && slot.kind == Kind::kFloat64) slot.column = builder_.Float64Column(slot.name);
  if (slot.column < 0 && slot.kind == Kind::kInt64) slot.column = builder_.Int64Column(slot.name);
  return true;
}

void EventAssembler::SetTime(bool sound, int64_t time_us, std::string_view text, size_t offset) {
  if (!sound) {
    return Fail(Reason::kBadTime, "time", offset, [&] {
      return fmt::format("{} is not a time: give RFC 3339 with an offset, or seconds, ms, us or ns since 1970",
                         Quoted(text));
    });
  }
  has_time_ = true;
  builder_.SetTime(time_us);
}

// An event that names no time happened when it arrived, unless its time seems to stand under another name.
void EventAssembler::SetArrivalTime() {
  if (failed_) return;
  if (options_.arrival_us == 0 || touched_.empty()) {
    return Fail(Reason::kBadTime, "time", begin_, [] { return "is missing"; });
  }
  for (const FieldSlot* slot : touched_) {
    if (!MayMeanTime(slot->name)) continue;
    return Fail(Reason::kBadTime, "time", begin_, [&] {
      return fmt::format("is missing, and {} looks like it: name it time, or give the event a time as well",
                         slot->name);
    });
  }
  builder_.SetTime(options_.arrival_us);
}

void EventAssembler::Null(FieldSlot& slot, Place place, size_t offset) {
  if (!Enter(slot, place, offset) || slot.role != Role::kTime) return;
  Fail(Reason::kBadTime, "time", offset, [] { return "is empty"; });
}

void EventAssembler::Text(FieldSlot& slot, std::string_view text, Place place, size_t offset) {
  event_bytes_ += text.size() + kTextOverhead;
  if (!Enter(slot, place, offset)) return;
  if (slot.role == Role::kField) {
    if (!Decide(slot, place, false, offset)) return;
    if (slot.kind == Kind::kDimension) return SetDimension(slot, text, offset);
    if (slot.kind == Kind::kAttribute) {
      attribute_names_.push_back(slot.name);
      attributes_ += attributes_.empty() ? "{" : ",";
      attributes_ += fmt::format("\"{}\":", slot.name);
      return AppendJsonString(attributes_, text);
    }
    return SetNonFinite(slot, text, offset);
  }
  if (slot.role == Role::kTime) {
    int64_t time_us = 0;
    const bool sound = ParseRfc3339(text, time_us);
    return SetTime(sound, time_us, text, offset);
  }
  if (slot.role == Role::kId) {
    if (text.size() > kMaxIdBytes) {
      return Fail(Reason::kTooLong, "id", offset,
                  [&] { return fmt::format("{} bytes; at most {}", text.size(), kMaxIdBytes); });
    }
    return builder_.SetId(text);
  }
  Fail(Reason::kWrongType, slot.name, offset, [] { return "must be an object"; });
}

void EventAssembler::Number(FieldSlot& slot, const JsonNumber& number, Place place, size_t offset) {
  if (slot.role == Role::kId) return Text(slot, number.text, place, offset);
  event_bytes_ += number.text.size() + kTextOverhead;
  if (!Enter(slot, place, offset)) return;
  if (slot.role == Role::kTime) {
    int64_t time_us = 0;
    const bool sound = ParseEpoch(number, time_us);
    return SetTime(sound, time_us, number.text, offset);
  }
  if (slot.role != Role::kField) {
    return Fail(Reason::kWrongType, slot.name, offset, [] { return "must be an object"; });
  }
  if (!Decide(slot, place, true, offset)) return;
  if (slot.kind == Kind::kDimension) return SetDimension(slot, number.text, offset);
  if (slot.kind != Kind::kAttribute) return SetMeasure(slot, number, offset);
  attribute_names_.push_back(slot.name);
  attributes_ += fmt::format("{}\"{}\":{}", attributes_.empty() ? "{" : ",", slot.name, number.text);
}

void EventAssembler::Bool(FieldSlot& slot, bool value, Place place, size_t offset) {
  if (slot.role != Role::kField) return Text(slot, value ? "true" : "false", place, offset);
  event_bytes_ += 5 + kTextOverhead;
  if (!Enter(slot, place, offset) || !Decide(slot, place, false, offset)) return;
  switch (slot.kind) {
    case Kind::kDimension:
      return SetDimension(slot, value ? "true" : "false", offset);
    case Kind::kFloat64:
      return builder_.SetFloat64(slot.column, value ? 1 : 0);
    case Kind::kInt64:
      return builder_.SetInt64(slot.column, value ? 1 : 0);
    default:
      attribute_names_.push_back(slot.name);
      attributes_ += fmt::format("{}\"{}\":{}", attributes_.empty() ? "{" : ",", slot.name, value);
  }
}

void EventAssembler::Json(FieldSlot& slot, std::string_view raw, size_t depth, Place place, size_t offset) {
  event_bytes_ += raw.size() + slot.name.size() + kTextOverhead;
  if (!Enter(slot, place, offset)) return;
  // Attributes need no declaration.
  const bool open = slot.kind == Kind::kUndecided || slot.kind == Kind::kUndeclared || slot.kind == Kind::kAttribute;
  if (slot.role != Role::kField || place != Place::kFlat || !open) {
    return Fail(Reason::kWrongType, slot.name, offset,
                [&] { return fmt::format("can't be an {}", raw[0] == '{' ? "object" : "array"); });
  }
  attribute_names_.push_back(slot.name);
  if (depth >= kMaxAttributesDepth) {
    return Fail(Reason::kTooDeep, slot.name, offset,
                [&] { return fmt::format("nested {} deep; at most {}", depth, kMaxAttributesDepth - 1); });
  }
  attributes_ += fmt::format("{}\"{}\":{}", attributes_.empty() ? "{" : ",", slot.name, raw);
}

void EventAssembler::Attribute(std::string_view name, std::string_view raw_value, size_t depth, size_t offset) {
  // Escapes may make the name six times as long.
  event_bytes_ += 6 * name.size() + raw_value.size() + kTextOverhead;
  if (failed_) return;
  if (depth >= kMaxAttributesDepth) {
    return Fail(Reason::kTooDeep, "attributes", offset,
                [&] { return fmt::format("nested {} deep; at most {}", depth + 1, kMaxAttributesDepth); });
  }
  attribute_names_.push_back(name);
  attributes_ += attributes_.empty() ? '{' : ',';
  AppendJsonString(attributes_, name);
  attributes_ += ':';
  attributes_ += raw_value;
}

void EventAssembler::SetDimension(FieldSlot& slot, std::string_view text, size_t offset) {
  if (text.size() > kMaxDimensionValueBytes) {
    return Fail(Reason::kTooLong, slot.name, offset,
                [&] { return fmt::format("a value of {} bytes; at most {}", text.size(), kMaxDimensionValueBytes); });
  }
  builder_.SetDimension(slot.column, text);
}

void EventAssembler::SetMeasure(FieldSlot& slot, const JsonNumber& number, size_t offset) {
  if (slot.kind == Kind::kFloat64 && !number.is_integer && !std::isfinite(number.float64)) {
    return Fail(Reason::kOutOfRange, slot.name, offset,
                [&] { return fmt::format("{} is over the range of float64", number.text.substr(0, 32)); });
  }
  if (slot.kind == Kind::kFloat64 && number.is_integer && number.fits_int64 && !IsExact(number)) {
    // A new field becomes int64 rather than lose digits.
    if (slot.declared || !builder_.MakeInt64(slot.column)) {
      return Fail(Reason::kOutOfRange, slot.name, offset,
                  [&] { return fmt::format("{} is not exact as float64; declare the field int64", number.text); });
    }
    slot.kind = Kind::kInt64;
  }
  if (slot.kind == Kind::kInt64) {
    if (number.fits_int64) return builder_.SetInt64(slot.column, number.int64);
    const Reason reason = number.is_integer ? Reason::kOutOfRange : Reason::kWrongType;
    return Fail(reason, slot.name, offset,
                [&] { return fmt::format("{} is not a whole number that int64 holds", number.text.substr(0, 32)); });
  }
  if (!std::isfinite(number.float64)) {
    return Fail(Reason::kOutOfRange, slot.name, offset, [&] { return "an integer over the range of float64"; });
  }
  builder_.SetFloat64(slot.column, number.float64);
}

// A text where a measure should be: only the names of what JSON numbers can't say.
void EventAssembler::SetNonFinite(FieldSlot& slot, std::string_view text, size_t offset) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool is_name = text == "NaN" || text == "Infinity" || text == "-Infinity";
  if (slot.kind == Kind::kFloat64 && is_name && slot.non_finite) {
    const double value = text == "NaN"    ? std::numeric_limits<double>::quiet_NaN()
                         : text[0] == '-' ? -kInfinity
                                          : kInfinity;
    return builder_.SetFloat64(slot.column, value);
  }
  if (slot.kind == Kind::kFloat64 && is_name) {
    return Fail(Reason::kNonFinite, slot.name, offset,
                [&] { return fmt::format("{} is refused unless the field allows non-finite values", text); });
  }
  Fail(Reason::kWrongType, slot.name, offset, [&] {
    return fmt::format("is {}, and {} is not a number", slot.kind == Kind::kInt64 ? "int64" : "float64", Quoted(text));
  });
}

void EventAssembler::CheckAttributes() {
  if (attributes_.empty()) return;
  attributes_ += '}';
  std::sort(attribute_names_.begin(), attribute_names_.end());
  const auto twice = std::adjacent_find(attribute_names_.begin(), attribute_names_.end());
  if (twice != attribute_names_.end()) {
    return Fail(Reason::kDuplicateField, twice->substr(0, kMaxNameBytes), 0,
                [] { return "occurs twice in the event"; });
  }
  if (attributes_.size() > kMaxAttributesBytes) {
    return Fail(Reason::kTooLong, "attributes", begin_,
                [&] { return fmt::format("{} bytes; at most {}", attributes_.size(), kMaxAttributesBytes); });
  }
  builder_.SetAttributes(attributes_);
}

absl::Status EventAssembler::End() {
  CheckAttributes();
  const auto columns_with = [&](uint64_t chunk) {
    return static_cast<size_t>(std::count_if(touched_.begin(), touched_.end(),
                                             [&](const FieldSlot* slot) { return slot->last_chunk != chunk; }));
  };
  size_t new_columns = columns_with(chunk_);
  const bool full = chunk_events_ == kMaxBatchEvents || BatchSizeBound(chunk_events_ + 1, chunk_columns_ + new_columns,
                                                                       chunk_bytes_ + event_bytes_) > kMaxBatchBytes;
  if (full && chunk_events_ > 0) {
    RM_RETURN_IF_ERROR(Flush());
    new_columns = touched_.size();
  }
  if (BatchSizeBound(1, new_columns, event_bytes_) > kMaxBatchBytes) {
    Fail(Reason::kTooLong, "", begin_, [] { return "the event alone is over a batch's limit of 1 MiB"; });
    event_bytes_ = 0;
  }
  if (!has_time_) SetArrivalTime();
  for (FieldSlot* slot : touched_) slot->last_chunk = chunk_;
  ++chunk_events_;
  chunk_columns_ += new_columns;
  chunk_bytes_ += event_bytes_;
  if (failed_) return absl::OkStatus();
  builder_.Commit();
  source_index_.push_back(index_);
  return absl::OkStatus();
}

absl::Status EventAssembler::Flush() {
  if (chunk_events_ == 0) return absl::OkStatus();
  if (chunk_ >= kMaxBatchesPerBody) {
    return absl::InvalidArgumentError(
        ToAbsl(fmt::format("the body needs more than {} batches: send it in pieces", kMaxBatchesPerBody)));
  }
  absl::Status status;
  if (builder_.event_count() > 0) status = sink_({chunk_, &builder_.View(), &source_index_});
  builder_.Clear();
  source_index_.clear();
  ++chunk_;
  chunk_events_ = chunk_columns_ = chunk_bytes_ = 0;
  return status;
}

}  // namespace rivermeet::events::internal
