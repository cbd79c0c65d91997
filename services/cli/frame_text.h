// A query's frame as text.
#ifndef RIVERMEET_CLI_FRAME_TEXT_H_
#define RIVERMEET_CLI_FRAME_TEXT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "rivermeet/query/v1/frame.pb.h"

namespace rivermeet::cli {

enum class OutputFormat { kTable, kCsv, kJson };

// "table", "csv" or "json".
//
// Errors:
//   INVALID_ARGUMENT  Another word.
absl::StatusOr<OutputFormat> ParseOutputFormat(const std::string& text);

// Whether every column has `row_count` values of its type; what a frame must be before anything below is called.
//
// Errors:
//   INTERNAL  It has not; the message names the column.
absl::Status CheckFrame(const query::v1::Frame& frame);

// A cell as text: times in RFC 3339, UTC; numbers with as many digits as they need. Nothing for null.
std::optional<std::string> CellText(const query::v1::Column& column, int row);

// A number with at most six significant digits, for people.
std::string BriefNumber(double value);

// The whole frame: a table for people; CSV of RFC 4180 (null is empty); or one JSON array of objects.
std::string FrameText(const query::v1::Frame& frame, OutputFormat format);

// One row as a JSON object. NaN and infinities, which JSON lacks, are null.
std::string RowJson(const query::v1::Frame& frame, int row);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_FRAME_TEXT_H_
