#include <cctype>

#include "base/status.h"
#include "base/strings.h"
#include "cli/internal/commands.h"
#include "cli/text_table.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"
#include "commandline/durations.h"

namespace rivermeet::cli {
namespace {

std::string RoleText(auth::v1::Role role) {
  const std::string name = auth::v1::Role_Name(role);
  return name.rfind("ROLE_", 0) == 0 ? ToLower(std::string_view(name).substr(5)) : "?";
}

absl::StatusOr<auth::v1::Role> ParseRole(const std::string& text) {
  std::string name = "ROLE_";
  for (const char c : text) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  auth::v1::Role role = auth::v1::ROLE_UNSPECIFIED;
  if (auth::v1::Role_Parse(name, &role) && role != auth::v1::ROLE_UNSPECIFIED) return role;
  return absl::InvalidArgumentError(fmt::format("\"{}\" is no role: viewer, editor or admin", text));
}

std::string TimeText(const google::protobuf::Timestamp& time, bool present, const char* otherwise) {
  if (!present) return otherwise;
  return absl::FormatTime("%E4Y-%m-%d %H:%MZ", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

struct CreateFlags {
  std::string name;
  std::string role = "editor";
  std::string expires;
};

absl::Status Create(const CreateFlags& flags, const client::ConnectionFlags& connection, int& exit_code) {
  auth::v1::CreateApiKeyRequest request;
  exit_code = commandline::kUsage;
  request.set_name(flags.name);
  RM_ASSIGN_OR_RETURN(const auth::v1::Role role, ParseRole(flags.role));
  request.set_role(role);
  if (!flags.expires.empty()) {
    RM_ASSIGN_OR_RETURN(const absl::Duration lifetime, commandline::ParseDuration(flags.expires));
    request.mutable_expires()->set_seconds(absl::ToUnixSeconds(absl::Now() + lifetime));
  }
  exit_code = commandline::kOk;
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_ASSIGN_OR_RETURN(const auto answer, client->CreateApiKey(request, absl::Now() + kAnswerTimeout));
  // The key alone on standard output, so that `> key` keeps just that.
  fmt::print("{}\n", answer.secret());
  fmt::print(stderr,
             "Made key {} \"{}\" with the role {}. It is shown this once: keep it in a file only you can read.\n",
             ForTerminal(answer.key().id()), ForTerminal(answer.key().name()), RoleText(answer.key().role()));
  return absl::OkStatus();
}

absl::Status List(const client::ConnectionFlags& connection) {
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_ASSIGN_OR_RETURN(const auto answer, client->ListApiKeys(absl::Now() + kAnswerTimeout));
  TextTable table({"id", "name", "role", "created", "expires", "last used", "created by"});
  for (const auth::v1::ApiKey& key : answer.keys()) {
    table.AddRow({key.id(), key.name(), RoleText(key.role()), TimeText(key.created(), key.has_created(), "-"),
                  TimeText(key.expires(), key.has_expires(), "never"),
                  TimeText(key.last_used(), key.has_last_used(), "never"), key.created_by()});
  }
  fmt::print("{}", table.ToString());
  return absl::OkStatus();
}

absl::Status Revoke(const std::string& id, const client::ConnectionFlags& connection) {
  // Whoever pastes the whole key means its id; the secret goes nowhere.
  const std::vector<std::string_view> parts = Split(id, '_');
  const std::string key_id = parts.size() >= 2 && parts[0] == "rm" ? std::string(parts[1]) : id;
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_RETURN_IF_ERROR(client->RevokeApiKey(key_id, absl::Now() + kAnswerTimeout));
  fmt::print("Revoked {}. Nothing can sign in with it any more.\n", ForTerminal(key_id));
  return absl::OkStatus();
}

absl::Status ResetPassword(const std::string& user, const client::ConnectionFlags& connection) {
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_ASSIGN_OR_RETURN(const std::string password, client->ResetPassword(user, absl::Now() + kAnswerTimeout));
  fmt::print("{}\n", password);
  fmt::print(stderr, "One-time password of {}: it must be changed at the next sign-in. All their sessions are ended.\n",
             ForTerminal(user));
  return absl::OkStatus();
}

}  // namespace

void AddKeys(CLI::App& app) {
  CLI::App& keys = *app.add_subcommand("keys", "API keys: create, list, revoke");
  keys.require_subcommand(1);

  auto flags = std::make_shared<CreateFlags>();
  CLI::App& create = *keys.add_subcommand("create", "Make a key and print it; it is shown this once");
  create.add_option("name", flags->name, "What the key is for")->required()->type_name("NAME");
  create.add_option("--role", flags->role, "viewer (read), editor (also send) or admin; else editor")
      ->type_name("ROLE");
  create.add_option("--expires", flags->expires, "How long it is good, such as 90d; else for ever")
      ->type_name("DURATION");
  auto connection = client::AddConnectionFlags(create);
  create.footer("Example:\n  (umask 077; rivermeet keys create \"line 4 sensors\" --expires 90d > key)");
  SetForegroundAction(create, [flags, connection](int& exit_code) { return Create(*flags, *connection, exit_code); });

  CLI::App& list = *keys.add_subcommand("list", "List the keys, newest first; never their secrets");
  connection = client::AddConnectionFlags(list);
  SetForegroundAction(list, [connection](int&) { return List(*connection); });

  auto id = std::make_shared<std::string>();
  CLI::App& revoke = *keys.add_subcommand("revoke", "End a key at once");
  revoke.add_option("id", *id, "The key's id, the part between rm_ and the secret")->required()->type_name("ID");
  connection = client::AddConnectionFlags(revoke);
  SetForegroundAction(revoke, [id, connection](int&) { return Revoke(*id, *connection); });
}

void AddAdmin(CLI::App& app) {
  CLI::App& admin = *app.add_subcommand("admin", "What only an admin may do");
  admin.require_subcommand(1);
  auto user = std::make_shared<std::string>();
  CLI::App& reset = *admin.add_subcommand("reset-password", "Give a user a new one-time password and print it");
  reset.add_option("user", *user, "The user's name")->required()->type_name("USER");
  const auto connection = client::AddConnectionFlags(reset);
  reset.footer(
      "On the suite's machine the key file in its data folder gives the right, so that nobody is locked out.\n\n"
      "Example:\n  rivermeet admin reset-password admin --data ./data");
  SetForegroundAction(reset, [user, connection](int&) { return ResetPassword(*user, *connection); });
}

}  // namespace rivermeet::cli
