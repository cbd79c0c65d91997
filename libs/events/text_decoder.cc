#include "events/text_decoder.h"

#include "base/status.h"
#include "base/strings.h"
#include "events/internal/csv_decoder.h"
#include "events/internal/event_assembler.h"
#include "events/internal/json_decoder.h"
#include "events/names.h"

namespace rivermeet::events {

absl::StatusOr<TextFormat> FormatOf(std::string_view content_type) {
  const std::vector<std::string_view> pieces = Split(content_type, ';');
  for (size_t i = 1; i < pieces.size(); ++i) {
    const std::string parameter = ToLower(Trim(pieces[i]));
    if (!parameter.starts_with("charset=")) continue;
    if (parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"" || parameter == "charset=us-ascii") continue;
    return absl::InvalidArgumentError(ToAbsl(fmt::format("content type {}: only UTF-8", Quoted(content_type))));
  }
  const std::string type = ToLower(Trim(pieces[0]));
  if (type == "application/json") return TextFormat::kJson;
  if (type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl") {
    return TextFormat::kNdjson;
  }
  if (type == "text/csv") return TextFormat::kCsv;
  return absl::InvalidArgumentError(ToAbsl(
      fmt::format("content type {}: send application/json, application/x-ndjson or text/csv", Quoted(content_type))));
}

absl::StatusOr<uint64_t> DecodeText(TextFormat format, std::string_view body, const DecodeOptions& options,
                                    ErrorList& errors, ChunkSink sink) {
  if (body.size() > kMaxBodyBytes) {
    return absl::InvalidArgumentError(
        ToAbsl(fmt::format("a body of {} bytes is over the limit of {}", body.size(), kMaxBodyBytes)));
  }
  // A byte order mark is no part of the text (RFC 8259 section 8.1 lets a parser ignore it); some systems write it. It
  // is made white space so that positions stay those of the body; CSV's reader skips it.
  std::string without_mark;
  if (format != TextFormat::kCsv && body.starts_with("\xef\xbb\xbf")) {
    without_mark = body;
    without_mark.replace(0, 3, "   ");
    body = without_mark;
  }
  if (Trim(body).empty()) return absl::InvalidArgumentError("the body is empty");
  internal::EventAssembler assembler(options, errors, sink);
  uint64_t events = 0;
  switch (format) {
    case TextFormat::kJson: {
      RM_ASSIGN_OR_RETURN(events, internal::DecodeJson(body, assembler));
      break;
    }
    case TextFormat::kNdjson: {
      RM_ASSIGN_OR_RETURN(events, internal::DecodeNdjson(body, assembler));
      break;
    }
    case TextFormat::kCsv: {
      RM_ASSIGN_OR_RETURN(events, internal::DecodeCsv(body, options, assembler));
      break;
    }
  }
  RM_RETURN_IF_ERROR(assembler.Finish());
  return events;
}

}  // namespace rivermeet::events
