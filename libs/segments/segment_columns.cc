#include "segments/segment_columns.h"

namespace rivermeet::segments {
namespace {

std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  quoted += quote;
  return quoted;
}

}  // namespace

std::string MeasureColumn(std::string_view measure, std::string_view part) {
  std::string name(measure);
  name += ':';
  name += part;
  return name;
}

std::string QuoteName(std::string_view name) { return Quote(name, '"'); }
std::string QuoteText(std::string_view text) { return Quote(text, '\''); }

}  // namespace rivermeet::segments
