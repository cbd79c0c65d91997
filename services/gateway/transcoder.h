// HTTP requests to messages and messages to JSON, by descriptors (google/api/http.proto, protobuf's JSON mapping).
#ifndef RIVERMEET_GATEWAY_TRANSCODER_H_
#define RIVERMEET_GATEWAY_TRANSCODER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/route_table.h"
#include "google/protobuf/message.h"

namespace rivermeet::gateway {

// An empty message of a linked type.
std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor& type);

// Fills the request of `rule`'s RPC from the path's variables, the query string and a JSON body. A field that the
// body may hold is not taken from the query.
//
// Errors: INVALID_ARGUMENT, the message names the field or the place in the JSON.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> RequestFromRest(const HttpRule& rule,
                                                                           const PathTemplate::Bindings& bindings,
                                                                           std::string_view query,
                                                                           std::string_view body);

// Fills `message` from JSON; an unknown field is an error. An empty text is an empty object.
//
// Errors: INVALID_ARGUMENT, the message names the place.
absl::Status MessageFromJson(std::string_view json, google::protobuf::Message& message);

// protobuf's own JSON mapping: camelCase, 64-bit numbers as strings.
enum class JsonZeros {
  kWritten,  // REST: a count of 0 is there to be read.
  kLeftOut,  // Connect: its clients know what is not there.
};
absl::StatusOr<std::string> MessageToJson(const google::protobuf::Message& message, JsonZeros zeros);

// The JSON of a REST response: of the field that `rule` names, or of the whole message.
absl::StatusOr<std::string> ResponseToRest(const HttpRule& rule, const google::protobuf::Message& message);

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_TRANSCODER_H_
