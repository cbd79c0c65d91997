#include "client/rivermeet_client.h"

#include <catch2/catch.hpp>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "client/internal/http_call.h"
#include "client/internal/server_events.h"
#include "google/protobuf/util/json_util.h"
#include "net/server.h"
#include "testing/certificate_authority.h"

namespace rivermeet::client {
namespace {

using net::Request;
using net::Response;

std::string UpdateJson(uint64_t sequence) {
  query::v1::SubscribeResponse update;
  update.set_sequence(sequence);
  update.set_snapshot(sequence == 1);
  std::string json;
  RM_CHECK(google::protobuf::util::MessageToJsonString(update, &json).ok());
  return json;
}

// Answers as the gateway does, by path.
class Gateway final : public net::Handler {
 public:
  net::Task<Response> Handle(Request& request) override {
    {
      MutexLock lock(mutex_);
      authorization_ = request.Header("authorization");
      content_type_ = request.Header("content-type");
      timeout_ = request.Header("connect-timeout-ms");
    }
    const std::string_view path = request.path();
    if (path == "/rivermeet.ingest.v1.StreamService/GetStream") co_return GetStream(request);
    if (path == "/rivermeet.auth.v1.AuthService/WhoAmI") {
      co_return Response::Of(401, "application/json", R"({"code":"unauthenticated","message":"no such key"})");
    }
    if (path == "/rivermeet.ingest.v1.IngestService/OpenProducer") {
      co_return Response::Of(503, "application/problem+json", R"({"status":503,"detail":"the log is away"})");
    }
    if (path == "/rivermeet.ingest.v1.StreamService/ListStreams") co_return Response::Of(200, "text/html", "<html>");
    if (path == "/v1/subscribe") co_return Updates(request);
    co_return Response::Of(404, "text/plain", "nothing here");
  }
  std::string authorization() {
    MutexLock lock(mutex_);
    return authorization_;
  }
  std::string content_type() {
    MutexLock lock(mutex_);
    return content_type_;
  }
  std::string timeout() {
    MutexLock lock(mutex_);
    return timeout_;
  }

 private:
  static Response GetStream(Request& request) {
    ingest::v1::GetStreamRequest message;
    if (!message.ParseFromString(request.body())) return Response::Of(400, "text/plain", "");
    if (message.name() == "none") {
      return Response::Of(404, "application/json", R"({"code":"not_found","message":"no stream \"none\""})");
    }
    ingest::v1::GetStreamResponse response;
    response.mutable_stream()->set_name(message.name());
    return Response::Of(200, "application/proto", response.SerializeAsString());
  }
  static Response Updates(Request& request) {
    const bool error = request.body().find("error") != std::string::npos;
    Response response = Response::Of(200, "text/event-stream", "");
    response.stream = [error](net::BodyWriter& writer) -> net::Task<absl::Status> {
      absl::Status status = co_await writer.Write(": hello\n\nevent: update\ndata: " + UpdateJson(1) + "\n\n");
      if (!status.ok()) co_return status;
      if (error) {
        co_return co_await writer.Write("event: error\ndata: {\"code\":\"not_found\",\"message\":\"gone\"}\n\n");
      }
      co_return co_await writer.Write("data: " + UpdateJson(2) + "\n\n");
    };
    return response;
  }

  Mutex mutex_;
  std::string authorization_ ABSL_GUARDED_BY(mutex_);
  std::string content_type_ ABSL_GUARDED_BY(mutex_);
  std::string timeout_ ABSL_GUARDED_BY(mutex_);
};

struct Fixture {
  Gateway gateway;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<RivermeetClient> client;

  explicit Fixture(std::string key = "rm_abc_secret") {
    server = net::Server::Open({}, gateway).value();
    server->Start();
    Connection connection{.url = "http://127.0.0.1:" + std::to_string(server->port()), .url_source = "the test"};
    connection.key = key;
    connection.key_source = key.empty() ? "nowhere" : "the test";
    client = RivermeetClient::Open({.connection = connection}).value();
  }
};

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }
std::string Text(const absl::Status& status) { return std::string(status.message()); }

TEST_CASE("a call carries the key and the deadline and brings the message back", "[client]") {
  Fixture fixture;
  const auto stream = fixture.client->GetStream("host.metrics", Soon());
  REQUIRE(stream.ok());
  CHECK(stream->name() == "host.metrics");
  CHECK(fixture.gateway.authorization() == "Bearer rm_abc_secret");
  CHECK(fixture.gateway.content_type() == "application/proto");
  CHECK(std::stoi(fixture.gateway.timeout()) > 10'000);
}

TEST_CASE("a Connect error comes back with its code and message", "[client]") {
  Fixture fixture;
  const auto stream = fixture.client->GetStream("none", Soon());
  CHECK(absl::IsNotFound(stream.status()));
  CHECK(Text(stream.status()) == "no stream \"none\"");
}

TEST_CASE("a problem report comes back with its status and detail", "[client]") {
  Fixture fixture;
  const auto producer = fixture.client->OpenProducer(Soon());
  CHECK(absl::IsUnavailable(producer.status()));
  CHECK(Text(producer.status()) == "the log is away");
}

TEST_CASE("a 401 says which key was sent, never its secret, and how to make one", "[client]") {
  Fixture with;
  const std::string text = Text(with.client->WhoAmI(Soon()).status());
  CHECK(text.find("rm_abc_...") != std::string::npos);
  CHECK(text.find("secret") == std::string::npos);
  CHECK(text.find("keys create") != std::string::npos);
  Fixture without("");
  CHECK(Text(without.client->WhoAmI(Soon()).status()).find("no key was sent") != std::string::npos);
}

TEST_CASE("an answer that is not a gateway's is an error, not an empty message", "[client]") {
  Fixture fixture;
  CHECK(absl::IsInternal(fixture.client->ListStreams(Soon()).status()));
}

TEST_CASE("an unreachable gateway is said with its address and tools/up", "[client]") {
  Fixture fixture;
  fixture.server.reset();
  const auto stream = fixture.client->GetStream("a", Soon());
  CHECK(absl::IsUnavailable(stream.status()));
  CHECK(Text(stream.status()).find(fixture.client->connection().url) != std::string::npos);
  CHECK(Text(stream.status()).find("tools/up") != std::string::npos);
}

TEST_CASE("a deadline in the past does not send anything", "[client]") {
  Fixture fixture;
  CHECK(absl::IsDeadlineExceeded(fixture.client->GetStream("a", absl::Now() - absl::Seconds(1)).status()));
  CHECK(fixture.gateway.authorization().empty());
}

TEST_CASE("updates of a subscription come in order until the caller has enough or the stream ends", "[client]") {
  Fixture fixture;
  std::vector<uint64_t> sequences;
  const auto take = [&](const query::v1::SubscribeResponse& update) {
    sequences.push_back(update.sequence());
    return sequences.size() < 3;
  };
  query::v1::SubscribeRequest request;
  request.mutable_query()->set_stream("s");
  const absl::Status ended = fixture.client->Subscribe(request, take, nullptr, Soon());
  CHECK(absl::IsUnavailable(ended));
  CHECK(sequences == std::vector<uint64_t>{1, 2});
  CHECK(fixture.client->Subscribe(request, take, nullptr, Soon()).ok());
  CHECK(sequences == std::vector<uint64_t>{1, 2, 1});
}

TEST_CASE("an error event ends a subscription with its code", "[client]") {
  Fixture fixture;
  query::v1::SubscribeRequest request;
  request.mutable_query()->set_stream("error");
  int updates = 0;
  const absl::Status ended = fixture.client->Subscribe(
      request, [&](const auto&) { return ++updates < 100; }, nullptr, Soon());
  CHECK(absl::IsNotFound(ended));
  CHECK(Text(ended) == "gone");
  CHECK(updates == 1);
}

TEST_CASE("a key does not leave this machine without TLS unless that is asked for", "[client]") {
  Connection connection{.url = "http://10.1.2.3:7400"};
  connection.key = "rm_a_b";
  CHECK(absl::IsFailedPrecondition(RivermeetClient::Open({.connection = connection}).status()));
  connection.plain_http = true;
  CHECK(RivermeetClient::Open({.connection = connection}).ok());
  connection.key = "rm_a\r\nhost: evil";
  CHECK(absl::IsInvalidArgument(RivermeetClient::Open({.connection = connection}).status()));
}

TEST_CASE("the gateway's certificate is believed when the authority that was named has signed it", "[client]") {
  testing::CertificateAuthority authority;
  Gateway gateway;
  const auto server =
      net::Server::Open({.tls = net::TlsFiles{authority.certificate(), authority.key()}}, gateway).value();
  server->Start();
  Connection connection{.url = server->url()};
  const auto call = [&] { return RivermeetClient::Open({.connection = connection}).value()->GetStream("s", Soon()); };
  CHECK_FALSE(call().ok());
  connection.authority_file = authority.authority();
  CHECK(call().ok());
}

TEST_CASE("an event stream reads alike however it is cut and whatever its line ends are", "[client]") {
  const std::string text =
      "\xEF"
      "data\n: comment\r\nevent: a\rdata: 1\r\ndata:2\n\ndata: 3\r\r\nevent: none\n\n";
  for (size_t cut = 1; cut <= text.size(); ++cut) {
    internal::ServerEvents reader;
    std::string seen;
    for (size_t at = 0; at < text.size(); at += cut) {
      const auto events = reader.Feed(std::string_view(text).substr(at, cut));
      for (const auto& event : *events) {
        seen += event.type + "=" + event.data + ";";
      }
    }
    INFO("pieces of " << cut);
    CHECK(seen == "a=1\n2;message=3;");
  }
}

}  // namespace
}  // namespace rivermeet::client
