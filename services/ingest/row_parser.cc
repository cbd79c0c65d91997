#include "ingest/row_parser.h"

#include "base/status.h"
#include "events/names.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace rivermeet::ingest {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Calls `on_field(number, content, whole)` for every field; `whole` has its tag too. The number is 0 and the content
// empty for those that are not length-delimited: under a known number they are unknown fields to protobuf. False when
// `bytes` isn't a message.
template <typename OnField>
bool Walk(std::string_view bytes, OnField on_field) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  while (true) {
    const int begin = in.CurrentPosition();
    const uint32_t tag = in.ReadTag();
    if (tag == 0) return in.ConsumedEntireMessage() && begin == static_cast<int>(bytes.size());
    std::string_view content;
    int number = 0;
    if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      number = WireFormatLite::GetTagFieldNumber(tag);
      uint32_t size = 0;
      if (!in.ReadVarint32(&size)) return false;
      content = bytes.substr(static_cast<size_t>(in.CurrentPosition()), size);
      if (content.size() != size || !in.Skip(static_cast<int>(size))) return false;
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return false;
    }
    const size_t whole = static_cast<size_t>(in.CurrentPosition() - begin);
    on_field(number, content, bytes.substr(static_cast<size_t>(begin), whole));
  }
}

// The number and, for a dimension, position of the first text of a row that isn't UTF-8; 0 when there is none.
int FindBadText(std::string_view row, size_t& position) {
  int bad = 0;
  size_t dimension = 0;
  Walk(row, [&](int number, std::string_view content, std::string_view) {
    const bool is_dimension = number == v1::Event::kDimensionsFieldNumber;
    const bool is_text =
        is_dimension || number == v1::Event::kIdFieldNumber || number == v1::Event::kAttributesFieldNumber;
    if (bad == 0 && is_text && !events::IsText(content)) {
      bad = number;
      position = dimension;
    }
    dimension += is_dimension;
  });
  return bad;
}

}  // namespace

absl::Status ParseRows(std::string_view bytes, RowsMessage& to) {
  const auto parse = [&](std::string_view text) {
    return to.rows.ParseFromArray(text.data(), static_cast<int>(text.size()));
  };
  if (parse(bytes)) return absl::OkStatus();
  struct Bad {
    uint64_t index;
    int number;
    size_t position;
  };
  std::vector<Bad> found;
  uint64_t index = 0;
  std::string readable;
  const bool is_message = Walk(bytes, [&](int number, std::string_view content, std::string_view whole) {
    if (number == v1::IngestRowsRequest::kEventsFieldNumber) {
      size_t position = 0;
      const int bad = FindBadText(content, position);
      if (bad != 0) {
        found.push_back({index, bad, position});
        // An empty row keeps its place.
        readable += static_cast<char>(v1::IngestRowsRequest::kEventsFieldNumber << 3 | 2);
        readable += '\0';
      }
      ++index;
      if (bad != 0) return;
    }
    readable += whole;
  });
  if (!is_message || found.empty() || !parse(readable)) {
    return absl::InvalidArgumentError(
        "not an IngestRowsRequest: cut short, of another type, or a name that is not UTF-8");
  }
  for (const Bad& bad : found) {
    std::string field = bad.number == v1::Event::kIdFieldNumber ? "id" : "attributes";
    if (bad.number == v1::Event::kDimensionsFieldNumber) {
      const bool named = bad.position < static_cast<size_t>(to.rows.dimensions_size());
      field = named ? to.rows.dimensions(static_cast<int>(bad.position)) : "dimensions";
    }
    to.unreadable.push_back({bad.index, std::move(field)});
  }
  return absl::OkStatus();
}

absl::Status ParseStreamRows(std::string_view bytes, RowsMessage& to) {
  std::string_view request;
  const bool is_message = Walk(bytes, [&](int number, std::string_view content, std::string_view) {
    if (number == v1::IngestRowsStreamRequest::kRequestFieldNumber) request = content;
  });
  if (!is_message) return absl::InvalidArgumentError("not an IngestRowsStreamRequest");
  return ParseRows(request, to);
}

}  // namespace rivermeet::ingest
