#include "gateway/gateway.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/retry_after.h"
#include "base/status.h"
#include "fmt/format.h"
#include "gateway/errors.h"
#include "gateway/open_api.h"
#include "gateway/session_cookie.h"
#include "gateway/transcoder.h"
#include "rpc/authorizer.h"
#include "telemetry/logging.h"
#include "telemetry/trace.h"

namespace rivermeet::gateway {
namespace {

constexpr absl::Duration kDefaultTimeout = absl::Seconds(30);
constexpr absl::Duration kMaxTimeout = absl::Seconds(120);
constexpr char kLogin[] = "rivermeet.auth.v1.AuthService.Login";

// The timeout that a caller names (the Connect protocol's field), within bounds.
absl::Duration TimeoutOf(const net::RequestHead& head) {
  int64_t milliseconds = 0;
  const auto field = head.Find("connect-timeout-ms");
  if (!field || field->size() > 10 || !ParseNumber(*field, milliseconds) || milliseconds <= 0) return kDefaultTimeout;
  return std::min(absl::Milliseconds(milliseconds), kMaxTimeout);
}

// "application/json; charset=utf-8" without its parameters, in lower case.
std::string MediaType(std::string_view content_type) {
  return ToLower(Trim(content_type.substr(0, content_type.find(';'))));
}

net::Response WrongMethod(std::string_view allowed, const std::string& request_id) {
  return net::ProblemResponse(
             {.status = 405, .detail = fmt::format("This path takes {}.", allowed), .request_id = request_id})
      .Set("Allow", allowed);
}

net::Response NothingHere(const std::string& request_id) {
  return net::ProblemResponse({.status = 404, .detail = "There is nothing here.", .request_id = request_id});
}

}  // namespace

Gateway::Gateway(Options options)
    : options_(std::move(options)),
      operations_(options_.health, options_.metric_sources),
      open_api_(OpenApiDocument(options_.routes)),
      callers_(options_.requests_per_second, 2 * options_.requests_per_second, *options_.clock),
      addresses_(options_.requests_per_second, 2 * options_.requests_per_second, *options_.clock),
      logins_(options_.logins_per_minute / 60, options_.logins_per_minute, *options_.clock) {}

net::BodyRules Gateway::RulesFor(const net::RequestHead& head) {
  // Requests that carry events: our own clients call the RPCs by their Connect paths.
  const bool bulk =
      head.method == "POST" && ((head.path.starts_with("/v1/streams/") && head.path.ends_with("/events")) ||
                                head.path.starts_with("/rivermeet.ingest.v1.IngestService/"));
  const size_t limit = bulk ? options_.max_body_bytes : std::min(kMaxSmallBody, options_.max_body_bytes);
  return {.max_bytes = limit, .inflate = true, .max_inflated_bytes = limit};
}

net::Task<net::Response> Gateway::Handle(net::Request& request) {
  const auto parent = telemetry::TraceContext::Parse(request.Header("traceparent"));
  const telemetry::TraceContext trace = parent ? parent->Child() : telemetry::TraceContext::NewRoot();
  Context context{.request = request,
                  .call = {.bearer = "",
                           .traceparent = trace.ToTraceparent(),
                           .deadline = absl::Now() + TimeoutOf(request.head()),
                           .client_address = request.peer()},
                  .request_id = trace.trace_id,
                  .began = options_.clock->MonotonicNow()};
  net::Response response = co_await Dispatch(context);
  if (!response.Has("x-request-id")) response.Set("X-Request-Id", context.request_id);
  response.Set("X-Content-Type-Options", "nosniff");
  if (request.over_tls()) response.Set("Strict-Transport-Security", "max-age=31536000");
  co_return response;
}

net::Task<net::Response> Gateway::Dispatch(Context& context) {
  const net::RequestHead& head = context.request.head();
  if (const Method* method = options_.routes.FindRpc(head.path)) {
    const std::string type = MediaType(context.request.Header("content-type"));
    const bool streams = method->descriptor->server_streaming();
    const bool json = type == (streams ? "application/connect+json" : "application/json");
    const bool proto = type == (streams ? "application/connect+proto" : "application/proto");
    if (head.method != "POST" || method->descriptor->client_streaming() || (!json && !proto)) {
      net::Response refusal = net::ProblemResponse(
          {.status = head.method != "POST" ? 405 : 415,
           .detail = "This is a Connect RPC: POST application/json or application/proto, or their streaming forms.",
           .request_id = context.request_id});
      if (head.method != "POST") refusal.Set("Allow", "POST");
      co_return refusal;
    }
    if (streams) co_return co_await ConnectStream(context, *method, json);
    co_return co_await ConnectUnary(context, *method, json);
  }
  if (head.path == "/v1/live") co_return co_await Live(context);
  static const PathTemplate kBulk = PathTemplate::Parse("/v1/streams/{stream}/events").value();
  PathTemplate::Bindings bindings;
  if (kBulk.Match(head.path, bindings)) {
    if (head.method != "POST") co_return WrongMethod("POST", context.request_id);
    co_return co_await Bulk(context, bindings[0].second);
  }
  const RouteTable::Found found = options_.routes.FindRest(head.method, head.path);
  if (found.rule != nullptr) co_return co_await Rest(context, *found.rule, found.bindings);
  if (!found.allowed.empty()) {
    co_return WrongMethod(fmt::format("{}", fmt::join(found.allowed, ", ")), context.request_id);
  }
  co_return Page(context);
}

net::Response Gateway::Page(Context& context) {
  const net::RequestHead& head = context.request.head();
  const bool reads = head.method == "GET" || head.method == "HEAD";
  const bool document = head.path == "/openapi.json";
  if (document || IsOperationsPath(head.path)) {
    if (!reads) return WrongMethod("GET, HEAD", context.request_id);
    if (!document) return operations_.Answer(head.path);
    return net::Response::Of(200, "application/json", open_api_).Set("Cache-Control", "no-cache");
  }
  if (reads && options_.files != nullptr && !head.path.starts_with("/v1/")) return options_.files->Serve(head);
  return NothingHere(context.request_id);
}

absl::Status Gateway::Limit(RateLimiter& limiter, std::string_view key, std::string_view name) {
  const absl::Duration wait = limiter.Take(key);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  options_.metrics->Limited(name);
  return WithRetryAfter(absl::ResourceExhaustedError("Too many requests; wait as long as Retry-After says."), wait);
}

net::Task<absl::Status> Gateway::Admit(Context& context, const Method& method) {
  if (method.access == options::v1::ACCESS_ANYONE) {
    const bool login = method.descriptor->full_name() == kLogin;
    co_return Limit(login ? logins_ : addresses_, context.request.peer(), login ? "login" : "address");
  }
  const std::string authorization(context.request.Header("authorization"));
  if (context.request.head().Count("authorization") > 1) {
    co_return absl::UnauthenticatedError("Authorization must be given once.");
  }
  // Guessing is limited like signing in is, before it costs anything.
  if (!options_.authenticator->Knows(authorization)) {
    if (auto limited = Limit(addresses_, context.request.peer(), "address"); !limited.ok()) co_return limited;
  }
  absl::StatusOr<SessionPtr> session = co_await options_.authenticator->FromHeader(authorization);
  if (!session.ok()) co_return session.status();
  context.session = std::move(*session);
  context.call.bearer = context.session->bearer;
  const authn::Principal& principal = context.session->principal();
  if (auto status = rpc::CheckAccess(method.access, *method.descriptor, principal); !status.ok()) co_return status;
  co_return Limit(callers_, fmt::format("{}/{}", principal.tenant, principal.subject), "caller");
}

net::Task<absl::StatusOr<grpc::ByteBuffer>> Gateway::Call(Context& context, const Method& method,
                                                          grpc::ByteBuffer request) {
  Cancellation cancellation;
  context.request.OnGone([&cancellation] { cancellation.Cancel(); });
  absl::StatusOr<grpc::ByteBuffer> answer =
      co_await options_.upstream->Unary(method.grpc_path, context.call, kMaxTimeout, std::move(request), &cancellation);
  context.request.OnGone(nullptr);
  co_return answer;
}

void Gateway::Count(const Context& context, std::string_view rpc, const absl::Status& status) {
  options_.metrics->Called(rpc, status.code(), options_.clock->MonotonicNow() - context.began);
  if (HttpStatusOf(status) < 500) return;
  telemetry::Log(telemetry::Level::kWarn, "call failed",
                 {{"rpc", rpc}, {"trace", context.request_id}, {"error", status}});
}

net::Response Gateway::Fail(Context& context, const absl::Status& status, std::string_view rpc) {
  Count(context, rpc, status);
  return ProblemOf(status, context.request_id);
}

net::Response Gateway::FailConnect(Context& context, const absl::Status& status, std::string_view rpc) {
  Count(context, rpc, status);
  return ConnectErrorOf(status, context.request_id);
}

net::Task<net::Response> Gateway::Rest(Context& context, const HttpRule& rule, const PathTemplate::Bindings& bindings) {
  const Method& method = *rule.method;
  const std::string& name = method.descriptor->full_name();
  if (absl::Status status = co_await Admit(context, method); !status.ok()) co_return Fail(context, status, name);
  const std::string type = MediaType(context.request.Header("content-type"));
  if (!context.request.body().empty() && type != "application/json" && !type.empty()) {
    co_return net::ProblemResponse(
        {.status = 415, .detail = "Send application/json.", .request_id = context.request_id});
  }
  auto request = RequestFromRest(rule, bindings, context.request.query(), context.request.body());
  if (!request.ok()) co_return Fail(context, request.status(), name);
  if (auto status = FillFromCookie(context.request.head(), **request); !status.ok()) {
    co_return Fail(context, status, name);
  }
  grpc::ByteBuffer bytes = ToBytes(**request);
  if (method.descriptor->server_streaming()) co_return co_await RestStream(context, rule, std::move(bytes));
  absl::StatusOr<grpc::ByteBuffer> answer = co_await Call(context, method, std::move(bytes));
  if (!answer.ok()) {
    net::Response failed = Fail(context, answer.status(), name);
    if (absl::IsUnauthenticated(answer.status()) && ConcernsCookie(*method.descriptor)) {
      ClearCookie(context.request, failed);
    }
    co_return failed;
  }
  std::unique_ptr<google::protobuf::Message> message = NewMessage(*method.descriptor->output_type());
  net::Response response;
  absl::Status status = ParseBytes(*answer, *message);
  if (status.ok()) MoveToCookie(context.request, *message, response);
  absl::StatusOr<std::string> json = status.ok() ? ResponseToRest(rule, *message) : status;
  if (!json.ok()) co_return Fail(context, json.status(), name);
  Count(context, name, absl::OkStatus());
  response.Set("Content-Type", "application/json").Set("Cache-Control", "no-store");
  response.body = std::move(*json);
  response.body.push_back('\n');
  co_return response;
}

net::Task<net::Response> Gateway::ConnectUnary(Context& context, const Method& method, bool json) {
  const std::string& name = method.descriptor->full_name();
  if (absl::Status status = co_await Admit(context, method); !status.ok()) co_return FailConnect(context, status, name);
  // A binary message that is none of the cookie's business passes as it is; the service reads it strictly.
  const bool as_it_is = !json && !ConcernsCookie(*method.descriptor);
  grpc::ByteBuffer bytes;
  if (as_it_is) {
    bytes = ToBytes(context.request.TakeBody());
  } else {
    std::unique_ptr<google::protobuf::Message> request = NewMessage(*method.descriptor->input_type());
    absl::Status status;
    if (json) {
      status = MessageFromJson(context.request.body(), *request);
    } else if (!request->ParseFromString(context.request.body())) {
      status = absl::InvalidArgumentError("The body is not the message that this RPC takes.");
    }
    if (status.ok()) status = FillFromCookie(context.request.head(), *request);
    if (!status.ok()) co_return FailConnect(context, status, name);
    bytes = ToBytes(*request);
  }
  absl::StatusOr<grpc::ByteBuffer> answer = co_await Call(context, method, std::move(bytes));
  if (!answer.ok()) {
    net::Response failed = FailConnect(context, answer.status(), name);
    if (absl::IsUnauthenticated(answer.status()) && ConcernsCookie(*method.descriptor)) {
      ClearCookie(context.request, failed);
    }
    co_return failed;
  }
  net::Response response;
  if (as_it_is) {
    response.body = FromBytes(*answer);
  } else {
    std::unique_ptr<google::protobuf::Message> message = NewMessage(*method.descriptor->output_type());
    absl::Status status = ParseBytes(*answer, *message);
    if (status.ok()) MoveToCookie(context.request, *message, response);
    absl::StatusOr<std::string> text = !status.ok() ? status
                                       : json       ? MessageToJson(*message, JsonZeros::kLeftOut)
                                                    : absl::StatusOr<std::string>(message->SerializeAsString());
    if (!text.ok()) co_return FailConnect(context, text.status(), name);
    response.body = std::move(*text);
  }
  Count(context, name, absl::OkStatus());
  response.Set("Content-Type", json ? "application/json" : "application/proto").Set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace rivermeet::gateway
