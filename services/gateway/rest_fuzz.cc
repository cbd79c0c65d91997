// Any request line and body against the real routes: no route, an error with its place, or a message that JSON can say.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/strings.h"
#include "gateway/route_table.h"
#include "gateway/transcoder.h"
#include "rivermeet/auth/v1/auth.pb.h"
#include "rivermeet/ingest/v1/streams.pb.h"
#include "rivermeet/query/v1/query.pb.h"

using namespace rivermeet;

namespace {

gateway::RouteTable Routes() {
  return gateway::RouteTable::Make({auth::v1::LoginRequest::descriptor()->file()->service(0),
                                    ingest::v1::GetStreamRequest::descriptor()->file()->service(0),
                                    query::v1::QueryRequest::descriptor()->file()->service(0)})
      .value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const gateway::RouteTable routes = Routes();
  // "METHOD path?query", a line break, the body.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::string_view body = line.size() < size ? text.substr(line.size() + 1) : std::string_view();
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  const std::string_view target = line.substr(space + 1);
  const size_t mark = std::min(target.find('?'), target.size());
  const std::string_view query = mark < target.size() ? target.substr(mark + 1) : std::string_view();
  (void)routes.FindRpc(target);
  const auto found = routes.FindRest(line.substr(0, space), target.substr(0, mark));
  if (found.rule == nullptr) return 0;
  const auto request = gateway::RequestFromRest(*found.rule, found.bindings, query, body);
  if (!request.ok()) {
    RM_CHECK(request.status().code() == absl::StatusCode::kInvalidArgument);
    return 0;
  }
  (void)gateway::MessageToJson(**request, gateway::JsonZeros::kWritten);
  return 0;
}
