// How a segment's Parquet columns are named: docs/formats/segment.md.
#ifndef RIVERMEET_SEGMENTS_SEGMENT_COLUMNS_H_
#define RIVERMEET_SEGMENTS_SEGMENT_COLUMNS_H_

#include <string>
#include <string_view>

namespace rivermeet::segments {

// Field names hold no colon, so that these collide with none.
inline constexpr std::string_view kWindowStart = "window:start";    // TIMESTAMP, UTC
inline constexpr std::string_view kWindowEvents = "window:events";  // UBIGINT

// A measure's part: count, sum, min, max, first, last, first_us, last_us, first_order, last_order or increase.
std::string MeasureColumn(std::string_view measure, std::string_view part);

// `name` as an SQL identifier, `text` as an SQL string.
std::string QuoteName(std::string_view name);
std::string QuoteText(std::string_view text);

}  // namespace rivermeet::segments

#endif  // RIVERMEET_SEGMENTS_SEGMENT_COLUMNS_H_
