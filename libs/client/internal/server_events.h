// Reads an event stream of the HTML standard (section 9.2, server-sent events), piece by piece.
#ifndef RIVERMEET_CLIENT_INTERNAL_SERVER_EVENTS_H_
#define RIVERMEET_CLIENT_INTERNAL_SERVER_EVENTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::client::internal {

struct ServerEvent {
  std::string type = "message";
  std::string data;
};

class ServerEvents {
 public:
  // The longest event taken, in bytes.
  static constexpr size_t kMaxEventBytes = size_t{64} << 20;

  // The events that are complete with `piece`. Comments and fields that the standard does not know are skipped.
  //
  // Errors:
  //   RESOURCE_EXHAUSTED  An event is over kMaxEventBytes; the reader is no longer of use.
  absl::StatusOr<std::vector<ServerEvent>> Feed(std::string_view piece);

 private:
  void TakeLine(std::string_view line, std::vector<ServerEvent>& events);

  std::string line_;
  std::string data_;
  std::string type_;
  bool has_data_ = false;
  bool after_return_ = false;
};

}  // namespace rivermeet::client::internal

#endif  // RIVERMEET_CLIENT_INTERNAL_SERVER_EVENTS_H_
