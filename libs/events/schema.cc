#include "events/schema.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/status.h"
#include "events/names.h"

namespace rivermeet::events {
namespace {

constexpr int64_t kMaxLatenessSeconds = 3'600;

absl::Status Bad(std::string_view field, std::string_view why) {
  return absl::InvalidArgumentError(ToAbsl(fmt::format("{}: {}", field, why)));
}

bool IsMeasure(v1::FieldType type) { return type == v1::FIELD_TYPE_FLOAT64 || type == v1::FIELD_TYPE_INT64; }

absl::Status CheckField(const v1::Field& field) {
  if (!IsFieldName(field.name())) {
    return Bad(fmt::format("field {}", Quoted(field.name())),
               "not a name like [A-Za-z_][A-Za-z0-9_.]{0,62}, or one of time, id, dimensions, measures, attributes");
  }
  const std::string what = "field " + field.name();
  if (field.type() == v1::FIELD_TYPE_UNSPECIFIED || !v1::FieldType_IsValid(field.type())) {
    return Bad(what, "type must be dimension, float64, int64 or attribute");
  }
  if (!v1::MeasureKind_IsValid(field.kind())) return Bad(what, "kind must be gauge, counter or delta");
  if (field.kind() != v1::MEASURE_KIND_UNSPECIFIED && !IsMeasure(field.type())) {
    return Bad(what, "only a measure has a kind");
  }
  if (field.allow_non_finite() && field.type() != v1::FIELD_TYPE_FLOAT64) {
    return Bad(what, "only float64 holds NaN and infinities");
  }
  if (field.unit().size() > 64) return Bad(what, "a unit is at most 64 bytes");
  return absl::OkStatus();
}

bool HasValue(const MeasureView& measure, size_t events) {
  for (size_t i = 0; i < events; ++i) {
    if (!measure.IsNull(i)) return true;
  }
  return false;
}

}  // namespace

Schema::Schema(v1::Stream stream) : stream_(std::move(stream)) {
  for (const v1::Field& field : stream_.fields()) fields_.emplace(field.name(), &field);
}

std::shared_ptr<const Schema> Schema::Compile(v1::Stream stream) {
  return std::shared_ptr<const Schema>(new Schema(std::move(stream)));
}

const v1::Field* Schema::Find(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? nullptr : found->second;
}

v1::Stream InferStream(const BatchView& batch) {
  v1::Stream stream;
  stream.set_name(std::string(batch.stream));
  const auto add = [&](std::string_view name, v1::FieldType type) {
    v1::Field* field = stream.add_fields();
    field->set_name(std::string(name));
    field->set_type(type);
  };
  for (const DimensionView& dimension : batch.dimensions) {
    const auto& index = dimension.value_index;
    const bool used = std::any_of(index.begin(), index.end(), [](uint32_t v) { return v != 0; });
    if (used) add(dimension.name, v1::FIELD_TYPE_DIMENSION);
  }
  for (const MeasureView& measure : batch.measures) {
    if (!HasValue(measure, batch.event_count())) continue;
    add(measure.name, measure.type == MeasureType::kInt64 ? v1::FIELD_TYPE_INT64 : v1::FIELD_TYPE_FLOAT64);
  }
  return stream;
}

absl::Status CheckDeclaration(const v1::Stream& declared, size_t max_fields, uint32_t max_partitions) {
  if (!IsStreamName(declared.name())) {
    return Bad("name", fmt::format("{} is not a name like [a-z][a-z0-9_.]{{0,62}}", Quoted(declared.name())));
  }
  if (static_cast<size_t>(declared.fields_size()) > max_fields) {
    return Bad("fields", fmt::format("{} are over the limit of {}", declared.fields_size(), max_fields));
  }
  StringSet names;
  for (const v1::Field& field : declared.fields()) {
    RM_RETURN_IF_ERROR(CheckField(field));
    if (!names.insert(field.name()).second) return Bad("field " + field.name(), "occurs twice");
  }
  if (declared.partitions() > max_partitions) {
    return Bad("partitions", fmt::format("{} are over the event log's {}", declared.partitions(), max_partitions));
  }
  const auto& lateness = declared.allowed_lateness();
  if (lateness.seconds() < 0 || lateness.nanos() < 0 || lateness.seconds() > kMaxLatenessSeconds ||
      (lateness.seconds() == kMaxLatenessSeconds && lateness.nanos() > 0)) {
    return Bad("allowed_lateness", "must be between 0 s and 1 h");
  }
  if (declared.has_retention() && (declared.retention().seconds() < 0 || declared.retention().nanos() < 0 ||
                                   (declared.retention().seconds() == 0 && declared.retention().nanos() == 0))) {
    return Bad("retention", "must be over 0 s, or absent to keep for ever");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Stream> ChangeStream(const v1::Stream& current, const v1::Stream& declared) {
  if (declared.version() != 0 && declared.version() != current.version()) {
    return absl::AbortedError(ToAbsl(fmt::format("the stream is at version {}, not {}: get it and look again",
                                                 current.version(), declared.version())));
  }
  if (declared.partitions() != 0 && declared.partitions() != current.partitions()) {
    return Bad("partitions", fmt::format("was made with {} and can't change", current.partitions()));
  }
  v1::Stream changed = current;
  for (const v1::Field& field : declared.fields()) {
    const auto found = std::find_if(changed.mutable_fields()->begin(), changed.mutable_fields()->end(),
                                    [&](const v1::Field& f) { return f.name() == field.name(); });
    if (found == changed.mutable_fields()->end()) {
      *changed.add_fields() = field;
    } else if (found->type() != field.type()) {
      return Bad("field " + field.name(), fmt::format("is {}; a field's type can't change to {}",
                                                      TypeName(found->type()), TypeName(field.type())));
    } else {
      *found = field;
    }
  }
  changed.clear_retention();
  if (declared.has_retention()) *changed.mutable_retention() = declared.retention();
  if (declared.has_allowed_lateness()) *changed.mutable_allowed_lateness() = declared.allowed_lateness();
  return changed;
}

std::string_view TypeName(v1::FieldType type) {
  switch (type) {
    case v1::FIELD_TYPE_DIMENSION:
      return "dimension";
    case v1::FIELD_TYPE_FLOAT64:
      return "float64";
    case v1::FIELD_TYPE_INT64:
      return "int64";
    case v1::FIELD_TYPE_ATTRIBUTE:
      return "attribute";
    default:
      return "unspecified";
  }
}

}  // namespace rivermeet::events
