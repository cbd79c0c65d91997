// Builds the auth service; the suite runs it.
#ifndef RIVERMEET_AUTH_AUTH_MODULE_H_
#define RIVERMEET_AUTH_AUTH_MODULE_H_

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "catalog/database.h"
#include "rivermeet/config/v1/auth.pb.h"
#include "telemetry/metrics.h"

namespace rivermeet::auth {

struct AuthModuleOptions {
  config::v1::AuthConfig config;
  // <data>/keys: see KeyFiles.
  std::string keys_folder;
  // Migrated. Both outlive the module.
  catalog::Database* database = nullptr;
  prometheus::Registry* registry = nullptr;
  const Clock* clock = &Clock::System();
};

// Open, add service() to the process's gRPC server, Start; Stop after the server.
class AuthModule {
 public:
  // Makes what the first start makes: the tenant's first admin, the key of this machine, the signing keys (1 s).
  //
  // Errors:
  //   INVALID_ARGUMENT     A setting outside its bounds; the message names it.
  //   FAILED_PRECONDITION  A key file is damaged or can be read by others; the message says how to mend that.
  //   UNAVAILABLE          The catalog does not answer.
  static absl::StatusOr<std::unique_ptr<AuthModule>> Open(AuthModuleOptions options, absl::Time deadline);
  ~AuthModule();

  // Lives as long as the module.
  grpc::Service& service();

  // The first admin's one-time password, for showing at a start; empty once it has been changed, and in a process that
  // hasn't got its file.
  const std::string& first_password() const;

  // Starts to renew the signing keys and to remove what has ended.
  void Start();
  void Stop();

 private:
  class Parts;
  explicit AuthModule(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_AUTH_MODULE_H_
