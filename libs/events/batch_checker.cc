#include "events/batch_checker.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "events/batch_encoder.h"
#include "events/json_reader.h"
#include "events/series_hash.h"

namespace rivermeet::events {
namespace {

constexpr double kTwo53 = 9007199254740992.0;

std::string Rfc3339(int64_t time_us) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(time_us), absl::UTCTimeZone());
}

bool IsNonFinite(double value) { return (std::bit_cast<uint64_t>(value) & 0x7ff0000000000000) == 0x7ff0000000000000; }

bool AnyNonFinite(std::span<const double> values) {
  bool any = false;
  for (const double value : values) any |= IsNonFinite(value);
  return any;
}

void RejectUnknown(size_t event, std::string_view name, const Schema& schema, Rejections& rejections) {
  rejections.Add(event, Reason::kUnknownField, name, [&] {
    return fmt::format("stream {} (version {}) has no field {}; declare it with PUT /v1/streams/{}",
                       schema.stream().name(), schema.stream().version(), name, schema.stream().name());
  });
}

void RejectType(size_t event, const v1::Field& field, std::string_view sent, Rejections& rejections) {
  rejections.Add(event, Reason::kWrongType, field.name(),
                 [&] { return fmt::format("is {} in the schema, not {}", TypeName(field.type()), sent); });
}

// `measure` as int64s; what isn't whole rejects its event.
MeasureView ToInt64(const MeasureView& measure, Arena& arena, Rejections& rejections) {
  const std::span<int64_t> values = arena.MakeFilled<int64_t>(measure.float64.size(), 0);
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = measure.float64[i];
    if (std::abs(value) <= kTwo53 && value == std::trunc(value)) {
      values[i] = static_cast<int64_t>(value);
    } else if (!measure.IsNull(i)) {
      rejections.Add(i, Reason::kWrongType, measure.name, [&] {
        return fmt::format("{} is not a whole number within 2^53, and the field is int64", value);
      });
    }
  }
  return {measure.name, MeasureType::kInt64, {}, values, measure.nulls};
}

// `measure` as float64s; what they can't hold exactly rejects its event.
MeasureView ToFloat64(const MeasureView& measure, Arena& arena, Rejections& rejections) {
  const std::span<double> values = arena.Make<double>(measure.int64.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t value = measure.int64[i];
    values[i] = static_cast<double>(value);
    // 2^63 itself doesn't convert back.
    const bool exact = values[i] < 9223372036854775808.0 && static_cast<int64_t>(values[i]) == value;
    if (exact || measure.IsNull(i)) continue;
    rejections.Add(i, Reason::kOutOfRange, measure.name,
                   [&] { return fmt::format("{} is not exact as float64; declare the field int64", value); });
  }
  return {measure.name, MeasureType::kFloat64, values, {}, measure.nulls};
}

absl::Status TooLarge() {
  return absl::InvalidArgumentError("the batch is over 1 MiB in its schema's types: send smaller batches");
}

}  // namespace

void BatchChecker::CheckTimes(const BatchView& batch, const CheckLimits& limits, Rejections& rejections) {
  if (batch.times_us.empty()) return;
  const int64_t latest = std::min(kMaxTimeUs, absl::ToUnixMicros(limits.now + limits.max_future));
  int64_t smallest = batch.times_us.front();
  int64_t largest = smallest;
  for (const int64_t time : batch.times_us) {
    smallest = std::min(smallest, time);
    largest = std::max(largest, time);
  }
  if (smallest >= kMinTimeUs && largest <= latest) return;
  for (size_t i = 0; i < batch.event_count(); ++i) {
    const int64_t time = batch.times_us[i];
    if (time < kMinTimeUs) {
      rejections.Add(i, Reason::kTimeTooOld, "time", [&] { return fmt::format("{} is before 1970", Rfc3339(time)); });
    } else if (time > latest) {
      rejections.Add(i, Reason::kTimeInFuture, "time", [&] {
        return fmt::format("{} is over {} in the future of this server's clock, {}", Rfc3339(time),
                           absl::FormatDuration(limits.max_future), Rfc3339(absl::ToUnixMicros(limits.now)));
      });
    }
  }
}

void BatchChecker::CheckDimensions(const BatchView& batch, const Schema& schema, Rejections& rejections) {
  for (const DimensionView& dimension : batch.dimensions) {
    const v1::Field* field = schema.Find(dimension.name);
    if (field != nullptr && field->type() == v1::FIELD_TYPE_DIMENSION) {
      dimensions_.push_back(dimension);
      continue;
    }
    changed_ = true;
    for (size_t i = 0; i < batch.event_count(); ++i) {
      if (dimension.value_index[batch.series_index[i]] == 0) continue;
      if (field == nullptr) {
        RejectUnknown(i, dimension.name, schema, rejections);
      } else {
        RejectType(i, *field, "dimension", rejections);
      }
    }
  }
}

void BatchChecker::CheckMeasures(const BatchView& batch, const Schema& schema, Rejections& rejections) {
  for (const MeasureView& measure : batch.measures) {
    const v1::Field* field = schema.Find(measure.name);
    const bool is_float64 = field != nullptr && field->type() == v1::FIELD_TYPE_FLOAT64;
    const bool is_int64 = field != nullptr && field->type() == v1::FIELD_TYPE_INT64;
    if (!is_float64 && !is_int64) {
      changed_ = true;
      for (size_t i = 0; i < batch.event_count(); ++i) {
        if (measure.IsNull(i)) continue;
        if (field == nullptr) {
          RejectUnknown(i, measure.name, schema, rejections);
        } else {
          RejectType(i, *field, "a number", rejections);
        }
      }
      continue;
    }
    if (is_int64 == (measure.type == MeasureType::kInt64)) {
      measures_.push_back(measure);
    } else {
      changed_ = true;
      measures_.push_back(is_int64 ? ToInt64(measure, arena_, rejections) : ToFloat64(measure, arena_, rejections));
    }
    if (!is_float64 || field->allow_non_finite() || !AnyNonFinite(measures_.back().float64)) continue;
    for (size_t i = 0; i < batch.event_count(); ++i) {
      const double value = measures_.back().float64[i];
      if (!IsNonFinite(value) || measure.IsNull(i)) continue;
      rejections.Add(i, Reason::kNonFinite, measure.name,
                     [&] { return fmt::format("{} is refused unless the field allows non-finite values", value); });
    }
  }
}

void BatchChecker::CheckAttributes(const BatchView& batch, Rejections& rejections) {
  std::string why;
  bool too_deep = false;
  for (size_t i = 0; i < batch.attributes.size(); ++i) {
    if (batch.attributes[i].empty() || rejections.Contains(i)) continue;
    if (IsJsonObject(batch.attributes[i], kMaxAttributesDepth, why, too_deep)) continue;
    rejections.Add(i, too_deep ? Reason::kTooDeep : Reason::kMalformed, "attributes", [&] { return why; });
  }
}

absl::StatusOr<std::vector<BatchPart>> BatchChecker::CheckAndSplit(const BatchView& batch, const Schema& schema,
                                                                   const CheckLimits& limits, bool has_source,
                                                                   Rejections& rejections) {
  arena_.Reset();
  dimensions_.clear();
  measures_.clear();
  changed_ = false;
  CheckTimes(batch, limits, rejections);
  CheckDimensions(batch, schema, rejections);
  CheckMeasures(batch, schema, rejections);
  CheckAttributes(batch, rejections);
  checked_ = batch;
  checked_.dimensions = dimensions_;
  checked_.measures = measures_;
  return Split(std::max(1u, schema.stream().partitions()), has_source, rejections);
}

absl::StatusOr<std::vector<BatchPart>> BatchChecker::Split(uint32_t partitions, bool has_source,
                                                           const Rejections& rejections) {
  const size_t events = checked_.event_count();
  if (rejections.count() == events) return std::vector<BatchPart>();
  partition_of_series_.assign(checked_.series_count, 0);
  if (partitions > 1) {
    const std::vector<uint64_t> hashes = HashSeries(checked_);
    for (size_t s = 0; s < hashes.size(); ++s) partition_of_series_[s] = static_cast<uint32_t>(hashes[s] % partitions);
  }
  const uint32_t first = partition_of_series_[checked_.series_index.front()];
  bool one_partition = true;
  if (partitions > 1) {
    for (const uint32_t series : checked_.series_index) one_partition &= partition_of_series_[series] == first;
  }
  if (one_partition && checked_.storable && !rejections.any()) {
    const bool untouched = has_source && !changed_;
    BatchPart part{first, static_cast<uint32_t>(events), untouched, untouched ? std::string() : EncodeBatch(checked_)};
    if (part.bytes.size() > kMaxBatchBytes) return TooLarge();
    return std::vector<BatchPart>{std::move(part)};
  }
  events_of_.resize(partitions);
  for (std::vector<uint32_t>& chosen : events_of_) chosen.clear();
  for (uint32_t i = 0; i < events; ++i) {
    if (!rejections.Contains(i)) events_of_[partition_of_series_[checked_.series_index[i]]].push_back(i);
  }
  std::vector<BatchPart> parts;
  for (uint32_t p = 0; p < partitions; ++p) {
    if (events_of_[p].empty()) continue;
    BatchPart part{p, static_cast<uint32_t>(events_of_[p].size()), false,
                   EncodeBatch(SelectEvents(checked_, events_of_[p], arena_))};
    if (part.bytes.size() > kMaxBatchBytes) return TooLarge();
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace rivermeet::events
