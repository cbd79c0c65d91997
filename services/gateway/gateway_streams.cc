// The parts of Gateway that answer with a stream, take a bulk body, or open a live socket.
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/json_string.h"
#include "base/status.h"
#include "fmt/format.h"
#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/transcoder.h"
#include "google/protobuf/io/coded_stream.h"
#include "rivermeet/ingest/v1/ingest.pb.h"

namespace rivermeet::gateway {
namespace {

constexpr absl::Duration kHeartbeat = absl::Seconds(15);
constexpr absl::Duration kFirstMessage = absl::Seconds(10);
constexpr char kIngestRaw[] = "/rivermeet.ingest.v1.IngestService/IngestRaw";

// An envelope of the Connect protocol's streams: one byte of flags, the length in four bytes, the message.
std::string Envelope(uint8_t flags, std::string_view message) {
  std::string envelope(1, static_cast<char>(flags));
  for (int shift = 24; shift >= 0; shift -= 8) envelope.push_back(static_cast<char>(message.size() >> shift));
  envelope += message;
  return envelope;
}

// The one message of a server-streaming request.
absl::StatusOr<std::string_view> OneEnvelope(std::string_view body) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(body[i]); };
  if (body.size() < 5) return absl::InvalidArgumentError("The body is not an enveloped message.");
  if (byte(0) != 0) return absl::UnimplementedError("compressed envelopes");
  const size_t size = size_t{byte(1)} << 24 | size_t{byte(2)} << 16 | size_t{byte(3)} << 8 | byte(4);
  if (size != body.size() - 5) return absl::InvalidArgumentError("The body is not one enveloped message.");
  return body.substr(5);
}

// How messages look on their way out.
struct Format {
  std::function<absl::StatusOr<std::string>(const grpc::ByteBuffer&)> message;
  std::function<std::string(const absl::Status&)> end;
  std::string heartbeat;  // Empty: none.
};

// Copies a service's stream to the client, whose pace it takes. `first` was read before the head was sent.
net::Task<absl::Status> Copy(std::shared_ptr<UpstreamStream> stream, SessionPtr session,
                             std::optional<grpc::ByteBuffer> first, const Format& format, net::BodyWriter& writer) {
  // It lasts as long as its caller's bearer is good; anybody may open some.
  std::optional<rpc::Ending> ending;
  if (session != nullptr) {
    auto executor = co_await boost::asio::this_coro::executor;
    ending.emplace(session->credential,
                   [executor, stream] { boost::asio::post(executor, [stream] { stream->Cancel(); }); });
  }
  absl::Status broken;
  grpc::ByteBuffer bytes;
  auto next = UpstreamStream::Next::kQuiet;
  if (first) {
    bytes = std::move(*first);
    next = UpstreamStream::Next::kMessage;
  }
  while (next != UpstreamStream::Next::kEnd) {
    if (broken.ok() && next == UpstreamStream::Next::kMessage) {
      absl::StatusOr<std::string> text = format.message(bytes);
      broken = text.ok() ? co_await writer.Write(*text) : text.status();
    } else if (broken.ok() && !format.heartbeat.empty()) {
      broken = co_await writer.Write(format.heartbeat);
    }
    if (!broken.ok()) stream->Cancel();
    next = co_await stream->Read(kHeartbeat, bytes);
  }
  if (!broken.ok()) co_return broken;
  absl::Status status = stream->status();
  if (session != nullptr && !session->credential->status().ok()) status = session->credential->status();
  const std::string last = format.end(status);
  if (last.empty() && !status.ok()) co_return status;
  co_return co_await writer.Write(last);
}

absl::Status ReadParameters(std::string_view query, ingest::v1::IngestRawRequest& request) {
  const auto parameters = net::ParseQuery(query);
  if (!parameters) return absl::InvalidArgumentError("The query string is malformed.");
  for (const auto& [key, value] : *parameters) {
    uint64_t number = 0;
    if ((key != "producer_id" && key != "producerId" && key != "sequence") || !ParseNumber(value, number)) {
      return absl::InvalidArgumentError(key + ": no such parameter, or no whole number");
    }
    key == "sequence" ? request.set_sequence(number) : request.set_producer_id(number);
  }
  return absl::OkStatus();
}

// The message with its body, which joins it without being copied: field 3, length-delimited, is written before it by
// hand.
grpc::ByteBuffer WithBody(const ingest::v1::IngestRawRequest& request, std::string body) {
  std::string head = request.SerializeAsString();
  {
    google::protobuf::io::StringOutputStream out(&head);
    google::protobuf::io::CodedOutputStream coded(&out);
    coded.WriteTag(ingest::v1::IngestRawRequest::kBodyFieldNumber << 3 | 2);
    coded.WriteVarint64(body.size());
  }
  auto* owned = new std::string(std::move(body));
  const grpc::Slice slices[2] = {
      grpc::Slice(head),
      grpc::Slice(
          owned->data(), owned->size(), [](void* text) { delete static_cast<std::string*>(text); }, owned)};
  return grpc::ByteBuffer(slices, 2);
}

// The shape of IngestRawResponse, with plain numbers: counts are far below 2^53.
net::Response AnswerOf(const ingest::v1::Receipt& receipt, const std::string& request_id) {
  std::string errors;
  for (const auto& error : receipt.errors()) {
    errors +=
        fmt::format("{}{{\"index\":{},\"field\":{},\"reason\":{},\"code\":{}", errors.empty() ? "" : ",", error.index(),
                    JsonString(error.field()), JsonString(error.reason()), JsonString(error.code()));
    if (error.has_byte_offset()) errors += fmt::format(",\"byteOffset\":{}", error.byte_offset());
    errors += "}";
  }
  std::string json =
      fmt::format("{{\"accepted\":{},\"rejected\":{},\"errors\":[{}],\"visibilityToken\":{}}}", receipt.accepted(),
                  receipt.rejected(), errors, JsonString(receipt.visibility_token()));
  if (receipt.accepted() == 0 && receipt.rejected() > 0) {
    return net::ProblemResponse({.status = 400,
                                 .detail = "No event of the body was taken: see receipt.errors.",
                                 .request_id = request_id,
                                 .extra = {{"receipt", std::move(json)}}});
  }
  return net::Response::Of(200, "application/json", fmt::format("{{\"receipt\":{}}}\n", json))
      .Set("Cache-Control", "no-store");
}

}  // namespace

net::Task<net::Response> Gateway::RestStream(Context& context, const HttpRule& rule, grpc::ByteBuffer request) {
  const Method& method = *rule.method;
  const std::string& name = method.descriptor->full_name();
  const bool events = net::EqualsIgnoreCase(context.request.Header("accept"), "text/event-stream");
  // A stream lasts as long as its client wants it to.
  context.call.deadline = absl::InfiniteFuture();
  auto executor = co_await boost::asio::this_coro::executor;
  auto opened =
      options_.upstream->Stream(method.grpc_path, context.call, absl::InfiniteDuration(), std::move(request), executor);
  if (!opened.ok()) co_return Fail(context, opened.status(), name);
  std::shared_ptr<UpstreamStream> stream = std::move(*opened);
  context.request.OnGone([stream] { stream->Cancel(); });
  // The first message decides between an answer and an error with its own status.
  std::optional<grpc::ByteBuffer> first;
  grpc::ByteBuffer bytes;
  const UpstreamStream::Next next = co_await stream->Read(kFirstMessage, bytes);
  if (next == UpstreamStream::Next::kEnd && !stream->status().ok()) co_return Fail(context, stream->status(), name);
  if (next == UpstreamStream::Next::kMessage) first = std::move(bytes);
  Count(context, name, absl::OkStatus());
  Format format;
  format.message = [&rule, events](const grpc::ByteBuffer& bytes) -> absl::StatusOr<std::string> {
    auto message = NewMessage(*rule.method->descriptor->output_type());
    RM_RETURN_IF_ERROR(ParseBytes(bytes, *message));
    RM_ASSIGN_OR_RETURN(const std::string json, ResponseToRest(rule, *message));
    return events ? "data: " + json + "\n\n" : json + "\n";
  };
  format.end = [events, id = context.request_id](const absl::Status& status) -> std::string {
    if (status.ok()) return "";
    const std::string problem = ProblemOf(status, id).body;
    return events ? "event: error\ndata: " + problem + "\n"
                  : "{\"error\":" + problem.substr(0, problem.size() - 1) + "}\n";
  };
  if (events) format.heartbeat = ": still here\n\n";
  net::Response response;
  response.Set("Content-Type", events ? "text/event-stream" : "application/x-ndjson").Set("Cache-Control", "no-store");
  response.stream = [stream, session = context.session, first = std::move(first),
                     format = std::move(format)](net::BodyWriter& writer) mutable {
    return Copy(stream, session, std::move(first), format, writer);
  };
  co_return response;
}

net::Task<net::Response> Gateway::ConnectStream(Context& context, const Method& method, bool json) {
  const std::string& name = method.descriptor->full_name();
  absl::Status status = co_await Admit(context, method);
  std::shared_ptr<UpstreamStream> stream;
  if (status.ok()) {
    const absl::StatusOr<std::string_view> message = OneEnvelope(context.request.body());
    status = message.status();
    std::string bytes;
    if (status.ok() && json) {
      auto request = NewMessage(*method.descriptor->input_type());
      status = MessageFromJson(*message, *request);
      bytes = request->SerializeAsString();
    } else if (status.ok()) {
      bytes = *message;
    }
    if (status.ok()) {
      if (!context.request.head().Find("connect-timeout-ms")) context.call.deadline = absl::InfiniteFuture();
      auto executor = co_await boost::asio::this_coro::executor;
      auto opened = options_.upstream->Stream(method.grpc_path, context.call, absl::InfiniteDuration(),
                                              ToBytes(std::move(bytes)), executor);
      status = opened.status();
      if (opened.ok()) stream = std::move(*opened);
    }
  }
  Count(context, name, status);
  const auto end = [](const absl::Status& how) {
    return Envelope(2, how.ok() ? "{}" : "{\"error\":" + ConnectErrorJson(how) + "}");
  };
  net::Response response;
  response.Set("Content-Type", json ? "application/connect+json" : "application/connect+proto");
  response.Set("Cache-Control", "no-store");
  if (stream == nullptr) {
    response.body = end(status);
    co_return response;
  }
  context.request.OnGone([stream] { stream->Cancel(); });
  Format format;
  format.message = [&method, json](const grpc::ByteBuffer& bytes) -> absl::StatusOr<std::string> {
    if (!json) return Envelope(0, FromBytes(bytes));
    auto message = NewMessage(*method.descriptor->output_type());
    RM_RETURN_IF_ERROR(ParseBytes(bytes, *message));
    RM_ASSIGN_OR_RETURN(const std::string text, MessageToJson(*message, JsonZeros::kLeftOut));
    return Envelope(0, text);
  };
  format.end = end;
  response.stream = [stream, session = context.session, format = std::move(format)](net::BodyWriter& writer) {
    return Copy(stream, session, std::nullopt, format, writer);
  };
  co_return response;
}

net::Task<net::Response> Gateway::Bulk(Context& context, std::string stream) {
  const Method* method = options_.routes.FindRpc(kIngestRaw);
  if (method == nullptr) {
    co_return net::ProblemResponse({.status = 404, .detail = "", .request_id = context.request_id});
  }
  const std::string& name = method->descriptor->full_name();
  if (absl::Status status = co_await Admit(context, *method); !status.ok()) co_return Fail(context, status, name);
  const std::string_view given = context.request.Header("content-type");
  const std::string type = ToLower(Trim(given.substr(0, given.find(';'))));
  if (type != "application/json" && type != "application/x-ndjson" && type != "text/csv") {
    co_return net::ProblemResponse({.status = 415,
                                    .detail = "Send application/json, application/x-ndjson or text/csv.",
                                    .request_id = context.request_id});
  }
  ingest::v1::IngestRawRequest request;
  request.set_stream(std::move(stream));
  request.set_content_type(type);
  if (auto status = ReadParameters(context.request.query(), request); !status.ok()) {
    co_return Fail(context, status, name);
  }
  absl::StatusOr<grpc::ByteBuffer> answer =
      co_await Call(context, *method, WithBody(request, context.request.TakeBody()));
  if (!answer.ok()) co_return Fail(context, answer.status(), name);
  ingest::v1::IngestRawResponse response;
  if (auto status = ParseBytes(*answer, response); !status.ok()) co_return Fail(context, status, name);
  Count(context, name, absl::OkStatus());
  co_return AnswerOf(response.receipt(), context.request_id);
}

net::Task<net::Response> Gateway::Live(Context& context) {
  constexpr std::string_view kName = "live";
  if (auto status = Limit(addresses_, context.request.peer(), "address"); !status.ok()) {
    co_return Fail(context, status, kName);
  }
  std::string ticket;
  if (const auto parameters = net::ParseQuery(context.request.query())) {
    for (const auto& [key, value] : *parameters) {
      if (key == "ticket") ticket = value;
    }
  }
  net::Response response;
  response.websocket_rules = options_.live->rules();
  if (!context.request.head().upgrades_to_websocket) {
    // The handshake tells what is missing, before a ticket is spent.
    response.websocket = options_.live->NewSession(nullptr, context.request.worker());
    co_return response;
  }
  absl::StatusOr<SessionPtr> session = co_await options_.authenticator->FromTicket(std::move(ticket), context.call);
  if (!session.ok()) co_return Fail(context, session.status(), kName);
  if ((*session)->principal().must_change_password) {
    co_return Fail(context, absl::PermissionDeniedError("The password must be changed first."), kName);
  }
  Count(context, kName, absl::OkStatus());
  response.websocket = options_.live->NewSession(std::move(*session), context.request.worker());
  co_return response;
}

}  // namespace rivermeet::gateway
