#include "cli/record_splitter.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsBlank(std::string_view text) { return Trim(text).empty(); }

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

absl::StatusOr<InputFormat> FormatOfInput(const std::string& name, const std::string& path) {
  const std::string text = ToLower(name.empty() ? path : "." + name);
  if (EndsWith(text, ".ndjson") || EndsWith(text, ".jsonl")) return InputFormat::kNdjson;
  if (EndsWith(text, ".json")) return InputFormat::kJson;
  if (EndsWith(text, ".csv")) return InputFormat::kCsv;
  if (!name.empty()) return absl::InvalidArgumentError(fmt::format("\"{}\" is no format: json, ndjson or csv", name));
  return absl::InvalidArgumentError(
      fmt::format("what {} holds is not clear from its name: add --format json, ndjson or csv",
                  path == "-" ? "standard input" : path));
}

std::string_view EventBody::Event(size_t index) const {
  if (index >= begin.size()) return {};
  const size_t end = index + 1 < begin.size() ? begin[index + 1] : text.size();
  std::string_view event = std::string_view(text).substr(begin[index], end - begin[index]);
  while (!event.empty() && (event.back() == '\n' || event.back() == '\r')) event.remove_suffix(1);
  return event;
}

RecordSplitter::RecordSplitter(InputFormat format, Limits limits, uint64_t offset, std::string header)
    : format_(format), limits_(limits), header_(std::move(header)), buffer_offset_(offset) {}

void RecordSplitter::Feed(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_offset_ == 0 && begin_ == 0 && scan_ == 0 && std::string_view(buffer_).substr(0, 3) == kByteOrderMark) {
    begin_ = scan_ = kByteOrderMark.size();
  }
}

bool RecordSplitter::FindEnd() {
  switch (format_) {
    case InputFormat::kJson:
      return FindJsonEnd();
    case InputFormat::kNdjson:
      return FindLineEnd(false);
    default:
      return FindLineEnd(true);
  }
}

bool RecordSplitter::FindLineEnd(bool quotes) {
  for (; scan_ < buffer_.size(); ++scan_) {
    if (quotes && buffer_[scan_] == '"') quoted_ = !quoted_;
    if (buffer_[scan_] != '\n' || quoted_) continue;
    end_ = scan_;
    next_ = ++scan_;
    return true;
  }
  if (!ended_ || begin_ == buffer_.size()) return false;
  end_ = next_ = buffer_.size();
  return true;
}

bool RecordSplitter::FindJsonEnd() {
  for (; scan_ < buffer_.size(); ++scan_) {
    const char c = buffer_[scan_];
    if (!inside_ && !garbage_) {
      if (c == '[' || c == ']' || c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
      begin_ = scan_;
      inside_ = c == '{';
      garbage_ = !inside_;
      depth_ = inside_ ? 1 : 0;
    } else if (garbage_) {
      // Not an event: up to where the next one may begin.
      if (c != ',' && c != ']' && c != '\n' && c != '{') continue;
      garbage_ = false;
      end_ = next_ = scan_;
      return true;
    } else if (quoted_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        quoted_ = false;
      }
    } else if (c == '"') {
      quoted_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      inside_ = false;
      end_ = next_ = ++scan_;
      return true;
    }
  }
  if (!ended_ || (!inside_ && !garbage_)) {
    if (!inside_ && !garbage_) begin_ = scan_;
    return false;
  }
  inside_ = garbage_ = quoted_ = false;
  end_ = next_ = buffer_.size();
  return true;
}

std::string_view RecordSplitter::Found() const { return std::string_view(buffer_).substr(begin_, end_ - begin_); }

bool RecordSplitter::Fits(std::string_view event) const {
  return body_.begin.empty() || body_.text.size() + event.size() < limits_.max_body_bytes;
}

void RecordSplitter::Take(std::string_view event) {
  if (body_.begin.empty() && !header_.empty()) body_.text = header_ + "\n";
  body_.begin.push_back(body_.text.size());
  body_.text.append(event);
  if (format_ == InputFormat::kJson) {
    // Outside strings a line end is white space; inside one it isn't JSON either way.
    const auto from = body_.text.end() - static_cast<std::ptrdiff_t>(event.size());
    std::replace_if(
        from, body_.text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }
  body_.text += '\n';
  body_.end_offset = buffer_offset_ + next_;
}

EventBody RecordSplitter::Emit() {
  body_.content_type = format_ == InputFormat::kCsv ? "text/csv" : "application/x-ndjson";
  return std::exchange(body_, EventBody());
}

absl::StatusOr<std::optional<EventBody>> RecordSplitter::Next() {
  while (body_.begin.size() < limits_.max_events) {
    if (next_ <= begin_ && !FindEnd()) {
      if (buffer_.size() - begin_ > limits_.max_event_bytes) {
        return absl::InvalidArgumentError(
            fmt::format("the event at byte {} is over {} MiB: is a quote or a brace left open?",
                        buffer_offset_ + begin_, limits_.max_event_bytes >> 20));
      }
      buffer_.erase(0, begin_);
      buffer_offset_ += begin_;
      scan_ -= std::exchange(begin_, 0);
      next_ = end_ = 0;
      if (!ended_ || body_.begin.empty()) return std::nullopt;
      return Emit();
    }
    const std::string_view event = Found();
    if (format_ == InputFormat::kCsv && header_.empty() && !IsBlank(event)) {
      header_ = event.substr(0, event.find_last_not_of('\r') + 1);
    } else if (!IsBlank(event)) {
      if (!Fits(event)) return Emit();
      Take(event);
    }
    begin_ = next_;
    scan_ = std::max(scan_, next_);
  }
  return Emit();
}

}  // namespace rivermeet::cli
