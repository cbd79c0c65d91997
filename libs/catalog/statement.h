// What goes into an SQL statement and what comes out, without a database driver in sight.
#ifndef RIVERMEET_CATALOG_STATEMENT_H_
#define RIVERMEET_CATALOG_STATEMENT_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace rivermeet::catalog {

// One value for a placeholder ($1, $2, ...). Copies what it is given.
class Param {
 public:
  Param(std::nullopt_t) {}                                          // NOLINT(google-explicit-constructor)
  Param(std::string_view text) : text_(std::string(text)) {}        // NOLINT(google-explicit-constructor)
  Param(const std::string& text) : text_(text) {}                   // NOLINT(google-explicit-constructor)
  Param(const char* text) : text_(std::string(text)) {}             // NOLINT(google-explicit-constructor)
  Param(std::same_as<bool> auto flag) : text_(flag ? "t" : "f") {}  // NOLINT(google-explicit-constructor)
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Param(Number number)
      : text_(std::to_string(number)) {}  // NOLINT(google-explicit-constructor)
  // To the microsecond; infinities become PostgreSQL's.
  Param(absl::Time time);  // NOLINT(google-explicit-constructor)
  template <typename T>
  Param(const std::optional<T>& value) {  // NOLINT(google-explicit-constructor)
    if (value) *this = Param(*value);
  }
  // For columns of type bytea.
  static Param Blob(std::string_view bytes);

  // As PostgreSQL reads it; no value is NULL.
  const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};

class Result;

// One row of a result, borrowed from it. Columns count from 0. Asking for another type than the column has, or for
// the value of a NULL, is a broken invariant and ends the process: the statements are ours.
class Row {
 public:
  bool IsNull(int column) const;
  std::string_view Text(int column) const;
  int64_t Int(int column) const;
  bool Bool(int column) const;
  std::string Blob(int column) const;
  // The column is a timestamptz.
  absl::Time Time(int column) const;
  std::optional<absl::Time> MaybeTime(int column) const;

 private:
  friend class Result;
  Row(const Result& result, int row) : result_(&result), row_(row) {}
  const Result* result_;
  int row_;
};

// The rows that a statement gave. Cheap to copy; outlives its transaction.
class Result {
 public:
  struct Data;
  explicit Result(std::shared_ptr<const Data> data);

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Row operator[](int row) const;
  // How many rows an INSERT, UPDATE or DELETE changed.
  int64_t affected() const;

  class Iterator {
   public:
    Iterator(const Result& result, int row) : result_(&result), row_(row) {}
    Row operator*() const { return (*result_)[row_]; }
    Iterator& operator++() { return ++row_, *this; }
    bool operator!=(const Iterator& other) const { return row_ != other.row_; }

   private:
    const Result* result_;
    int row_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

 private:
  friend class Row;
  std::shared_ptr<const Data> data_;
  int size_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_STATEMENT_H_
