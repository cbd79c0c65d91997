// DuckDB's C API with owners and errors as values. Nothing of it throws.
#ifndef RIVERMEET_SEGMENTS_INTERNAL_DUCK_H_
#define RIVERMEET_SEGMENTS_INTERNAL_DUCK_H_

#include <duckdb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::segments {

struct DuckOptions {
  int threads = 1;
  uint64_t memory_bytes = uint64_t{256} << 20;
  // Files may be read and written below these folders and nowhere else; the network is closed.
  std::vector<std::string> folders;
};

// An in-memory database without extensions. Thread-safe: give each thread a connection.
class DuckDatabase {
 public:
  // Errors:
  //   INTERNAL  DuckDB refuses the options; the message is its own.
  static absl::StatusOr<std::shared_ptr<DuckDatabase>> Open(const DuckOptions& options);
  ~DuckDatabase();

 private:
  friend class DuckConnection;
  DuckDatabase() = default;
  duckdb_database database_ = nullptr;
};

using DuckParam = std::variant<int64_t, std::string>;

// A materialised result, chunk by chunk. For one thread.
class DuckResult {
 public:
  explicit DuckResult(duckdb_result result) : result_(result) {}
  DuckResult(DuckResult&& other) noexcept
      : result_(other.result_),
        chunk_(std::exchange(other.chunk_, nullptr)),
        owns_(std::exchange(other.owns_, false)) {}
  ~DuckResult();

  // False at the end.
  bool NextChunk();
  idx_t rows() const { return duckdb_data_chunk_get_size(chunk_); }
  template <typename T>
  const T* Column(idx_t column) const {
    return static_cast<const T*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_, column)));
  }
  bool IsNull(idx_t column, idx_t row) const;
  std::string Text(idx_t column, idx_t row) const;

 private:
  duckdb_result result_;
  duckdb_data_chunk chunk_ = nullptr;
  bool owns_ = true;
};

// For one thread.
class DuckConnection {
 public:
  static absl::StatusOr<std::unique_ptr<DuckConnection>> Open(std::shared_ptr<DuckDatabase> database);
  ~DuckConnection();

  // Parameters are $1, $2, ... `stop` is asked between pieces of work; when it gives an error the query ends with it.
  //
  // Errors:
  //   NOT_FOUND           A file is missing.
  //   RESOURCE_EXHAUSTED  Over the memory limit, or the disk is full.
  //   DATA_LOSS           A file is not Parquet or is damaged.
  //   INTERNAL            Anything else.
  absl::StatusOr<DuckResult> Execute(const std::string& sql, const std::vector<DuckParam>& params = {},
                                     const std::function<absl::Status()>& stop = nullptr);

  duckdb_connection get() { return connection_; }

 private:
  DuckConnection() = default;
  std::shared_ptr<DuckDatabase> database_;
  duckdb_connection connection_ = nullptr;
};

}  // namespace rivermeet::segments

#endif  // RIVERMEET_SEGMENTS_INTERNAL_DUCK_H_
