// One HTTP exchange through libcurl, with its errors as statuses.
#ifndef RIVERMEET_CLIENT_INTERNAL_HTTP_CALL_H_
#define RIVERMEET_CLIENT_INTERNAL_HTTP_CALL_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

typedef void CURL;

namespace rivermeet::client::internal {

// The largest answer kept in memory, in bytes; a longer one is RESOURCE_EXHAUSTED.
inline constexpr size_t kMaxAnswerBytes = size_t{256} << 20;

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "name: value"
  std::string_view body;
  std::string authority_file;  // PEM, for https://; empty: what the system believes
  absl::Time deadline = absl::InfiniteFuture();
  // Where given, the body of an answer with a 2xx status goes here as it comes; false ends the call.
  std::function<bool(std::string_view)> on_data;
  // Asked about once a second and at each piece of data; true ends the call.
  std::function<bool()> cancelled;
};

struct HttpAnswer {
  int status = 0;
  std::string body;          // empty for a 2xx answer that went to `on_data`
  std::string content_type;  // lower case, without parameters
  std::string date;          // the Date header, or empty
  absl::Duration retry_after = absl::ZeroDuration();
};

// Blocks until the answer is complete. `curl` keeps its connection for the next call.
//
// Errors:
//   UNAVAILABLE         Not reached, or the connection broke. Nothing is known of what the server did.
//   DEADLINE_EXCEEDED   As it says. The outcome is unknown.
//   CANCELLED           `cancelled` or `on_data` ended it.
//   RESOURCE_EXHAUSTED  The answer is over kMaxAnswerBytes.
absl::StatusOr<HttpAnswer> Perform(CURL* curl, const HttpCall& call);

// What an answer other than 2xx means: the code and message of a Connect error or an RFC 9457 problem in its body,
// else of its HTTP status.
absl::Status StatusOfAnswer(const HttpAnswer& answer);

// The canonical code with this name in the Connect protocol ("not_found"); UNKNOWN for another text.
absl::StatusCode CodeOfConnectName(std::string_view name);

}  // namespace rivermeet::client::internal

#endif  // RIVERMEET_CLIENT_INTERNAL_HTTP_CALL_H_
