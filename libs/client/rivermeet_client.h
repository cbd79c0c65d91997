// Speaks to a gateway over HTTP: the Connect protocol for calls, server-sent events for what changes.
//
//   RM_ASSIGN_OR_RETURN(const Connection connection, FindConnection({}));
//   RM_ASSIGN_OR_RETURN(const auto client, RivermeetClient::Open({.connection = connection}));
//   RM_ASSIGN_OR_RETURN(const auto answer, client->Query(request, absl::Now() + absl::Seconds(10)));
//
// Connect (https://connectrpc.com/docs/protocol, unary): POST /<package>.<Service>/<Method>, application/proto.
#ifndef RIVERMEET_CLIENT_RIVERMEET_CLIENT_H_
#define RIVERMEET_CLIENT_RIVERMEET_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/connection.h"
#include "rivermeet/auth/v1/auth.pb.h"
#include "rivermeet/ingest/v1/ingest.pb.h"
#include "rivermeet/ingest/v1/streams.pb.h"
#include "rivermeet/query/v1/query.pb.h"

typedef void CURL;

namespace rivermeet::client {

// An answer as it came; any status.
struct HttpResponse {
  int status = 0;
  std::string content_type;
  std::string body;
  std::string date;
};

// Thread-safe: each call under way has a connection of its own, kept for the next one.
//
// Every call blocks until its deadline at the longest. Errors of all calls, besides those of the RPC itself:
//   UNAVAILABLE         The gateway can't be reached, or a service behind it; the message says what to do. Retry.
//   DEADLINE_EXCEEDED   The outcome is unknown.
//   UNAUTHENTICATED     No key, or not a good one; the message says which was used and how to make one.
//   PERMISSION_DENIED   The key's role is too low.
//   RESOURCE_EXHAUSTED  Too many requests, or the answer is too large.
class RivermeetClient {
 public:
  struct Options {
    Connection connection;
    // Sent with every call, to tell who called in the server's log.
    std::string user_agent = "rivermeet-client";
  };

  // Does not connect yet.
  //
  // Errors:
  //   INVALID_ARGUMENT     The key has characters that no key has.
  //   FAILED_PRECONDITION  The key would go to another machine without TLS, and `plain_http` is not set.
  static absl::StatusOr<std::unique_ptr<RivermeetClient>> Open(Options options);
  ~RivermeetClient();
  RivermeetClient(const RivermeetClient&) = delete;
  RivermeetClient& operator=(const RivermeetClient&) = delete;

  const Connection& connection() const { return options_.connection; }

  // Any unary RPC: `method` is "rivermeet.query.v1.QueryService/Query".
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, absl::Time deadline);

  // Any HTTP request below the gateway's address, with the key: `path` begins with a slash. A status other than 2xx
  // is not an error here.
  absl::StatusOr<HttpResponse> Http(const std::string& method, const std::string& path,
                                    const std::vector<std::string>& headers, std::string_view body,
                                    absl::Time deadline);

  absl::StatusOr<query::v1::QueryResponse> Query(const query::v1::QueryRequest& request, absl::Time deadline);
  absl::StatusOr<query::v1::GetLedgerResponse> GetLedger(const std::string& stream, absl::Time deadline);
  absl::StatusOr<ingest::v1::ListStreamsResponse> ListStreams(absl::Time deadline);
  absl::StatusOr<events::v1::Stream> GetStream(const std::string& name, absl::Time deadline);
  absl::StatusOr<events::v1::Stream> PutStream(const events::v1::Stream& stream, absl::Time deadline);
  absl::Status DeleteStream(const std::string& name, absl::Time deadline);
  absl::StatusOr<uint64_t> OpenProducer(absl::Time deadline);
  absl::StatusOr<ingest::v1::Receipt> IngestRaw(const ingest::v1::IngestRawRequest& request, absl::Time deadline);
  absl::StatusOr<auth::v1::WhoAmIResponse> WhoAmI(absl::Time deadline);
  absl::StatusOr<auth::v1::CreateApiKeyResponse> CreateApiKey(const auth::v1::CreateApiKeyRequest& request,
                                                              absl::Time deadline);
  absl::StatusOr<auth::v1::ListApiKeysResponse> ListApiKeys(absl::Time deadline);
  absl::Status RevokeApiKey(const std::string& id, absl::Time deadline);
  absl::StatusOr<std::string> ResetPassword(const std::string& user, absl::Time deadline);

  // Takes every update of a subscription until `on_update` answers false (then OK) or `cancelled` answers true
  // (CANCELLED; asked about once a second). The stream can break at any time (UNAVAILABLE): subscribe again, the
  // first update is a snapshot.
  absl::Status Subscribe(const query::v1::SubscribeRequest& request,
                         const std::function<bool(const query::v1::SubscribeResponse&)>& on_update,
                         const std::function<bool()>& cancelled, absl::Time deadline = absl::InfiniteFuture());

 private:
  class Handle;

  explicit RivermeetClient(Options options) : options_(std::move(options)) {}
  std::vector<std::string> Headers(std::string content_type) const;
  // `status` with what the person can do about it.
  absl::Status Explain(const absl::Status& status) const;

  const Options options_;
  Mutex mutex_;
  std::vector<CURL*> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_RIVERMEET_CLIENT_H_
