// The whole service over gRPC, as other processes see it.
#include "auth/auth_module.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "auth/first_start.h"
#include "base/config.h"
#include "base/status.h"
#include "catalog/postgres_fixture.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/bearer_verifier.h"
#include "rpc/call.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/status.h"

namespace rivermeet::auth {
namespace {

constexpr char kPassword[] = "a river meets the sea";

absl::Time Soon() { return catalog::CatalogFixture::Soon(); }

// One process with the auth service.
struct Process {
  prometheus::Registry registry;
  std::unique_ptr<AuthModule> module;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<v1::AuthService::Stub> stub;

  Process(catalog::CatalogFixture& catalog, const std::string& keys) {
    auto opened = AuthModule::Open(
        {.config = {}, .keys_folder = keys, .database = &catalog.database(), .registry = &registry}, Soon());
    RM_CHECK_OK(opened.status());
    module = *std::move(opened);
    server = rpc::Server::Start({.listen = "127.0.0.1:0"}, {&module->service()}).value();
    stub = v1::AuthService::NewStub(server->InProcessChannel());
    module->Start();
  }
  ~Process() {
    server->Stop(absl::Now() + absl::Seconds(5));
    module->Stop();
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::AuthService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, const std::string& bearer = "") {
    grpc::ClientContext context;
    rpc::PrepareCall(context, {.bearer = bearer, .traceparent = "", .deadline = Soon()}, absl::Seconds(20));
    return rpc::FromGrpc((stub.get()->*method)(&context, request, response));
  }

  absl::StatusOr<v1::LoginResponse> Login(const std::string& password) {
    v1::LoginRequest request;
    request.set_user("admin");
    request.set_password(password);
    v1::LoginResponse response;
    RM_RETURN_IF_ERROR(Call(&v1::AuthService::Stub::Login, request, &response));
    return response;
  }
};

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

TEST_CASE("the first start makes one password and one local key, told until the password is changed", "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  const KeyFiles files(folder / "keys");
  std::string local;
  {
    Process first(catalog, files.folder);
    CHECK(*ReadSecretFile(files.password) == first.module->first_password());
    CHECK(ModeOf(files.folder) == 0700);
    for (const std::string& file : {files.master, files.local, files.password}) CHECK(ModeOf(file) == 0600);
    local = *ReadSecretFile(files.local);
    v1::WhoAmIResponse who;
    CHECK(first.Call(&v1::AuthService::Stub::WhoAmI, v1::WhoAmIRequest(), &who, local).ok());
    CHECK(who.role() == v1::ROLE_ADMIN);
    CHECK(who.name() == "this machine");
    CHECK(who.tenant_name() == "Default");
  }
  std::string password;
  {
    Process second(catalog, files.folder);
    password = second.module->first_password();
    CHECK(*ReadSecretFile(files.password) == password);
    CHECK(*ReadSecretFile(files.local) == local);
    v1::ChangePasswordRequest change;
    change.set_current_password(password);
    change.set_new_password(kPassword);
    v1::ChangePasswordResponse changed;
    const auto login = second.Login(password);
    REQUIRE(login.ok());
    REQUIRE(second.Call(&v1::AuthService::Stub::ChangePassword, change, &changed, login->tokens().access_token()).ok());
  }
  Process third(catalog, files.folder);
  CHECK(third.module->first_password().empty());
  CHECK_FALSE(std::filesystem::exists(files.password));
}

TEST_CASE("a lost or damaged local key is replaced and the old one stops", "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  const KeyFiles files(folder / "keys");
  std::string lost;
  {
    Process first(catalog, files.folder);
    lost = *ReadSecretFile(files.local);
  }
  std::filesystem::remove(files.local);
  Process second(catalog, files.folder);
  v1::WhoAmIResponse who;
  CHECK(second.Call(&v1::AuthService::Stub::WhoAmI, {}, &who, lost).code() == absl::StatusCode::kUnauthenticated);
  CHECK(second.Call(&v1::AuthService::Stub::WhoAmI, {}, &who, *ReadSecretFile(files.local)).ok());
}

TEST_CASE("a key file that others can read, a damaged one and a setting out of bounds stop the start by name",
          "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  prometheus::Registry registry;
  const KeyFiles files(folder / "keys");
  AuthModuleOptions options{
      .config = {}, .keys_folder = files.folder, .database = &catalog.database(), .registry = &registry};
  options.config.mutable_access_lifetime()->set_seconds(1);
  const absl::Status setting = AuthModule::Open(options, Soon()).status();
  CHECK(setting.code() == absl::StatusCode::kInvalidArgument);
  CHECK(setting.ToString().find("auth.access_lifetime") != std::string::npos);

  options.config.Clear();
  std::filesystem::create_directories(files.folder);
  std::ofstream(files.master) << "nonsense";
  chmod(files.master.c_str(), 0600);
  CHECK(AuthModule::Open(options, Soon()).status().ToString().find("master.key") != std::string::npos);
  chmod(files.master.c_str(), 0644);
  CHECK(AuthModule::Open(options, Soon()).status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("over gRPC a one-time password opens nothing but its own change", "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  const KeyFiles files(folder / "keys");
  Process process(catalog, files.folder);
  const auto first = process.Login(process.module->first_password());
  REQUIRE(first.ok());
  CHECK(first->must_change_password());
  const std::string bearer = first->tokens().access_token();
  v1::ListApiKeysResponse keys;
  v1::CreateTicketResponse ticket;
  CHECK(process.Call(&v1::AuthService::Stub::ListApiKeys, {}, &keys, bearer).code() ==
        absl::StatusCode::kPermissionDenied);
  CHECK(process.Call(&v1::AuthService::Stub::CreateTicket, {}, &ticket, bearer).code() ==
        absl::StatusCode::kPermissionDenied);

  v1::ChangePasswordRequest change;
  change.set_current_password(process.module->first_password());
  change.set_new_password(kPassword);
  v1::ChangePasswordResponse changed;
  REQUIRE(process.Call(&v1::AuthService::Stub::ChangePassword, change, &changed, bearer).ok());
  CHECK(process.Call(&v1::AuthService::Stub::ListApiKeys, {}, &keys, changed.tokens().access_token()).ok());
  CHECK(keys.keys_size() == 1);
  CHECK(process.Login(kPassword).ok());
  REQUIRE(RemoveSpentPassword(catalog.database(), files, Soon()).ok());
  CHECK_FALSE(std::filesystem::exists(files.password));
}

TEST_CASE("another process's verifier accepts tokens and keys, and refuses a revoked one soon", "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  Process process(catalog, folder / "keys");
  const std::string local = *ReadSecretFile(folder / "keys/local.key");
  const rpc::ChannelSource channel = [&] {
    return rpc::MakeChannel(fmt::format("127.0.0.1:{}", process.server->port()));
  };
  authn::JwtVerifier tokens({}, rpc::PublishedBy(channel));
  rpc::BearerVerifier verifier({}, tokens, channel);
  const auto role = [&](const std::string& bearer) { return (*verifier.Verify(bearer, Soon()))->principal().role; };
  CHECK(role(local) == authn::Role::kAdmin);

  v1::CreateApiKeyRequest request;
  request.set_name("sender");
  request.set_role(v1::ROLE_EDITOR);
  v1::CreateApiKeyResponse made;
  REQUIRE(process.Call(&v1::AuthService::Stub::CreateApiKey, request, &made, local).ok());
  CHECK((*verifier.Verify(made.secret(), Soon()))->principal().subject == made.key().id());
  v1::ExchangeApiKeyRequest exchange;
  exchange.set_api_key(made.secret());
  v1::ExchangeApiKeyResponse token;
  REQUIRE(process.Call(&v1::AuthService::Stub::ExchangeApiKey, exchange, &token).ok());
  CHECK(role(token.access_token()) == authn::Role::kEditor);

  v1::RevokeApiKeyRequest revoke;
  revoke.set_id(made.key().id());
  v1::RevokeApiKeyResponse revoked;
  REQUIRE(process.Call(&v1::AuthService::Stub::RevokeApiKey, revoke, &revoked, local).ok());
  absl::StatusOr<rpc::CredentialPtr> late = nullptr;
  for (const absl::Time deadline = Soon(); late.ok() && absl::Now() < deadline;) {
    late = verifier.Verify(made.secret(), Soon());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(late.status().code() == absl::StatusCode::kUnauthenticated);
  CHECK(verifier.Verify(token.access_token(), Soon()).status().code() == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("roles are kept over gRPC", "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  Process process(catalog, folder / "keys");
  const std::string local = *ReadSecretFile(folder / "keys/local.key");
  v1::CreateApiKeyRequest request;
  request.set_name("reader");
  request.set_role(v1::ROLE_VIEWER);
  v1::CreateApiKeyResponse viewer;
  REQUIRE(process.Call(&v1::AuthService::Stub::CreateApiKey, request, &viewer, local).ok());
  v1::CreateApiKeyResponse none;
  v1::ListUsersResponse users;
  v1::CreateUserRequest user;
  v1::CreateUserResponse created;
  user.set_name("ada");
  user.set_role(v1::ROLE_VIEWER);
  const std::string bearer = viewer.secret();
  CHECK(process.Call(&v1::AuthService::Stub::CreateApiKey, request, &none, bearer).code() ==
        absl::StatusCode::kPermissionDenied);
  CHECK(process.Call(&v1::AuthService::Stub::ListUsers, {}, &users, bearer).code() ==
        absl::StatusCode::kPermissionDenied);
  CHECK(process.Call(&v1::AuthService::Stub::CreateUser, user, &created, bearer).code() ==
        absl::StatusCode::kPermissionDenied);
  CHECK(process.Call(&v1::AuthService::Stub::ListUsers, {}, &users).code() == absl::StatusCode::kUnauthenticated);
  CHECK(process.Call(&v1::AuthService::Stub::CreateUser, user, &created, local).ok());
  CHECK(process.Call(&v1::AuthService::Stub::ListUsers, {}, &users, local).ok());
  CHECK(users.users_size() == 2);

  request.set_role(static_cast<v1::Role>(99));
  CHECK(process.Call(&v1::AuthService::Stub::CreateApiKey, request, &none, local).code() ==
        absl::StatusCode::kInvalidArgument);
  request.set_role(v1::ROLE_VIEWER);
  request.mutable_expires()->set_seconds(INT64_MAX);
  CHECK(process.Call(&v1::AuthService::Stub::CreateApiKey, request, &none, local).code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(telemetry::RenderMetrics({&process.registry})
            .find(R"(rivermeet_auth_calls_total{code="OK",method="ListUsers"} 1)") != std::string::npos);
}

}  // namespace
}  // namespace rivermeet::auth
