#include "ingest/row_decoder.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "events/batch_builder.h"
#include "events/limits.h"
#include "events/names.h"

namespace rivermeet::ingest {
namespace {

using events::EventError;
using events::Reason;

absl::Status CheckNames(const v1::IngestRowsRequest& rows) {
  StringSet seen;
  for (const auto* names : {&rows.dimensions(), &rows.float64_measures(), &rows.int64_measures()}) {
    for (const std::string& name : *names) {
      if (!events::IsFieldName(name)) {
        return absl::InvalidArgumentError(
            ToAbsl(fmt::format("{} is not a field name like [A-Za-z_][A-Za-z0-9_.]{{0,62}}", events::Quoted(name))));
      }
      if (!seen.insert(name).second) {
        return absl::InvalidArgumentError(ToAbsl(fmt::format("field {} is named twice", name)));
      }
    }
  }
  if (static_cast<size_t>(rows.events_size()) > events::kMaxBatchEvents) {
    return absl::InvalidArgumentError(
        ToAbsl(fmt::format("{} events are over the limit of {}", rows.events_size(), events::kMaxBatchEvents)));
  }
  return absl::OkStatus();
}

class RowDecoder {
 public:
  RowDecoder(const RowsMessage& message, uint32_t schema_version, events::ErrorList& errors, events::ChunkSink sink)
      : rows_(message.rows),
        unreadable_(message.unreadable),
        errors_(errors),
        sink_(sink),
        builder_(rows_.stream(), schema_version) {
    for (const std::string& name : rows_.dimensions()) dimensions_.push_back(builder_.DimensionColumn(name));
    for (const std::string& name : rows_.float64_measures()) float64_.push_back(builder_.Float64Column(name));
    for (const std::string& name : rows_.int64_measures()) int64_.push_back(builder_.Int64Column(name));
  }

  absl::StatusOr<uint64_t> Run() {
    const size_t columns = dimensions_.size() + float64_.size() + int64_.size();
    for (int i = 0; i < rows_.events_size(); ++i) {
      const v1::Event& row = rows_.events(i);
      const bool sound = Check(row, static_cast<uint64_t>(i));
      size_t bytes = sound ? row.id().size() + row.attributes().size() : 0;
      if (sound) {
        for (const std::string& value : row.dimensions()) bytes += value.size() + 4;
      }
      if (chunk_events_ > 0 &&
          events::BatchSizeBound(chunk_events_ + 1, columns, chunk_bytes_ + bytes) > events::kMaxBatchBytes) {
        RM_RETURN_IF_ERROR(Flush());
      }
      ++chunk_events_;
      chunk_bytes_ += bytes;
      if (!sound) continue;
      Add(row);
      source_index_.push_back(static_cast<uint64_t>(i));
    }
    RM_RETURN_IF_ERROR(Flush());
    return static_cast<uint64_t>(rows_.events_size());
  }

 private:
  bool Reject(uint64_t index, Reason reason, std::string field, std::string message) {
    errors_.Add(EventError{index, reason, std::move(field), std::move(message), -1});
    return false;
  }

  // Faults that don't depend on the schema, so that a repeat of the request is cut the same way.
  bool Check(const v1::Event& row, uint64_t index) {
    if (next_unreadable_ < unreadable_.size() && unreadable_[next_unreadable_].index == index) {
      return Reject(index, Reason::kInvalidUtf8, unreadable_[next_unreadable_++].field, "is not UTF-8");
    }
    const auto counts = [&](int is, size_t wanted, const char* what) {
      if (static_cast<size_t>(is) == wanted) return true;
      return Reject(index, Reason::kMalformed, what, fmt::format("{} values for {} names", is, wanted));
    };
    if (!counts(row.dimensions_size(), dimensions_.size(), "dimensions") ||
        !counts(row.float64_measures_size(), float64_.size(), "float64_measures") ||
        !counts(row.int64_measures_size(), int64_.size(), "int64_measures")) {
      return false;
    }
    for (int d = 0; d < row.dimensions_size(); ++d) {
      const size_t size = row.dimensions(d).size();
      if (size <= events::kMaxDimensionValueBytes) continue;
      return Reject(index, Reason::kTooLong, rows_.dimensions(d),
                    fmt::format("a value of {} bytes; at most {}", size, events::kMaxDimensionValueBytes));
    }
    const auto fits = [&](const std::string& text, size_t limit, const char* field) {
      if (text.size() <= limit) return true;
      return Reject(index, Reason::kTooLong, field, fmt::format("{} bytes; at most {}", text.size(), limit));
    };
    return fits(row.id(), events::kMaxIdBytes, "id") &&
           fits(row.attributes(), events::kMaxAttributesBytes, "attributes");
  }

  void Add(const v1::Event& row) {
    builder_.Begin(row.time_us());
    for (int d = 0; d < row.dimensions_size(); ++d) {
      if (!row.dimensions(d).empty()) builder_.SetDimension(dimensions_[d], row.dimensions(d));
    }
    for (int m = 0; m < row.float64_measures_size(); ++m) {
      if (!std::isnan(row.float64_measures(m))) builder_.SetFloat64(float64_[m], row.float64_measures(m));
    }
    for (int m = 0; m < row.int64_measures_size(); ++m) builder_.SetInt64(int64_[m], row.int64_measures(m));
    builder_.SetId(row.id());
    builder_.SetAttributes(row.attributes());
    builder_.Commit();
  }

  absl::Status Flush() {
    if (chunk_events_ == 0) return absl::OkStatus();
    absl::Status status;
    if (builder_.event_count() > 0) status = sink_({chunk_, &builder_.View(), &source_index_});
    builder_.Clear();
    source_index_.clear();
    ++chunk_;
    chunk_events_ = chunk_bytes_ = 0;
    return status;
  }

  const v1::IngestRowsRequest& rows_;
  const std::vector<UnreadableRow>& unreadable_;
  size_t next_unreadable_ = 0;
  events::ErrorList& errors_;
  events::ChunkSink sink_;
  events::BatchBuilder builder_;
  std::vector<int> dimensions_, float64_, int64_;
  std::vector<uint64_t> source_index_;
  uint32_t chunk_ = 0;
  size_t chunk_events_ = 0;
  size_t chunk_bytes_ = 0;
};

}  // namespace

absl::StatusOr<uint64_t> DecodeRows(const RowsMessage& message, uint32_t schema_version, events::ErrorList& errors,
                                    events::ChunkSink sink) {
  RM_RETURN_IF_ERROR(CheckNames(message.rows));
  return RowDecoder(message, schema_version, errors, sink).Run();
}

}  // namespace rivermeet::ingest
