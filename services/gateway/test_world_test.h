// A gateway in front of real gRPC services, for tests: fakes only in what they answer.
#ifndef RIVERMEET_GATEWAY_TEST_WORLD_TEST_H_
#define RIVERMEET_GATEWAY_TEST_WORLD_TEST_H_

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/time/clock.h"
#include "authn/principal.h"
#include "base/disk_full.h"
#include "gateway/gateway_module.h"
#include "net/raw_client_test.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rivermeet/ingest/v1/streams.grpc.pb.h"
#include "rivermeet/query/v1/query.grpc.pb.h"
#include "rpc/bearer_verifier.h"
#include "rpc/server.h"
#include "rpc/status.h"

namespace rivermeet::gateway {

// Tokens are "<role>-<anything>", of tenant t1 or, for "other-...", t2. What comes after a "~" tells tokens of the same
// subject apart.
class TestVerifier final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time) override {
    authn::Principal principal{
        .subject = std::string(bearer.substr(0, bearer.find('~'))), .tenant = "t1", .expires = absl::Now() + lifetime};
    const std::string_view kind = bearer.substr(0, bearer.find('-'));
    if (kind == "viewer") principal.role = authn::Role::kViewer;
    if (kind == "editor" || kind == "other") principal.role = authn::Role::kEditor;
    if (kind == "admin" || kind == "onetime") principal.role = authn::Role::kAdmin;
    if (kind == "other") principal.tenant = "t2";
    if (kind == "onetime") principal.must_change_password = true;
    if (principal.role == authn::Role::kNone) return absl::UnauthenticatedError("internal: no key of that id");
    return principal;
  }
  absl::Status Recheck(const authn::Principal& principal, absl::Time) override {
    return principal.subject == revoked ? absl::UnauthenticatedError("revoked") : absl::OkStatus();
  }
  absl::Duration lifetime = absl::Minutes(10);
  // A subject. Set before anybody looks.
  std::string revoked;
};

class TestAuth final : public auth::v1::AuthService::Service {
 public:
  grpc::Status Login(grpc::ServerContext*, const auth::v1::LoginRequest* request,
                     auth::v1::LoginResponse* response) override {
    if (request->password() != "right") return {grpc::StatusCode::UNAUTHENTICATED, "Wrong name or password."};
    Fill("r1", *response->mutable_tokens());
    return grpc::Status::OK;
  }
  grpc::Status Refresh(grpc::ServerContext*, const auth::v1::RefreshRequest* request,
                       auth::v1::RefreshResponse* response) override {
    if (request->refresh_token() != "r1") return {grpc::StatusCode::UNAUTHENTICATED, "Sign in again."};
    Fill("r2", *response->mutable_tokens());
    return grpc::Status::OK;
  }
  grpc::Status Logout(grpc::ServerContext*, const auth::v1::LogoutRequest* request,
                      auth::v1::LogoutResponse*) override {
    return request->refresh_token().empty() ? grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no token")
                                            : grpc::Status::OK;
  }
  grpc::Status ExchangeApiKey(grpc::ServerContext*, const auth::v1::ExchangeApiKeyRequest* request,
                              auth::v1::ExchangeApiKeyResponse* response) override {
    ++exchanges;
    if (away) return {grpc::StatusCode::UNAVAILABLE, "the catalog is away"};
    if (request->api_key() != "rm_1_good") return {grpc::StatusCode::UNAUTHENTICATED, "no such key: 1"};
    response->set_access_token("editor-key");
    return grpc::Status::OK;
  }
  grpc::Status RedeemTicket(grpc::ServerContext*, const auth::v1::RedeemTicketRequest* request,
                            auth::v1::RedeemTicketResponse* response) override {
    std::lock_guard lock(mutex_);
    const auto it = tickets_.find(request->ticket());
    if (it == tickets_.end()) return {grpc::StatusCode::UNAUTHENTICATED, "used or unknown"};
    response->set_access_token(it->second);
    tickets_.erase(it);
    return grpc::Status::OK;
  }
  grpc::Status CreateTicket(grpc::ServerContext*, const auth::v1::CreateTicketRequest*,
                            auth::v1::CreateTicketResponse* response) override {
    response->set_ticket(NewTicket("viewer-1"));
    return grpc::Status::OK;
  }
  grpc::Status RevokeApiKey(grpc::ServerContext*, const auth::v1::RevokeApiKeyRequest* request,
                            auth::v1::RevokeApiKeyResponse*) override {
    return {grpc::StatusCode::NOT_FOUND, "no key " + request->id()};
  }

  std::string NewTicket(std::string token) {
    std::lock_guard lock(mutex_);
    const std::string ticket = "ticket" + std::to_string(++made_);
    tickets_[ticket] = std::move(token);
    return ticket;
  }
  std::atomic<int> exchanges{0};
  std::atomic<bool> away{false};

 private:
  static void Fill(const std::string& refresh, auth::v1::TokenPair& tokens) {
    tokens.set_access_token("admin-a");
    tokens.set_refresh_token(refresh);
    tokens.mutable_refresh_expires()->set_seconds(absl::ToUnixSeconds(absl::Now()) + 1000);
  }
  std::mutex mutex_;
  std::map<std::string, std::string> tickets_;
  int made_ = 0;
};

class TestStreams final : public ingest::v1::StreamService::Service {
 public:
  grpc::Status GetStream(grpc::ServerContext* context, const ingest::v1::GetStreamRequest* request,
                         ingest::v1::GetStreamResponse* response) override {
    if (request->name() == "rotten") return {grpc::StatusCode::DATA_LOSS, "segment segments/p0/7 is damaged"};
    if (request->name() == "secret") return {grpc::StatusCode::INTERNAL, "pqxx: password=hunter2"};
    if (request->name() == "full") {
      context->AddTrailingMetadata(kDiskFullTrailer, "1");
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "write /data/log: No space left on device"};
    }
    if (request->name() == "half") return {grpc::StatusCode::ABORTED, "5 of its events are durable"};
    if (request->name() == "away") return {grpc::StatusCode::UNAVAILABLE, "connect 10.1.2.3:5432"};
    if (request->name() == "slow") {
      while (!context->IsCancelled()) std::this_thread::yield();
      ++cancelled;
      return grpc::Status::CANCELLED;
    }
    const rpc::CallInfo call = rpc::ReadCall(*context);
    response->mutable_stream()->set_name(request->name());
    std::lock_guard lock(mutex);
    seen = call;
    return grpc::Status::OK;
  }
  grpc::Status PutStream(grpc::ServerContext*, const ingest::v1::PutStreamRequest* request,
                         ingest::v1::PutStreamResponse* response) override {
    *response->mutable_stream() = request->stream();
    return grpc::Status::OK;
  }
  std::mutex mutex;
  rpc::CallInfo seen;
  std::atomic<int> cancelled{0};
};

class TestIngest final : public ingest::v1::IngestService::Service {
 public:
  grpc::Status IngestRaw(grpc::ServerContext*, const ingest::v1::IngestRawRequest* request,
                         ingest::v1::IngestRawResponse* response) override {
    if (on_event) on_event();
    std::lock_guard lock(mutex);
    last = *request;
    auto* receipt = response->mutable_receipt();
    receipt->set_accepted(request->body() == "bad" ? 0 : 2);
    receipt->set_rejected(1);
    auto* error = receipt->add_errors();
    error->set_index(7);
    error->set_field("cpu");
    error->set_reason("\"x\" is no number");
    error->set_code("wrong_type");
    error->set_byte_offset(14);
    receipt->set_visibility_token("tok");
    return grpc::Status::OK;
  }
  std::mutex mutex;
  ingest::v1::IngestRawRequest last;
  std::function<void()> on_event;
};

// Every subscriber gets what the test pushes; the query's stream decides how it begins.
class TestQuery final : public query::v1::QueryService::Service {
 public:
  grpc::Status Query(grpc::ServerContext*, const query::v1::QueryRequest* request,
                     query::v1::QueryResponse* response) override {
    response->mutable_stats()->set_hot_rows(static_cast<uint64_t>(request->query().aggregates_size()));
    return grpc::Status::OK;
  }

  grpc::Status Subscribe(grpc::ServerContext* context, const query::v1::SubscribeRequest* request,
                         grpc::ServerWriter<query::v1::SubscribeResponse>* writer) override {
    if (request->query().stream() == "missing") return {grpc::StatusCode::NOT_FOUND, "There is no stream missing."};
    ++subscribed;
    ++open;
    size_t next = 0;
    const int end_at_start = ends;
    while (!context->IsCancelled() && ends == end_at_start) {
      query::v1::SubscribeResponse response;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(20), [&] { return next < pushed_.size(); });
        if (next >= pushed_.size()) continue;
        response = pushed_[next++];
      }
      writer->Write(response);
    }
    --open;
    return ends == end_at_start ? grpc::Status::CANCELLED : grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
  }

  void Push(const query::v1::SubscribeResponse& response) {
    std::lock_guard lock(mutex_);
    pushed_.push_back(response);
    changed_.notify_all();
  }
  // Ends the streams; new ones start with `responses`.
  void Restart(std::vector<query::v1::SubscribeResponse> responses) {
    std::lock_guard lock(mutex_);
    pushed_ = std::move(responses);
    ++ends;
  }
  std::atomic<int> subscribed{0};
  std::atomic<int> open{0};
  std::atomic<int> ends{0};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<query::v1::SubscribeResponse> pushed_;
};

struct TestWorld {
  TestVerifier verifier;
  TestAuth auth;
  TestStreams streams;
  TestIngest ingest;
  TestQuery query;
  telemetry::Health health;
  prometheus::Registry registry;
  std::unique_ptr<rpc::Server> rpc;
  std::unique_ptr<rpc::BearerVerifier> bearers;
  std::unique_ptr<GatewayModule> gateway;

  explicit TestWorld(config::v1::GatewayConfig config = {}, const Clock& clock = Clock::System(),
                     const rpc::BearerVerifierOptions& options = {}) {
    rpc = rpc::Server::Start({}, {&auth, &streams, &ingest, &query}).value();
    const auto channel = rpc->InProcessChannel();
    bearers = std::make_unique<rpc::BearerVerifier>(
        options, verifier, [channel] { return channel; }, clock);
    auto opened = GatewayModule::Open(config, {.services = {{"rivermeet.auth.v1.AuthService", channel},
                                                            {"rivermeet.ingest.v1.IngestService", channel},
                                                            {"rivermeet.ingest.v1.StreamService", channel},
                                                            {"rivermeet.query.v1.QueryService", channel}},
                                               .bearers = bearers.get(),
                                               .registry = &registry,
                                               .health = &health,
                                               .clock = &clock});
    REQUIRE(opened.ok());
    gateway = std::move(*opened);
    gateway->Start();
  }
  ~TestWorld() {
    gateway->Stop(absl::Now() + absl::Seconds(1));
    gateway.reset();
    rpc->Stop(absl::Now() + absl::Seconds(1));
  }

  net::RawClient Client() const { return net::RawClient(static_cast<uint16_t>(gateway->port())); }

  // One request on a connection of its own; `fields` are whole lines.
  net::RawClient::Answer Ask(std::string_view method, std::string_view target, std::string_view fields = "",
                             std::string_view body = "") const {
    net::RawClient client = Client();
    return client.Ask(fmt::format("{} {} HTTP/1.1\r\nHost: gate\r\nContent-Length: {}\r\n{}\r\n{}", method, target,
                                  body.size(), fields, body));
  }
};

// A verifier that looks at what it watches when the test says so.
inline const rpc::BearerVerifierOptions kLooksWhenTold{.recheck = absl::InfiniteDuration()};
inline constexpr char kViewer[] = "Authorization: Bearer viewer-1\r\n";
inline constexpr char kEditor[] = "Authorization: Bearer editor-1\r\n";
inline constexpr char kJson[] = "Content-Type: application/json\r\n";

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_TEST_WORLD_TEST_H_
