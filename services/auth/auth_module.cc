#include "auth/auth_module.h"

#include <thread>

#include "absl/time/clock.h"
#include "auth/auth_metrics.h"
#include "auth/auth_service.h"
#include "auth/first_start.h"
#include "auth/grpc_auth.h"
#include "auth/key_ring.h"
#include "authn/api_key.h"
#include "authn/jwt_verifier.h"
#include "base/config.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "base/stop_signal.h"
#include "base/strings.h"
#include "rpc/authorizer.h"
#include "telemetry/logging.h"

namespace rivermeet::auth {
namespace {

constexpr absl::Duration kRefreshEvery = absl::Seconds(30);
constexpr absl::Duration kCleanUpEvery = absl::Minutes(10);
constexpr absl::Duration kStepTimeout = absl::Seconds(10);

// A setting as a duration, or its default when it is absent.
absl::StatusOr<absl::Duration> Setting(std::string_view name, bool present, const google::protobuf::Duration& value,
                                       absl::Duration fallback, absl::Duration least, absl::Duration most) {
  if (!present) return fallback;
  const absl::Duration set = FromProto(value);
  if (set >= least && set <= most) return set;
  return absl::InvalidArgumentError(
      ToAbsl(fmt::format("auth.{}: {} is not between {} and {}", name, absl::FormatDuration(set),
                         absl::FormatDuration(least), absl::FormatDuration(most))));
}

absl::StatusOr<AuthOptions> OptionsOf(const config::v1::AuthConfig& config) {
  AuthOptions options;
  if (!config.issuer().empty()) options.tokens.issuer = config.issuer();
  RM_ASSIGN_OR_RETURN(options.access_lifetime,
                      Setting("access_lifetime", config.has_access_lifetime(), config.access_lifetime(),
                              options.access_lifetime, absl::Minutes(1), absl::Hours(1)));
  RM_ASSIGN_OR_RETURN(options.refresh_lifetime,
                      Setting("refresh_lifetime", config.has_refresh_lifetime(), config.refresh_lifetime(),
                              options.refresh_lifetime, absl::Hours(1), absl::Hours(24 * 90)));
  return options;
}

absl::StatusOr<KeyRingOptions> KeyRingOptionsOf(const config::v1::AuthConfig& config, absl::Duration token_lifetime,
                                                std::string seal_key) {
  KeyRingOptions options;
  options.token_lifetime = token_lifetime;
  options.seal_key = std::move(seal_key);
  RM_ASSIGN_OR_RETURN(options.rotation, Setting("key_rotation", config.has_key_rotation(), config.key_rotation(),
                                                options.rotation, absl::Hours(1), absl::Hours(24 * 365)));
  return options;
}

// The auth service verifies its own callers without a detour over the network.
class LocalVerifier final : public authn::TokenVerifier {
 public:
  LocalVerifier(AuthService& service, const AuthOptions& options, const Clock& clock)
      : service_(service),
        jwt_(
            {.issuer = options.tokens.issuer, .audience = options.tokens.audience},
            [&service](absl::Time deadline) { return service.Publish(deadline); }, clock) {}

  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time deadline) override {
    if (!authn::LooksLikeApiKey(bearer)) return jwt_.Verify(bearer, deadline);
    RM_ASSIGN_OR_RETURN(const AccessToken token, service_.ExchangeApiKey(bearer, deadline));
    return jwt_.Verify(token.token, deadline);
  }
  absl::Status Recheck(const authn::Principal& principal, absl::Time deadline) override {
    return jwt_.Recheck(principal, deadline);
  }

 private:
  AuthService& service_;
  authn::JwtVerifier jwt_;
};

}  // namespace

class AuthModule::Parts {
 public:
  Parts(AuthModuleOptions options, AuthOptions auth, KeyRingOptions keys)
      : options_(std::move(options)),
        files_(options_.keys_folder),
        metrics_(*options_.registry),
        keys_(*options_.database, std::move(keys), *options_.clock),
        service_(*options_.database, keys_, auth, *options_.clock),
        verifier_(service_, auth, *options_.clock),
        bearers_({}, verifier_, nullptr, *options_.clock),
        authorizer_(bearers_),
        grpc_(service_, authorizer_, metrics_, *options_.clock) {}

  ~Parts() { Stop(); }

  absl::Status Prepare(absl::Time deadline) {
    RM_RETURN_IF_ERROR(RefreshKeys(deadline));
    RM_RETURN_IF_ERROR(EnsureFirstAdmin(*options_.database, files_, *options_.clock, deadline).status());
    // Told at each start until it has been changed: who missed it once needs it the next time.
    RM_RETURN_IF_ERROR(RemoveSpentPassword(*options_.database, files_, deadline));
    first_password_ = ReadSecretFile(files_.password).value_or("");
    return EnsureLocalKey(*options_.database, files_, *options_.clock, deadline);
  }

  void Start() {
    RM_CHECK(!thread_.joinable());
    thread_ = std::thread([this] { Loop(); });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    stop_.Stop();
    thread_.join();
  }

  grpc::Service& service() { return grpc_; }
  const std::string& first_password() const { return first_password_; }

 private:
  absl::Status RefreshKeys(absl::Time deadline) {
    const absl::Status status = keys_.Refresh(deadline);
    if (status.ok()) {
      metrics_.keys_read.Set(absl::ToDoubleSeconds(options_.clock->Now() - absl::UnixEpoch()));
    } else {
      metrics_.keys_failures.Increment();
      telemetry::Log(telemetry::Level::kWarn, "the signing keys could not be read", {{"error", status}});
    }
    return status;
  }

  void Loop() {
    absl::Time next_clean_up = absl::Now() + kCleanUpEvery;
    while (stop_.SleepFor(kRefreshEvery)) {
      (void)RefreshKeys(absl::Now() + kStepTimeout);
      (void)RemoveSpentPassword(*options_.database, files_, absl::Now() + kStepTimeout);
      if (absl::Now() < next_clean_up) continue;
      next_clean_up = absl::Now() + kCleanUpEvery;
      if (const absl::Status status = service_.CleanUp(absl::Now() + kStepTimeout); !status.ok()) {
        telemetry::Log(telemetry::Level::kWarn, "ended sessions could not be removed", {{"error", status}});
      }
    }
  }

  const AuthModuleOptions options_;
  const KeyFiles files_;
  AuthMetrics metrics_;
  KeyRing keys_;
  AuthService service_;
  LocalVerifier verifier_;
  rpc::BearerVerifier bearers_;
  rpc::Authorizer authorizer_;
  GrpcAuth grpc_;
  std::string first_password_;
  StopSignal stop_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<AuthModule>> AuthModule::Open(AuthModuleOptions options, absl::Time deadline) {
  RM_CHECK(options.database != nullptr && options.registry != nullptr && options.clock != nullptr);
  RM_ASSIGN_OR_RETURN(AuthOptions auth, OptionsOf(options.config));
  RM_ASSIGN_OR_RETURN(std::string master, MasterKey(KeyFiles(options.keys_folder)));
  RM_ASSIGN_OR_RETURN(KeyRingOptions keys, KeyRingOptionsOf(options.config, auth.access_lifetime, std::move(master)));
  auto parts = std::make_unique<Parts>(std::move(options), std::move(auth), std::move(keys));
  RM_RETURN_IF_ERROR(parts->Prepare(deadline));
  return std::unique_ptr<AuthModule>(new AuthModule(std::move(parts)));
}

AuthModule::AuthModule(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
AuthModule::~AuthModule() = default;
grpc::Service& AuthModule::service() { return parts_->service(); }
const std::string& AuthModule::first_password() const { return parts_->first_password(); }
void AuthModule::Start() { parts_->Start(); }
void AuthModule::Stop() { parts_->Stop(); }

}  // namespace rivermeet::auth
