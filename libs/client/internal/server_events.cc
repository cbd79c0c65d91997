#include "client/internal/server_events.h"

#include <utility>

namespace rivermeet::client::internal {

absl::StatusOr<std::vector<ServerEvent>> ServerEvents::Feed(std::string_view piece) {
  std::vector<ServerEvent> events;
  while (!piece.empty()) {
    if (std::exchange(after_return_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const size_t end = piece.find_first_of("\r\n");
    line_.append(piece.substr(0, end));
    if (line_.size() + data_.size() > kMaxEventBytes) {
      return absl::ResourceExhaustedError("an event of the stream is over 64 MiB: ask for less");
    }
    if (end == std::string_view::npos) break;
    after_return_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    TakeLine(std::exchange(line_, ""), events);
  }
  return events;
}

void ServerEvents::TakeLine(std::string_view line, std::vector<ServerEvent>& events) {
  if (line.empty()) {
    if (has_data_) events.push_back({type_.empty() ? "message" : type_, data_});
    data_.clear();
    type_.clear();
    has_data_ = false;
    return;
  }
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (name == "data") {
    if (has_data_) data_ += '\n';
    data_.append(value);
    has_data_ = true;
  } else if (name == "event") {
    type_ = value;
  }
}

}  // namespace rivermeet::client::internal
