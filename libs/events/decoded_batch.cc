#include "events/decoded_batch.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"
#include "events/internal/wire.h"
#include "events/names.h"

namespace rivermeet::events {
namespace {

using internal::kFixed64;
using internal::kLengthDelimited;
using internal::kVarint;
using internal::ReadVarint;
using internal::WireField;
using internal::WireReader;
using internal::ZigZagDecode;

absl::Status Bad(std::string_view what, std::string_view why) {
  return absl::InvalidArgumentError(ToAbsl(fmt::format("event batch: {}: {}", what, why)));
}

// A repeated field that may come in pieces: packed, unpacked or both, as the wire format allows.
template <typename T>
class Array {
 public:
  explicit Array(Arena& arena) : arena_(arena) {}

  // Room for `count` more; null when there would be over `limit` in all.
  T* Grow(size_t count, size_t limit) {
    if (count > limit || size_ > limit - count) return nullptr;
    if (size_ + count > storage_.size()) {
      const std::span<T> grown = arena_.Make<T>(size_ == 0 ? count : std::max(size_ + count, size_ * 2));
      std::copy_n(storage_.begin(), size_, grown.begin());
      storage_ = grown;
    }
    T* at = storage_.data() + size_;
    size_ += count;
    return at;
  }

  std::span<T> all() const { return storage_.first(size_); }

 private:
  Arena& arena_;
  std::span<T> storage_;
  size_t size_ = 0;
};

size_t CountVarints(std::string_view packed) {
  size_t count = 0;
  for (const char c : packed) count += static_cast<uint8_t>(c) < 0x80;
  return count;
}

// Appends a field's varints to `to` through `convert`; false when they aren't varints, or too many.
template <typename T, typename Convert>
bool ReadVarints(const WireField& field, size_t limit, Array<T>& to, Convert convert) {
  if (field.type == kVarint) {
    T* at = to.Grow(1, limit);
    return at != nullptr && convert(field.bits, *at);
  }
  if (field.type != kLengthDelimited) return false;
  const size_t count = CountVarints(field.content);
  if (count == 0) return field.content.empty();
  T* out = to.Grow(count, limit);
  if (out == nullptr) return false;
  const char* at = field.content.data();
  const char* end = at + field.content.size();
  for (size_t i = 0; i < count; ++i) {
    uint64_t value;
    at = ReadVarint(at, end, value);
    if (at == nullptr || !convert(value, out[i])) return false;
  }
  return at == end;
}

bool ToIndex(uint64_t bits, uint32_t& value) {
  // An index that needs more than 32 bits is out of every range; protobuf would cut it to another index.
  value = static_cast<uint32_t>(std::min<uint64_t>(bits, UINT32_MAX));
  return true;
}
bool ToSigned(uint64_t bits, int64_t& value) {
  value = ZigZagDecode(bits);
  return true;
}

bool ReadDoubles(const WireField& field, Array<double>& to) {
  if (field.type == kFixed64) {
    double* at = to.Grow(1, kMaxBatchEvents);
    if (at != nullptr) std::memcpy(at, &field.bits, sizeof *at);
    return at != nullptr;
  }
  if (field.type != kLengthDelimited || field.content.size() % sizeof(double) != 0) return false;
  if (field.content.empty()) return true;
  double* at = to.Grow(field.content.size() / sizeof(double), kMaxBatchEvents);
  if (at != nullptr) std::memcpy(at, field.content.data(), field.content.size());
  return at != nullptr;
}

// One message's parse.
class Parser {
 public:
  Parser(Arena& arena, Rejections& rejections, BatchView& view)
      : arena_(arena),
        rejections_(rejections),
        view_(view),
        series_index_(arena),
        times_(arena),
        ids_(arena),
        attributes_(arena),
        measures_(arena),
        dimensions_(arena) {}

  absl::Status Run(std::string_view bytes) {
    if (bytes.size() > kMaxBatchBytes) {
      return Bad("size", fmt::format("{} bytes are over the limit of {}", bytes.size(), kMaxBatchBytes));
    }
    WireReader reader(bytes);
    WireField field;
    while (reader.Next(field)) RM_RETURN_IF_ERROR(ReadField(field));
    if (reader.broken()) return Bad("encoding", "not a protobuf message, or cut short");
    RM_RETURN_IF_ERROR(Finish());
    RM_RETURN_IF_ERROR(CheckNames());
    CheckEvents();
    return absl::OkStatus();
  }

 private:
  absl::Status ReadField(const WireField& field) {
    const auto wrong = [](std::string_view what) {
      return Bad(what, fmt::format("not encoded as its type, or over {} entries", kMaxBatchEvents));
    };
    switch (field.number) {
      case 1:
        if (field.type != kLengthDelimited || !view_.stream.empty()) return wrong("stream");
        view_.stream = field.content;
        return absl::OkStatus();
      case 2:
        if (field.type != kVarint) return wrong("schema_version");
        view_.schema_version = static_cast<uint32_t>(field.bits);
        return absl::OkStatus();
      case 3:
        if (field.type != kLengthDelimited || has_series_) return wrong("series");
        has_series_ = true;
        return ReadSeries(field.content);
      case 4:
        return ReadVarints(field, kMaxBatchEvents, series_index_, ToIndex) ? absl::OkStatus() : wrong("series_index");
      case 5:
        if (field.type != kFixed64) return wrong("base_time_us");
        base_time_us_ = static_cast<int64_t>(field.bits);
        return absl::OkStatus();
      case 6:
        return ReadVarints(field, kMaxBatchEvents, times_, ToSigned) ? absl::OkStatus() : wrong("time_offset_us");
      case 7:
        return field.type == kLengthDelimited ? ReadMeasure(field.content) : wrong("measures");
      case 8:
        return ReadText(field, kMaxBatchEvents, ids_) ? absl::OkStatus() : wrong("ids");
      case 9:
        return ReadText(field, kMaxBatchEvents, attributes_) ? absl::OkStatus() : wrong("attributes");
      default:
        return absl::OkStatus();
    }
  }

  bool ReadText(const WireField& field, size_t limit, Array<std::string_view>& to) {
    if (field.type != kLengthDelimited) return false;
    std::string_view* at = to.Grow(1, limit);
    if (at != nullptr) *at = field.content;
    return at != nullptr;
  }

  absl::Status ReadSeries(std::string_view bytes) {
    WireReader reader(bytes);
    WireField field;
    while (reader.Next(field)) {
      if (field.number == 1 && field.type == kVarint) {
        if (field.bits > kMaxBatchEvents) return Bad("series.count", fmt::format("over {}", kMaxBatchEvents));
        view_.series_count = static_cast<uint32_t>(field.bits);
      } else if (field.number == 2 && field.type == kLengthDelimited) {
        RM_RETURN_IF_ERROR(ReadDimension(field.content));
      } else if (field.number <= 2) {
        return Bad("series", "a field isn't encoded as its type");
      }
    }
    return reader.broken() ? Bad("series", "not a protobuf message") : absl::OkStatus();
  }

  absl::Status ReadDimension(std::string_view bytes) {
    DimensionView* dimension = dimensions_.Grow(1, kMaxBatchColumns);
    if (dimension == nullptr) return Bad("series.dimensions", fmt::format("over {}", kMaxBatchColumns));
    *dimension = {};
    Array<std::string_view> values(arena_);
    Array<uint32_t> value_index(arena_);
    WireReader reader(bytes);
    WireField field;
    while (reader.Next(field)) {
      bool sound = true;
      if (field.number == 1) {
        sound = field.type == kLengthDelimited && dimension->name.empty();
        dimension->name = field.content;
      } else if (field.number == 2) {
        sound = ReadText(field, kMaxBatchBytes, values);
      } else if (field.number == 3) {
        sound = ReadVarints(field, kMaxBatchEvents, value_index, ToIndex);
      }
      if (!sound) return Bad(fmt::format("dimension {}", Quoted(dimension->name)), "not encoded as its type");
    }
    if (reader.broken()) return Bad("series.dimensions", "not a protobuf message");
    dimension->values = values.all();
    dimension->value_index = value_index.all();
    return absl::OkStatus();
  }

  absl::Status ReadMeasure(std::string_view bytes) {
    MeasureView* measure = measures_.Grow(1, kMaxBatchColumns);
    if (measure == nullptr) return Bad("measures", fmt::format("over {}", kMaxBatchColumns));
    *measure = {};
    Array<double> float64(arena_);
    Array<int64_t> int64(arena_);
    WireReader reader(bytes);
    WireField field;
    while (reader.Next(field)) {
      bool sound = true;
      if (field.number == 1) {
        sound = field.type == kLengthDelimited && measure->name.empty();
        measure->name = field.content;
      } else if (field.number == 2) {
        sound = ReadDoubles(field, float64);
      } else if (field.number == 3) {
        sound = ReadVarints(field, kMaxBatchEvents, int64, ToSigned);
      } else if (field.number == 4) {
        sound = field.type == kLengthDelimited;
        measure->nulls = {reinterpret_cast<const uint8_t*>(field.content.data()), field.content.size()};
      }
      if (!sound) {
        return Bad(fmt::format("measure {}", Quoted(measure->name)),
                   fmt::format("not encoded as its type, or over {} entries", kMaxBatchEvents));
      }
    }
    if (reader.broken()) return Bad("measures", "not a protobuf message");
    measure->float64 = float64.all();
    measure->int64 = int64.all();
    measure->type = float64.all().empty() ? MeasureType::kInt64 : MeasureType::kFloat64;
    return absl::OkStatus();
  }

  // Lengths, and times from offsets.
  absl::Status Finish() {
    const size_t events = times_.all().size();
    if (dimensions_.all().size() + measures_.all().size() > kMaxBatchColumns) {
      return Bad("fields", fmt::format("over {}", kMaxBatchColumns));
    }
    const auto expect = [](std::string_view what, size_t is, size_t wanted, std::string_view of) {
      if (is == wanted) return absl::OkStatus();
      return Bad(what, fmt::format("{} entries for {} {}", is, wanted, of));
    };
    RM_RETURN_IF_ERROR(expect("series_index", series_index_.all().size(), events, "events"));
    if (!ids_.all().empty()) RM_RETURN_IF_ERROR(expect("ids", ids_.all().size(), events, "events"));
    if (!attributes_.all().empty())
      RM_RETURN_IF_ERROR(expect("attributes", attributes_.all().size(), events, "events"));
    if (events > 0 && view_.series_count == 0) return Bad("series.count", "0, but there are events");
    for (const DimensionView& dimension : dimensions_.all()) {
      RM_RETURN_IF_ERROR(expect(fmt::format("dimension {}", Quoted(dimension.name)), dimension.value_index.size(),
                                view_.series_count, "series"));
    }
    for (const MeasureView& measure : measures_.all()) {
      const std::string what = fmt::format("measure {}", Quoted(measure.name));
      if (!measure.float64.empty() && !measure.int64.empty()) return Bad(what, "both float64_values and int64_values");
      RM_RETURN_IF_ERROR(expect(what, measure.float64.size() + measure.int64.size(), events, "events"));
      if (!measure.nulls.empty() && measure.nulls.size() != (events + 7) / 8) {
        return Bad(what, fmt::format("nulls has {} bytes for {} events", measure.nulls.size(), events));
      }
    }
    for (int64_t& time : times_.all()) {
      const int64_t offset = time;
      if (__builtin_add_overflow(base_time_us_, offset, &time)) time = offset < 0 ? INT64_MIN : INT64_MAX;
    }
    view_.dimensions = dimensions_.all();
    view_.series_index = series_index_.all();
    view_.times_us = times_.all();
    view_.measures = measures_.all();
    view_.ids = ids_.all();
    view_.attributes = attributes_.all();
    rejections_.Reset(events, nullptr);
    return absl::OkStatus();
  }

  absl::Status CheckNames() {
    if (!IsStreamName(view_.stream)) {
      return Bad("stream", fmt::format("{} is not a name like [a-z][a-z0-9_.]{{0,62}}", Quoted(view_.stream)));
    }
    std::vector<std::string_view> names;
    names.reserve(view_.dimensions.size() + view_.measures.size());
    for (const DimensionView& dimension : view_.dimensions) names.push_back(dimension.name);
    for (const MeasureView& measure : view_.measures) names.push_back(measure.name);
    for (const std::string_view name : names) {
      if (IsFieldName(name)) continue;
      return Bad(fmt::format("field {}", Quoted(name)),
                 "not a name like [A-Za-z_][A-Za-z0-9_.]{0,62}, or one of time, id, dimensions, measures, attributes");
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) return Bad(fmt::format("field {}", *twice), "occurs twice");
    return absl::OkStatus();
  }

  // Faults of series and of single events.
  void CheckEvents() {
    const std::span<uint32_t> index = series_index_.all();
    uint32_t largest = 0;
    for (const uint32_t series : index) largest = std::max(largest, series);
    if (!index.empty() && largest >= view_.series_count) {
      for (size_t i = 0; i < index.size(); ++i) {
        if (index[i] < view_.series_count) continue;
        rejections_.Add(i, Reason::kBadIndex, "series_index", [&] {
          return fmt::format("series_index {} is outside the series table of {}", index[i], view_.series_count);
        });
        index[i] = 0;
      }
    }
    for (DimensionView& dimension : dimensions_.all()) CheckDimension(dimension);
    CheckText(view_.ids, "id", kMaxIdBytes);
    CheckText(view_.attributes, "attributes", kMaxAttributesBytes);
  }

  void CheckDimension(DimensionView& dimension) {
    faulty_values_.clear();
    for (uint32_t v = 0; v < dimension.values.size(); ++v) {
      const std::string_view value = dimension.values[v];
      if (value.size() > kMaxDimensionValueBytes || !IsText(value)) faulty_values_.push_back(v + 1);
    }
    uint32_t largest = 0;
    for (const uint32_t v : dimension.value_index) largest = std::max(largest, v);
    if (faulty_values_.empty() && largest <= dimension.values.size()) return;
    view_.storable = false;
    const auto is_faulty = [&](uint32_t v) {
      return v > dimension.values.size() || std::binary_search(faulty_values_.begin(), faulty_values_.end(), v);
    };
    for (size_t i = 0; i < view_.event_count(); ++i) {
      const uint32_t v = dimension.value_index[view_.series_index[i]];
      if (!is_faulty(v)) continue;
      if (v > dimension.values.size()) {
        rejections_.Add(i, Reason::kBadIndex, dimension.name, [&] {
          return fmt::format("value_index {} is outside the dictionary of {}", v, dimension.values.size());
        });
      } else if (dimension.values[v - 1].size() > kMaxDimensionValueBytes) {
        rejections_.Add(i, Reason::kTooLong, dimension.name, [&] {
          return fmt::format("a value of {} bytes; at most {}", dimension.values[v - 1].size(),
                             kMaxDimensionValueBytes);
        });
      } else {
        rejections_.Add(i, Reason::kInvalidUtf8, dimension.name,
                        [&] { return fmt::format("{} is not UTF-8", Quoted(dimension.values[v - 1])); });
      }
    }
    // Nobody follows these again: their events are rejected.
    const std::span<uint32_t> values(const_cast<uint32_t*>(dimension.value_index.data()), dimension.value_index.size());
    for (uint32_t& v : values) {
      if (is_faulty(v)) v = 0;
    }
  }

  void CheckText(std::span<const std::string_view> texts, std::string_view field, size_t limit) {
    for (size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].size() > limit) {
        rejections_.Add(i, Reason::kTooLong, field,
                        [&] { return fmt::format("{} bytes; at most {}", texts[i].size(), limit); });
      } else if (!IsText(texts[i])) {
        rejections_.Add(i, Reason::kInvalidUtf8, field,
                        [&] { return fmt::format("{} is not UTF-8", Quoted(texts[i])); });
      }
    }
  }

  Arena& arena_;
  Rejections& rejections_;
  BatchView& view_;
  Array<uint32_t> series_index_;
  Array<int64_t> times_;
  Array<std::string_view> ids_;
  Array<std::string_view> attributes_;
  Array<MeasureView> measures_;
  Array<DimensionView> dimensions_;
  std::vector<uint32_t> faulty_values_;
  int64_t base_time_us_ = 0;
  bool has_series_ = false;
};

}  // namespace

absl::Status DecodedBatch::Parse(std::string_view bytes, Rejections& rejections) {
  arena_.Reset();
  view_ = {};
  rejections.Reset(0);
  return Parser(arena_, rejections, view_).Run(bytes);
}

absl::Status DecodedBatch::Parse(std::string_view bytes) {
  Rejections rejections;
  RM_RETURN_IF_ERROR(Parse(bytes, rejections));
  if (!rejections.any()) return absl::OkStatus();
  const EventError first = rejections.errors().Sorted().front();
  return Bad(fmt::format("event {}, {}", first.index, first.field), first.message);
}

}  // namespace rivermeet::events
