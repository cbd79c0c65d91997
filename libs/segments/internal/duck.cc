#include "segments/internal/duck.h"

#include "base/status.h"
#include "base/strings.h"
#include "segments/segment_columns.h"

namespace rivermeet::segments {
namespace {

// DuckDB's C API tells kinds of errors apart only in part: the text has to help.
absl::Status ToStatus(duckdb_error_type type, std::string_view message) {
  const auto has = [&](std::string_view what) { return message.find(what) != std::string_view::npos; };
  if (has("No files found") || has("No such file") || has("does not exist"))
    return absl::NotFoundError(ToAbsl(message));
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY || has("No space left") || has("Out of Memory")) {
    return absl::ResourceExhaustedError(ToAbsl(message));
  }
  if (has("No magic bytes") || has("not a parquet file") || has("orrupt") || has("TProtocolException") ||
      has("decompress") || has("Decompression") || has("too small to be a Parquet") || has("Invalid Error: ")) {
    return absl::DataLossError(ToAbsl(message));
  }
  return absl::InternalError(ToAbsl(message));
}

struct Prepared {
  duckdb_prepared_statement statement = nullptr;
  ~Prepared() { duckdb_destroy_prepare(&statement); }
};
struct Pending {
  duckdb_pending_result result = nullptr;
  ~Pending() { duckdb_destroy_pending(&result); }
};

}  // namespace

absl::StatusOr<std::shared_ptr<DuckDatabase>> DuckDatabase::Open(const DuckOptions& options) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) return absl::InternalError("DuckDB: no configuration");
  duckdb_set_config(config, "threads", std::to_string(options.threads).c_str());
  duckdb_set_config(config, "memory_limit", fmt::format("{}MiB", options.memory_bytes >> 20).c_str());
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  duckdb_set_config(config, "temp_directory", "");
  std::shared_ptr<DuckDatabase> database(new DuckDatabase);
  char* error = nullptr;
  const duckdb_state state = duckdb_open_ext(nullptr, &database->database_, config, &error);
  duckdb_destroy_config(&config);
  if (state != DuckDBSuccess) {
    const absl::Status status = absl::InternalError(fmt::format("DuckDB: {}", error == nullptr ? "" : error));
    duckdb_free(error);
    return status;
  }
  RM_ASSIGN_OR_RETURN(const auto connection, DuckConnection::Open(database));
  std::string folders;
  for (const std::string& folder : options.folders) folders += (folders.empty() ? "" : ", ") + QuoteText(folder);
  for (const std::string& sql :
       {fmt::format("SET allowed_directories = [{}]", folders), std::string("SET enable_external_access = false"),
        std::string("SET lock_configuration = true")}) {
    RM_RETURN_IF_ERROR(connection->Execute(sql).status());
  }
  return database;
}

DuckDatabase::~DuckDatabase() { duckdb_close(&database_); }

DuckResult::~DuckResult() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  if (owns_) duckdb_destroy_result(&result_);
}

bool DuckResult::NextChunk() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  chunk_ = duckdb_fetch_chunk(result_);
  return chunk_ != nullptr;
}

bool DuckResult::IsNull(idx_t column, idx_t row) const {
  uint64_t* const validity = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(chunk_, column));
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

std::string DuckResult::Text(idx_t column, idx_t row) const {
  if (IsNull(column, row)) return {};
  const auto* const strings = Column<duckdb_string_t>(column);
  duckdb_string_t text = strings[row];
  return std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text));
}

absl::StatusOr<std::unique_ptr<DuckConnection>> DuckConnection::Open(std::shared_ptr<DuckDatabase> database) {
  std::unique_ptr<DuckConnection> connection(new DuckConnection);
  if (duckdb_connect(database->database_, &connection->connection_) != DuckDBSuccess) {
    return absl::InternalError("DuckDB: no connection");
  }
  connection->database_ = std::move(database);
  return connection;
}

DuckConnection::~DuckConnection() { duckdb_disconnect(&connection_); }

absl::StatusOr<DuckResult> DuckConnection::Execute(const std::string& sql, const std::vector<DuckParam>& params,
                                                   const std::function<absl::Status()>& stop) {
  Prepared prepared;
  if (duckdb_prepare(connection_, sql.c_str(), &prepared.statement) != DuckDBSuccess) {
    return ToStatus(DUCKDB_ERROR_INVALID, duckdb_prepare_error(prepared.statement));
  }
  for (size_t i = 0; i < params.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&params[i])) {
      duckdb_bind_varchar_length(prepared.statement, i + 1, text->data(), text->size());
    } else {
      duckdb_bind_int64(prepared.statement, i + 1, std::get<int64_t>(params[i]));
    }
  }
  Pending pending;
  if (duckdb_pending_prepared(prepared.statement, &pending.result) != DuckDBSuccess) {
    return ToStatus(DUCKDB_ERROR_INVALID, duckdb_pending_error(pending.result));
  }
  while (true) {
    const duckdb_pending_state state = duckdb_pending_execute_task(pending.result);
    if (state == DUCKDB_PENDING_ERROR) return ToStatus(DUCKDB_ERROR_INVALID, duckdb_pending_error(pending.result));
    if (duckdb_pending_execution_is_finished(state)) break;
    if (stop == nullptr) continue;
    RM_RETURN_IF_ERROR(stop());
  }
  duckdb_result result;
  if (duckdb_execute_pending(pending.result, &result) != DuckDBSuccess) {
    const absl::Status status = ToStatus(duckdb_result_error_type(&result), duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return status;
  }
  return DuckResult(result);
}

}  // namespace rivermeet::segments
