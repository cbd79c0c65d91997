#include "client/rivermeet_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/loopback.h"
#include "base/status.h"
#include "base/strings.h"
#include "client/internal/http_call.h"
#include "client/internal/server_events.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace rivermeet::client {
namespace {

std::string HostOf(const std::string& url) {
  const size_t host = url.find("://") + 3;
  return url.substr(host, url.find('/', host) - host);
}

absl::Status StatusOfErrorEvent(const std::string& data) {
  return internal::StatusOfAnswer({.status = 500, .body = data, .content_type = "application/json"});
}

}  // namespace

// A curl handle out of the pool, and back into it.
class RivermeetClient::Handle {
 public:
  explicit Handle(RivermeetClient& client) : client_(client) {
    MutexLock lock(client_.mutex_);
    if (client_.idle_.empty()) {
      curl_ = curl_easy_init();
    } else {
      curl_ = client_.idle_.back();
      client_.idle_.pop_back();
    }
    RM_CHECK(curl_ != nullptr);
  }
  ~Handle() {
    MutexLock lock(client_.mutex_);
    client_.idle_.push_back(curl_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  CURL* get() const { return curl_; }

 private:
  RivermeetClient& client_;
  CURL* curl_;
};

absl::StatusOr<std::unique_ptr<RivermeetClient>> RivermeetClient::Open(Options options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Connection& connection = options.connection;
  if (!std::all_of(connection.key.begin(), connection.key.end(), [](unsigned char c) { return c > ' ' && c < 127; })) {
    return absl::InvalidArgumentError(fmt::format("what {} holds is not a key", connection.key_source));
  }
  const bool plain = connection.url.rfind("http://", 0) == 0;
  if (plain && !connection.key.empty() && !connection.plain_http && !IsLoopback(HostOf(connection.url))) {
    return absl::FailedPreconditionError(fmt::format(
        "the key would go to {} without TLS: use https://, or --plain-http on a network you trust", connection.url));
  }
  return std::unique_ptr<RivermeetClient>(new RivermeetClient(std::move(options)));
}

RivermeetClient::~RivermeetClient() {
  MutexLock lock(mutex_);
  for (CURL* curl : idle_) curl_easy_cleanup(curl);
}

std::vector<std::string> RivermeetClient::Headers(std::string content_type) const {
  std::vector<std::string> headers = {fmt::format("user-agent: {}", options_.user_agent)};
  if (!content_type.empty()) headers.push_back(fmt::format("content-type: {}", content_type));
  if (!options_.connection.key.empty()) {
    headers.push_back(fmt::format("authorization: Bearer {}", options_.connection.key));
  }
  return headers;
}

absl::Status RivermeetClient::Explain(const absl::Status& status) const {
  const Connection& connection = options_.connection;
  const auto with = [&](std::string message) { return absl::Status(status.code(), ToAbsl(message)); };
  if (absl::IsUnauthenticated(status)) {
    const std::string key = connection.key.empty() ? fmt::format("no key was sent ({})", connection.key_source)
                                                   : fmt::format("the key {} from {} was sent",
                                                                 RedactKey(connection.key), connection.key_source);
    return with(
        fmt::format("{} says: {}; {}. Make a key on the web page under API keys, or on the suite's machine "
                    "with `rivermeet keys create NAME --data DIR`, and give it by --key-file or RIVERMEET_KEY",
                    connection.url, MessageOf(status), key));
  }
  if (absl::IsPermissionDenied(status) && !connection.key.empty()) {
    return with(
        fmt::format("{} (key {} from {})", MessageOf(status), RedactKey(connection.key), connection.key_source));
  }
  return status;
}

absl::StatusOr<HttpResponse> RivermeetClient::Http(const std::string& method, const std::string& path,
                                                   const std::vector<std::string>& headers, std::string_view body,
                                                   absl::Time deadline) {
  internal::HttpCall call{.method = method, .url = options_.connection.url + path, .headers = Headers("")};
  call.headers.insert(call.headers.end(), headers.begin(), headers.end());
  call.body = body;
  call.authority_file = options_.connection.authority_file;
  call.deadline = deadline;
  const Handle handle(*this);
  absl::StatusOr<internal::HttpAnswer> answer = internal::Perform(handle.get(), call);
  if (absl::IsUnavailable(answer.status())) {
    return absl::UnavailableError(
        fmt::format("can't reach {} (from {}): {}. Start the suite with tools/up, or name another one with --url",
                    options_.connection.url, options_.connection.url_source, MessageOf(answer.status())));
  }
  RM_RETURN_IF_ERROR(answer.status());
  return HttpResponse{answer->status, std::move(answer->content_type), std::move(answer->body),
                      std::move(answer->date)};
}

absl::Status RivermeetClient::Call(std::string_view method, const google::protobuf::Message& request,
                                   google::protobuf::Message& response, absl::Time deadline) {
  std::vector<std::string> headers = {"content-type: application/proto", "connect-protocol-version: 1"};
  if (deadline != absl::InfiniteFuture()) {
    const int64_t left = std::max<int64_t>(1, absl::ToInt64Milliseconds(deadline - absl::Now()));
    headers.push_back(fmt::format("connect-timeout-ms: {}", left));
  }
  RM_ASSIGN_OR_RETURN(const HttpResponse answer,
                      Http("POST", fmt::format("/{}", method), headers, request.SerializeAsString(), deadline));
  if (answer.status < 200 || answer.status >= 300) {
    return Explain(
        internal::StatusOfAnswer({.status = answer.status, .body = answer.body, .content_type = answer.content_type}));
  }
  if (answer.content_type != "application/proto" || !response.ParseFromString(answer.body)) {
    return absl::InternalError(fmt::format("{} answered {} with \"{}\", which is not a Rivermeet gateway's answer",
                                           options_.connection.url, method, answer.content_type));
  }
  return absl::OkStatus();
}

absl::StatusOr<query::v1::QueryResponse> RivermeetClient::Query(const query::v1::QueryRequest& request,
                                                                absl::Time deadline) {
  query::v1::QueryResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.query.v1.QueryService/Query", request, response, deadline));
  return response;
}

absl::StatusOr<query::v1::GetLedgerResponse> RivermeetClient::GetLedger(const std::string& stream,
                                                                        absl::Time deadline) {
  query::v1::GetLedgerRequest request;
  request.set_stream(stream);
  query::v1::GetLedgerResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.query.v1.QueryService/GetLedger", request, response, deadline));
  return response;
}

absl::StatusOr<ingest::v1::ListStreamsResponse> RivermeetClient::ListStreams(absl::Time deadline) {
  ingest::v1::ListStreamsResponse response;
  RM_RETURN_IF_ERROR(
      Call("rivermeet.ingest.v1.StreamService/ListStreams", ingest::v1::ListStreamsRequest(), response, deadline));
  return response;
}

absl::StatusOr<events::v1::Stream> RivermeetClient::GetStream(const std::string& name, absl::Time deadline) {
  ingest::v1::GetStreamRequest request;
  request.set_name(name);
  ingest::v1::GetStreamResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.ingest.v1.StreamService/GetStream", request, response, deadline));
  return std::move(*response.mutable_stream());
}

absl::StatusOr<events::v1::Stream> RivermeetClient::PutStream(const events::v1::Stream& stream, absl::Time deadline) {
  ingest::v1::PutStreamRequest request;
  *request.mutable_stream() = stream;
  ingest::v1::PutStreamResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.ingest.v1.StreamService/PutStream", request, response, deadline));
  return std::move(*response.mutable_stream());
}

absl::Status RivermeetClient::DeleteStream(const std::string& name, absl::Time deadline) {
  ingest::v1::DeleteStreamRequest request;
  request.set_name(name);
  ingest::v1::DeleteStreamResponse response;
  return Call("rivermeet.ingest.v1.StreamService/DeleteStream", request, response, deadline);
}

absl::StatusOr<uint64_t> RivermeetClient::OpenProducer(absl::Time deadline) {
  ingest::v1::OpenProducerResponse response;
  RM_RETURN_IF_ERROR(
      Call("rivermeet.ingest.v1.IngestService/OpenProducer", ingest::v1::OpenProducerRequest(), response, deadline));
  return response.producer_id();
}

absl::StatusOr<ingest::v1::Receipt> RivermeetClient::IngestRaw(const ingest::v1::IngestRawRequest& request,
                                                               absl::Time deadline) {
  ingest::v1::IngestRawResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.ingest.v1.IngestService/IngestRaw", request, response, deadline));
  return std::move(*response.mutable_receipt());
}

absl::StatusOr<auth::v1::WhoAmIResponse> RivermeetClient::WhoAmI(absl::Time deadline) {
  auth::v1::WhoAmIResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.auth.v1.AuthService/WhoAmI", auth::v1::WhoAmIRequest(), response, deadline));
  return response;
}

absl::StatusOr<auth::v1::CreateApiKeyResponse> RivermeetClient::CreateApiKey(
    const auth::v1::CreateApiKeyRequest& request, absl::Time deadline) {
  auth::v1::CreateApiKeyResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.auth.v1.AuthService/CreateApiKey", request, response, deadline));
  return response;
}

absl::StatusOr<auth::v1::ListApiKeysResponse> RivermeetClient::ListApiKeys(absl::Time deadline) {
  auth::v1::ListApiKeysResponse response;
  RM_RETURN_IF_ERROR(
      Call("rivermeet.auth.v1.AuthService/ListApiKeys", auth::v1::ListApiKeysRequest(), response, deadline));
  return response;
}

absl::Status RivermeetClient::RevokeApiKey(const std::string& id, absl::Time deadline) {
  auth::v1::RevokeApiKeyRequest request;
  request.set_id(id);
  auth::v1::RevokeApiKeyResponse response;
  return Call("rivermeet.auth.v1.AuthService/RevokeApiKey", request, response, deadline);
}

absl::StatusOr<std::string> RivermeetClient::ResetPassword(const std::string& user, absl::Time deadline) {
  auth::v1::ResetPasswordRequest request;
  request.set_name(user);
  auth::v1::ResetPasswordResponse response;
  RM_RETURN_IF_ERROR(Call("rivermeet.auth.v1.AuthService/ResetPassword", request, response, deadline));
  return response.one_time_password();
}

absl::Status RivermeetClient::Subscribe(const query::v1::SubscribeRequest& request,
                                        const std::function<bool(const query::v1::SubscribeResponse&)>& on_update,
                                        const std::function<bool()>& cancelled, absl::Time deadline) {
  std::string body;
  RM_CHECK(google::protobuf::util::MessageToJsonString(request, &body).ok());
  internal::HttpCall call{.method = "POST",
                          .url = options_.connection.url + "/v1/subscribe",
                          .headers = Headers("application/json"),
                          .body = body,
                          .authority_file = options_.connection.authority_file,
                          .deadline = deadline};
  call.headers.push_back("accept: text/event-stream");
  call.cancelled = cancelled;

  internal::ServerEvents events;
  absl::Status ended = absl::UnavailableError("the stream of updates ended");
  call.on_data = [&](std::string_view piece) {
    const auto complete = events.Feed(piece);
    if (!complete.ok()) return ended = complete.status(), false;
    for (const internal::ServerEvent& event : *complete) {
      if (event.type == "error") return ended = Explain(StatusOfErrorEvent(event.data)), false;
      query::v1::SubscribeResponse update;
      google::protobuf::util::JsonParseOptions options;
      options.ignore_unknown_fields = true;
      if (!google::protobuf::util::JsonStringToMessage(event.data, &update, options).ok()) {
        return ended = absl::InternalError("the stream of updates holds what is not an update"), false;
      }
      if (!on_update(update)) return ended = absl::OkStatus(), false;
    }
    return true;
  };
  const Handle handle(*this);
  const absl::StatusOr<internal::HttpAnswer> answer = internal::Perform(handle.get(), call);
  if (absl::IsCancelled(answer.status())) {
    return cancelled && cancelled() ? absl::CancelledError("ended by the caller") : ended;
  }
  if (absl::IsUnavailable(answer.status())) {
    return absl::UnavailableError(fmt::format("can't reach {} (from {}): {}", options_.connection.url,
                                              options_.connection.url_source, MessageOf(answer.status())));
  }
  RM_RETURN_IF_ERROR(answer.status());
  const absl::Status status = internal::StatusOfAnswer(*answer);
  return status.ok() ? ended : Explain(status);
}

}  // namespace rivermeet::client
