#include "segments/segment_reader.h"

#include <sys/stat.h>

#include <set>

#include "absl/time/clock.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "base/strings.h"
#include "segments/internal/duck.h"
#include "segments/segment_columns.h"
#include "segments/segment_writer.h"

namespace rivermeet::segments {
namespace {

using aggregation::v1::MeasurePartials;
using aggregation::v1::Partials;
using aggregation::v1::PartialsQuery;
using aggregation::v1::SegmentReference;

constexpr absl::Duration kCheckAgain = absl::Minutes(10);
constexpr size_t kMaxChecked = 100'000;
constexpr int kRowsPerMessage = 8'192;
constexpr int64_t kReadBytes = 4 << 20;

absl::Status Damaged(const std::string& object, uint32_t crc32c) {
  return absl::DataLossError(fmt::format(
      "segment {} is damaged: its file has the checksum {:08x}; restart, which makes it anew where the log still "
      "reaches, or restore it from a copy",
      object, crc32c));
}

std::string FileList(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list += (list.empty() ? "" : ", ") + QuoteText(path);
  return list;
}

// Builds the one statement that reads a partition's files; its parameters in the order of their use.
class Statement {
 public:
  Statement(const PartialsQuery& query, const std::set<std::string>& columns, std::vector<bool> is_int64)
      : query_(query), columns_(columns), is_int64_(std::move(is_int64)) {}

  std::string Build(const std::vector<std::string>& paths) {
    const std::string start = Param(query_.start_us());
    const std::string step = Param(query_.step_us());
    const std::string time = fmt::format("epoch_us({})", QuoteName(kWindowStart));
    std::string select = fmt::format("SELECT {0} - ({0} - {1}) % {2}", time, start, step);
    std::string groups = "1";
    for (int g = 0; g < query_.group_by_size(); ++g) {
      select += ", " + Dimension(query_.group_by(g));
      groups += fmt::format(", {}", g + 2);
    }
    select += fmt::format(", sum({})::UBIGINT", QuoteName(kWindowEvents));
    for (int m = 0; m < query_.measures_size(); ++m) select += Measure(query_.measures(m), is_int64_[m]);
    std::string where =
        fmt::format("{0} >= {1} AND {0} < {2}", QuoteName(kWindowStart), fmt::format("make_timestamp({})", start),
                    fmt::format("make_timestamp({})", Param(query_.end_us())));
    for (const auto& filter : query_.filters()) where += " AND " + Filter(filter);
    return fmt::format("{} FROM read_parquet([{}], union_by_name = true) WHERE {} GROUP BY {}", select, FileList(paths),
                       where, groups);
  }
  const std::vector<DuckParam>& params() const { return params_; }

 private:
  std::string Param(int64_t value) {
    params_.emplace_back(std::in_place_type<int64_t>, value);
    return fmt::format("${}::BIGINT", params_.size());
  }
  std::string Param(const std::string& value) {
    params_.emplace_back(std::in_place_type<std::string>, value);
    return fmt::format("${}::VARCHAR", params_.size());
  }

  std::string Dimension(const std::string& name) {
    return columns_.contains(name) ? fmt::format("coalesce({}, '')", QuoteName(name)) : std::string("''");
  }

  std::string Filter(const query::v1::Filter& filter) {
    std::string values;
    for (const std::string& value : filter.values()) values += (values.empty() ? "" : ", ") + Param(value);
    const bool exclude = filter.operator_() == query::v1::FILTER_OPERATOR_NOT_IN;
    if (values.empty()) return exclude ? "true" : "false";
    return fmt::format("{} {} ({})", Dimension(filter.dimension()), exclude ? "NOT IN" : "IN", values);
  }

  std::string Measure(const std::string& name, bool is_int64) {
    const std::string type = is_int64 ? "BIGINT" : "DOUBLE";
    if (!columns_.contains(MeasureColumn(name, "count"))) {
      return fmt::format(", 0::UBIGINT{0}{0}{0}{0}{0}, 0::BIGINT, 0::BIGINT, 0::DOUBLE", fmt::format(", 0::{}", type));
    }
    const auto column = [&](std::string_view part) { return QuoteName(MeasureColumn(name, part)); };
    std::string sql = fmt::format(", sum({})::UBIGINT", column("count"));
    if (is_int64) {
      sql += fmt::format(
          ", greatest(least(coalesce(sum({}::BIGINT), 0), 9223372036854775807::HUGEINT), "
          "-9223372036854775808::HUGEINT)::BIGINT",
          column("sum"));
      sql += fmt::format(", min({}::BIGINT), max({}::BIGINT)", column("min"), column("max"));
    } else {
      sql += fmt::format(", sum({}::DOUBLE)", column("sum"));
      // NaN gives way to any number.
      for (const std::string part : {"min", "max"}) {
        sql += fmt::format(", coalesce({0}({1}) FILTER (WHERE NOT isnan({1})), {0}({1}))", part,
                           column(part) + "::DOUBLE");
      }
    }
    // Ties of time break by the order of the log.
    const auto key = [&](std::string_view end) {
      return fmt::format("{}::HUGEINT * 4294967296 + {}", column(std::string(end) + "_us"),
                         column(std::string(end) + "_order"));
    };
    sql += fmt::format(", arg_min({}::{}, {})", column("first"), type, key("first"));
    sql += fmt::format(", arg_max({}::{}, {})", column("last"), type, key("last"));
    sql += fmt::format(", min({}), max({})", column("first_us"), column("last_us"));
    return sql + fmt::format(", sum({})", column("increase"));
  }

  const PartialsQuery& query_;
  const std::set<std::string>& columns_;
  const std::vector<bool> is_int64_;
  std::vector<DuckParam> params_;
};

// Turns result rows into messages.
class RowCollector {
 public:
  RowCollector(const PartialsQuery& query, const std::vector<bool>& is_int64, uint32_t partition,
               const SegmentReader::Sink& sink)
      : query_(query), is_int64_(is_int64), partition_(partition), sink_(sink) {
    Begin();
  }

  absl::Status Take(const DuckResult& result) {
    const idx_t rows = result.rows();
    for (idx_t row = 0; row < rows; ++row) {
      partials_.add_window_start_us(result.Column<int64_t>(0)[row]);
      partials_.add_partition(partition_);
      idx_t column = 1;
      for (int g = 0; g < query_.group_by_size(); ++g) AddGroup(g, result.Text(column++, row));
      partials_.add_event_count(result.Column<uint64_t>(column++)[row]);
      for (int m = 0; m < query_.measures_size(); ++m) {
        AddMeasure(*partials_.mutable_measures(m), result, column, row);
        column += 9;
      }
      if (partials_.window_start_us_size() >= kRowsPerMessage) RM_RETURN_IF_ERROR(Flush());
    }
    return absl::OkStatus();
  }

  absl::Status Flush() {
    if (partials_.window_start_us_size() == 0) return absl::OkStatus();
    RM_RETURN_IF_ERROR(sink_(partials_));
    Begin();
    return absl::OkStatus();
  }

 private:
  void Begin() {
    partials_.Clear();
    dictionaries_.assign(query_.group_by_size(), {});
    for (const std::string& name : query_.group_by()) partials_.add_group_by()->set_name(name);
    for (int m = 0; m < query_.measures_size(); ++m) {
      auto& measure = *partials_.add_measures();
      measure.set_name(query_.measures(m));
      measure.set_is_int64(is_int64_[m]);
    }
  }

  void AddGroup(int g, const std::string& text) {
    auto& column = *partials_.mutable_group_by(g);
    if (text.empty()) {
      column.add_value_index(0);
      return;
    }
    const auto [found, made] = dictionaries_[g].try_emplace(text, column.values_size() + 1);
    if (made) column.add_values(text);
    column.add_value_index(found->second);
  }

  void AddMeasure(MeasurePartials& to, const DuckResult& from, idx_t column, idx_t row) {
    to.add_count(from.Column<uint64_t>(column)[row]);
    // All are null when the count is 0.
    const auto number = [&](idx_t part, auto zero) {
      return from.IsNull(column + part, row) ? zero : from.Column<decltype(zero)>(column + part)[row];
    };
    if (to.is_int64()) {
      to.add_int64_sum(number(1, int64_t{0}));
      to.add_int64_min(number(2, int64_t{0}));
      to.add_int64_max(number(3, int64_t{0}));
      to.add_int64_first(number(4, int64_t{0}));
      to.add_int64_last(number(5, int64_t{0}));
    } else {
      to.add_float64_sum(number(1, 0.0));
      to.add_float64_min(number(2, 0.0));
      to.add_float64_max(number(3, 0.0));
      to.add_float64_first(number(4, 0.0));
      to.add_float64_last(number(5, 0.0));
    }
    to.add_first_us(number(6, int64_t{0}));
    to.add_last_us(number(7, int64_t{0}));
    to.add_increase(number(8, 0.0));
  }

  const PartialsQuery& query_;
  const std::vector<bool>& is_int64_;
  const uint32_t partition_;
  const SegmentReader::Sink& sink_;
  Partials partials_;
  std::vector<StringMap<uint32_t>> dictionaries_;
};

}  // namespace

std::string SegmentObjectSuffix(uint32_t crc32c) { return fmt::format(".{:08x}.parquet", crc32c); }

absl::Status CheckSegmentObject(objects::ObjectStore& objects, const std::string& object, absl::Time deadline) {
  uint32_t crc = 0;
  for (int64_t offset = 0;; offset += kReadBytes) {
    const auto piece = objects.GetRange(object, offset, kReadBytes, deadline);
    if (absl::IsNotFound(piece.status())) return absl::DataLossError(fmt::format("segment {} is missing", object));
    // Its size is a multiple of the pieces', or it was cut.
    if (!absl::IsOutOfRange(piece.status())) RM_RETURN_IF_ERROR(piece.status());
    if (piece.ok()) crc = Crc32c(*piece, crc);
    if (!piece.ok() || static_cast<int64_t>(piece->size()) < kReadBytes) break;
  }
  return object.ends_with(SegmentObjectSuffix(crc)) ? absl::OkStatus() : Damaged(object, crc);
}

absl::StatusOr<std::shared_ptr<DuckDatabase>> SegmentReader::Database() {
  MutexLock lock(mutex_);
  if (database_ == nullptr) {
    DuckOptions options;
    options.threads = options_.threads;
    options.memory_bytes = options_.memory_bytes;
    options.folders = {options_.store_folder};
    RM_ASSIGN_OR_RETURN(database_, DuckDatabase::Open(options));
  }
  return database_;
}

absl::Status SegmentReader::CheckFile(const std::string& object, const std::string& path, const Stop& stop) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return absl::NotFoundError(fmt::format("segment {} is gone", object));
  const Checked now{info.st_size, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, absl::Now()};
  {
    MutexLock lock(mutex_);
    const auto found = checked_.find(path);
    if (found != checked_.end() && found->second.bytes == now.bytes && found->second.modified_ns == now.modified_ns &&
        now.when - found->second.when < kCheckAgain) {
      return absl::OkStatus();
    }
  }
  const auto crc = FileCrc32c(path, stop);
  if (!crc.ok()) return Annotate(crc.status(), object);
  if (!object.ends_with(SegmentObjectSuffix(*crc))) return Damaged(object, *crc);
  MutexLock lock(mutex_);
  if (checked_.size() >= kMaxChecked) checked_.clear();
  checked_[path] = now;
  return absl::OkStatus();
}

absl::StatusOr<std::string> SegmentReader::LocalFile(const std::string& object, const Stop& stop) {
  std::optional<std::string> path = options_.objects->LocalPath(object);
  if (!path) return absl::NotFoundError(fmt::format("segment {} is not kept on this machine", object));
  RM_RETURN_IF_ERROR(CheckFile(object, *path, stop));
  return *std::move(path);
}

absl::Status SegmentReader::Read(const PartialsQuery& query, const std::vector<SegmentReference>& segments,
                                 absl::Time deadline, const std::function<bool()>& cancelled, const Sink& sink) {
  if (segments.empty()) return absl::OkStatus();
  if (query.step_us() <= 0) return absl::InvalidArgumentError("step_us is not positive");
  const auto stop = [&]() -> absl::Status {
    if (cancelled != nullptr && cancelled()) return absl::CancelledError("the query was cancelled");
    if (absl::Now() > deadline) return absl::DeadlineExceededError("reading segments took too long");
    return absl::OkStatus();
  };
  std::map<uint32_t, std::vector<std::string>> paths;
  for (const SegmentReference& segment : segments) {
    RM_RETURN_IF_ERROR(stop());
    RM_ASSIGN_OR_RETURN(std::string path, LocalFile(segment.object(), stop));
    paths[segment.partition()].push_back(std::move(path));
  }
  PartialsQuery bounded = query;
  if (bounded.end_us() == 0) bounded.set_end_us(int64_t{1} << 60);
  RM_ASSIGN_OR_RETURN(auto database, Database());
  RM_ASSIGN_OR_RETURN(const auto connection, DuckConnection::Open(std::move(database)));
  for (const auto& [partition, files] : paths) {
    RM_RETURN_IF_ERROR(stop());
    std::set<std::string> columns;
    std::set<std::string> int64_columns;
    RM_ASSIGN_OR_RETURN(
        DuckResult schema,
        connection->Execute(fmt::format("SELECT DISTINCT name, type FROM parquet_schema([{}])", FileList(files))));
    while (schema.NextChunk()) {
      for (idx_t row = 0; row < schema.rows(); ++row) {
        columns.insert(schema.Text(0, row));
        if (schema.Text(1, row) == "INT64") int64_columns.insert(schema.Text(0, row));
      }
    }
    std::vector<bool> is_int64;
    for (int m = 0; m < query.measures_size(); ++m) {
      is_int64.push_back(m < query.measure_is_int64_size()
                             ? query.measure_is_int64(m)
                             : int64_columns.contains(MeasureColumn(query.measures(m), "min")));
    }
    Statement statement(bounded, columns, is_int64);
    const std::string sql = statement.Build(files);
    RM_ASSIGN_OR_RETURN(DuckResult result, connection->Execute(sql, statement.params(), stop));
    RowCollector collector(query, is_int64, partition, sink);
    while (result.NextChunk()) RM_RETURN_IF_ERROR(collector.Take(result));
    RM_RETURN_IF_ERROR(collector.Flush());
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::segments
