// Which RPC an HTTP request means: google.api.http annotations and the Connect protocol's paths, both read from the
// descriptors of the services, so that a new RPC needs no code here.
#ifndef RIVERMEET_GATEWAY_ROUTE_TABLE_H_
#define RIVERMEET_GATEWAY_ROUTE_TABLE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/strings.h"
#include "google/protobuf/descriptor.h"
#include "rivermeet/options/v1/access.pb.h"

namespace rivermeet::gateway {

// A path template of google/api/http.proto: "/v1/streams/{stream}/events", "/v1/{name=files/**}:read".
class PathTemplate {
 public:
  // Errors: INVALID_ARGUMENT, the message says what is wrong with it.
  static absl::StatusOr<PathTemplate> Parse(std::string_view text);

  // The values of its variables by field path, percent-decoded; nothing when `path` does not match.
  using Bindings = std::vector<std::pair<std::string, std::string>>;
  bool Match(std::string_view path, Bindings& bindings) const;

  // Sorts templates so that of several that match a path, the most literal comes first.
  std::string SortKey() const;
  // The field paths it binds.
  std::vector<std::string> Variables() const;

 private:
  enum class Kind { kLiteral, kOne, kRest };
  struct Segment {
    Kind kind;
    std::string literal;
  };
  struct Variable {
    std::string field_path;
    size_t first, count;
  };

  absl::Status ParseSegment(std::string_view text);

  std::vector<Segment> segments_;
  std::vector<Variable> variables_;
  std::string verb_;
};

// One RPC that callers may use.
struct Method {
  const google::protobuf::MethodDescriptor* descriptor;
  options::v1::Access access;
  std::string grpc_path;  // "/rivermeet.query.v1.QueryService/Query", the Connect protocol's too.
};

struct HttpRule {
  std::string http_method;
  std::string text;  // The template as written.
  PathTemplate path;
  std::string body;           // "*", a field, or "".
  std::string response_body;  // A field, or "".
  const Method* method;
};

// Immutable, so thread-safe.
class RouteTable {
 public:
  // All public RPCs of the services: those whose access is said and isn't internal.
  //
  // Errors: INVALID_ARGUMENT for an annotation that means nothing; the message names the RPC.
  static absl::StatusOr<RouteTable> Make(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  struct Found {
    const HttpRule* rule = nullptr;
    PathTemplate::Bindings bindings;
    // Methods that the path knows, for 405; empty when it knows none.
    std::vector<std::string_view> allowed;
  };
  Found FindRest(std::string_view http_method, std::string_view path) const;

  // By "/package.Service/Method"; nullptr when there is none.
  const Method* FindRpc(std::string_view path) const;

  const std::vector<HttpRule>& rules() const { return rules_; }
  const std::vector<std::unique_ptr<Method>>& methods() const { return methods_; }

 private:
  absl::Status Add(const google::protobuf::MethodDescriptor& descriptor);

  std::vector<std::unique_ptr<Method>> methods_;
  StringMap<const Method*> by_path_;
  std::vector<HttpRule> rules_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_ROUTE_TABLE_H_
