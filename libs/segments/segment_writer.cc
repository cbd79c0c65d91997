#include "segments/segment_writer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

#include "base/crc32c.h"
#include "base/status.h"
#include "base/strings.h"
#include "segments/internal/duck.h"
#include "segments/segment_columns.h"

namespace rivermeet::segments {
namespace {

// Rows of one window, kept until DuckDB takes them in vectors of its own size; the source of the table function.
class RowSource {
 public:
  RowSource(const windows::StreamView& view, int64_t resolution_us, int64_t until_us)
      : view_(view), rollup_(view, resolution_us, until_us) {}

  const windows::StreamView& view() const { return view_; }
  WrittenSegment& written() { return written_; }
  windows::SeriesRollup& rollup() { return rollup_; }

  void DescribeColumns(duckdb_bind_info info) const {
    const auto add = [&](std::string_view name, duckdb_type type) {
      duckdb_logical_type logical = duckdb_create_logical_type(type);
      duckdb_bind_add_result_column(info, std::string(name).c_str(), logical);
      duckdb_destroy_logical_type(&logical);
    };
    add(kWindowStart, DUCKDB_TYPE_TIMESTAMP);
    add(kWindowEvents, DUCKDB_TYPE_UBIGINT);
    for (const auto& dimension : view_.series.dimensions) add(dimension.name, DUCKDB_TYPE_VARCHAR);
    for (const windows::Measure& measure : view_.measures) {
      const duckdb_type number = measure.is_int64 ? DUCKDB_TYPE_BIGINT : DUCKDB_TYPE_DOUBLE;
      add(MeasureColumn(measure.name, "count"), DUCKDB_TYPE_UBIGINT);
      for (const char* part : {"sum", "min", "max", "first", "last"}) add(MeasureColumn(measure.name, part), number);
      for (const char* part : {"first_us", "last_us"}) add(MeasureColumn(measure.name, part), DUCKDB_TYPE_BIGINT);
      for (const char* part : {"first_order", "last_order"}) {
        add(MeasureColumn(measure.name, part), DUCKDB_TYPE_UINTEGER);
      }
      add(MeasureColumn(measure.name, "increase"), DUCKDB_TYPE_DOUBLE);
    }
  }

  void Fill(duckdb_data_chunk chunk) {
    const idx_t capacity = duckdb_vector_size();
    if (next_ == starts_.size()) NextWindow();
    const idx_t count = std::min<idx_t>(capacity, starts_.size() - next_);
    idx_t column = 0;
    const auto vector = [&] { return duckdb_data_chunk_get_vector(chunk, column++); };
    FillNumbers<int64_t>(vector(), count, [&](size_t row) { return starts_[row]; });
    FillNumbers<uint64_t>(vector(), count, [&](size_t row) { return events_[row]; });
    for (const auto& dimension : view_.series.dimensions) FillTexts(vector(), count, dimension);
    for (size_t m = 0; m < view_.measures.size(); ++m) FillMeasure(m, count, vector);
    duckdb_data_chunk_set_size(chunk, count);
    next_ += count;
    written_.rows += static_cast<int64_t>(count);
  }

 private:
  void NextWindow() {
    next_ = 0;
    starts_.clear();
    series_.clear();
    events_.clear();
    totals_.clear();
    rollup_.Next([&](const windows::RollupRow& row) {
      starts_.push_back(row.window_start_us);
      series_.push_back(row.group);
      events_.push_back(row.events);
      totals_.insert(totals_.end(), row.measures, row.measures + view_.measures.size());
    });
    if (starts_.empty()) return;
    if (written_.rows == 0) written_.first_window_us = starts_.front();
    written_.last_window_us = starts_.front();
  }

  template <typename T, typename Value>
  void FillNumbers(duckdb_vector vector, idx_t count, Value value) {
    T* const data = static_cast<T*>(duckdb_vector_get_data(vector));
    for (idx_t i = 0; i < count; ++i) data[i] = static_cast<T>(value(next_ + i));
  }

  void FillTexts(duckdb_vector vector, idx_t count, const windows::DimensionView& dimension) {
    for (idx_t i = 0; i < count; ++i) {
      const uint32_t value = dimension.ValueOf(series_[next_ + i]);
      if (value == 0) {
        SetNull(vector, i);
        continue;
      }
      const std::string_view text = dimension.TextOf(value);
      duckdb_vector_assign_string_element_len(vector, i, text.data(), text.size());
    }
  }

  template <typename Vector>
  void FillMeasure(size_t m, idx_t count, Vector vector) {
    const auto total = [&](size_t row) -> const windows::MeasureTotal& {
      return totals_[row * view_.measures.size() + m];
    };
    FillNumbers<uint64_t>(vector(), count, [&](size_t row) { return total(row).count; });
    const auto values = [&](auto type, auto value) {
      using T = decltype(type);
      const duckdb_vector to = vector();
      FillNumbers<T>(to, count, [&](size_t row) { return value(total(row)); });
      for (idx_t i = 0; i < count; ++i) {
        if (total(next_ + i).count == 0) SetNull(to, i);
      }
    };
    using Total = windows::MeasureTotal;
    if (view_.measures[m].is_int64) {
      values(int64_t(), [](const Total& t) { return windows::Saturate(t.int64_sum); });
      for (const windows::Number Total::*part : {&Total::min, &Total::max, &Total::first, &Total::last}) {
        values(int64_t(), [part](const Total& t) { return (t.*part).i64; });
      }
    } else {
      values(double(), [](const Total& t) { return t.float64_sum; });
      for (const windows::Number Total::*part : {&Total::min, &Total::max, &Total::first, &Total::last}) {
        values(double(), [part](const Total& t) { return (t.*part).f64; });
      }
    }
    values(int64_t(), [](const Total& t) { return t.first_us; });
    values(int64_t(), [](const Total& t) { return t.last_us; });
    values(uint32_t(), [](const Total& t) { return t.first_order; });
    values(uint32_t(), [](const Total& t) { return t.last_order; });
    values(double(), [](const Total& t) { return t.increase; });
  }

  static void SetNull(duckdb_vector vector, idx_t row) {
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
  }

  const windows::StreamView& view_;
  windows::SeriesRollup rollup_;
  WrittenSegment written_;
  std::vector<int64_t> starts_;
  std::vector<uint32_t> series_;
  std::vector<uint64_t> events_;
  std::vector<windows::MeasureTotal> totals_;
  size_t next_ = 0;
};

absl::Status RegisterRows(DuckConnection& connection, RowSource& rows) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, "segment_rows");
  duckdb_table_function_set_extra_info(function, &rows, nullptr);
  duckdb_table_function_set_bind(function, [](duckdb_bind_info info) {
    static_cast<RowSource*>(duckdb_bind_get_extra_info(info))->DescribeColumns(info);
  });
  duckdb_table_function_set_init(function, [](duckdb_init_info) {});
  duckdb_table_function_set_function(function, [](duckdb_function_info info, duckdb_data_chunk chunk) {
    static_cast<RowSource*>(duckdb_function_get_extra_info(info))->Fill(chunk);
  });
  const duckdb_state state = duckdb_register_table_function(connection.get(), function);
  duckdb_destroy_table_function(&function);
  return state == DuckDBSuccess ? absl::OkStatus() : absl::InternalError("DuckDB refuses the table function");
}

}  // namespace

absl::StatusOr<uint32_t> FileCrc32c(const std::string& path, const std::function<absl::Status()>& stop) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(path + ": can't be opened");
  std::vector<char> buffer(1 << 20);
  uint32_t crc = 0;
  for (;;) {
    if (stop != nullptr) RM_RETURN_IF_ERROR(stop());
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    if (file.gcount() == 0) break;
    crc = Crc32c({buffer.data(), static_cast<size_t>(file.gcount())}, crc);
  }
  if (file.bad()) return absl::UnavailableError(path + ": can't be read");
  return crc;
}

absl::StatusOr<WrittenSegment> WriteSegment(const std::string& path, const windows::StreamView& view,
                                            int64_t resolution_us, int64_t until_us) {
  DuckOptions options;
  options.folders = {std::filesystem::path(path).parent_path().string()};
  RM_ASSIGN_OR_RETURN(auto database, DuckDatabase::Open(options));
  RM_ASSIGN_OR_RETURN(auto connection, DuckConnection::Open(std::move(database)));
  RowSource rows(view, resolution_us, until_us);
  RM_RETURN_IF_ERROR(RegisterRows(*connection, rows));
  RM_RETURN_IF_ERROR(connection
                         ->Execute(fmt::format("COPY (SELECT * FROM segment_rows()) TO {} (FORMAT parquet, "
                                               "COMPRESSION zstd, ROW_GROUP_SIZE 65536)",
                                               QuoteText(path)))
                         .status());
  WrittenSegment written = rows.written();
  written.carry = rows.rollup().TakeCarry();
  std::error_code error;
  if (written.rows == 0) {
    std::filesystem::remove(path, error);
    return written;
  }
  written.bytes = static_cast<int64_t>(std::filesystem::file_size(path, error));
  if (error) return absl::UnavailableError(fmt::format("{}: {}", path, error.message()));
  RM_ASSIGN_OR_RETURN(written.crc32c, FileCrc32c(path));
  return written;
}

}  // namespace rivermeet::segments
