#include "auth/first_start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "auth/identity_store.h"
#include "authn/api_key.h"
#include "authn/base64url.h"
#include "authn/password.h"
#include "authn/seal.h"
#include "base/config.h"
#include "base/crash_point.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::auth {
namespace {

using catalog::Transaction;

constexpr std::string_view kTenant = "default";
constexpr std::string_view kAdmin = "admin";
constexpr std::string_view kLocalKeyName = "this machine";
constexpr std::string_view kSystem = "system";
// Any number of our own: one process at a time does what the first start does.
constexpr int64_t kLock = 0x72766d745f667374;

// Writes beside the place and renames, so that the file is whole or not there; 0600 from the first byte on, which
// files::WriteWholeFile() does not do.
absl::Status WriteSecretFile(const KeyFiles& files, const std::string& path, std::string_view content) {
  const auto failed = [&](const char* what) {
    return absl::FailedPreconditionError(ToAbsl(fmt::format("can't {} {}: {}", what, path, strerror(errno))));
  };
  std::error_code error;
  if (std::filesystem::create_directories(files.folder, error)) chmod(files.folder.c_str(), 0700);
  const std::string made = fmt::format("{}.{}", path, RandomId());
  const int fd = open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return failed("make");
  const bool written =
      write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && fsync(fd) == 0;
  close(fd);
  if (!written || rename(made.c_str(), path.c_str()) != 0) {
    const absl::Status status = failed("write");
    unlink(made.c_str());
    return status;
  }
  const int folder = open(files.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const absl::Status synced = folder >= 0 && fsync(folder) == 0 ? absl::OkStatus() : failed("sync the folder of");
  if (folder >= 0) close(folder);
  return synced;
}

absl::Status TakeLock(Transaction& transaction) {
  return transaction.Execute("SELECT pg_advisory_xact_lock($1)", {kLock}).status();
}

}  // namespace

absl::StatusOr<std::string> MasterKey(const KeyFiles& files) {
  absl::StatusOr<std::string> text = ReadSecretFile(files.master);
  if (absl::IsNotFound(text.status())) {
    RM_RETURN_IF_ERROR(WriteSecretFile(files, files.master, fmt::format("{}\n", RandomToken(authn::kSealKeyBytes))));
    text = ReadSecretFile(files.master);
  }
  RM_RETURN_IF_ERROR(text.status());
  const std::optional<std::string> key = authn::DecodeBase64Url(*text);
  if (!key || key->size() != authn::kSealKeyBytes) {
    return absl::FailedPreconditionError(ToAbsl(fmt::format(
        "{} does not hold a key: restore it from a backup, or remove it to have a new one made (sessions go on)",
        files.master)));
  }
  return *key;
}

absl::StatusOr<std::string> EnsureFirstAdmin(catalog::Database& database, const KeyFiles& files, const Clock& clock,
                                             absl::Time deadline) {
  std::string password;
  RM_RETURN_IF_ERROR(database.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    password.clear();
    RM_RETURN_IF_ERROR(TakeLock(transaction));
    RM_ASSIGN_OR_RETURN(const std::vector<User> users, ListUsers(transaction, kTenant));
    if (!users.empty()) return absl::OkStatus();
    const std::string made = authn::OneTimePassword();
    RM_ASSIGN_OR_RETURN(const std::string hash, authn::HashPassword(made));
    const User admin{.id = NewUuid(),
                     .tenant = std::string(kTenant),
                     .name = std::string(kAdmin),
                     .role = authn::Role::kAdmin,
                     .password_hash = hash,
                     .must_change_password = true,
                     .created = clock.Now()};
    RM_RETURN_IF_ERROR(InsertUser(transaction, admin));
    RM_RETURN_IF_ERROR(Audit(transaction, kTenant, kSystem, "user.create", admin.id, "admin"));
    // The file before the commit: a crash in between leaves a file that the next start replaces, never an admin whose
    // password nobody knows.
    RM_RETURN_IF_ERROR(WriteSecretFile(files, files.password, fmt::format("{}\n", made)));
    CrashPoint("auth.first_admin.before_commit");
    password = made;
    return absl::OkStatus();
  }));
  return password;
}

absl::Status EnsureLocalKey(catalog::Database& database, const KeyFiles& files, const Clock& clock,
                            absl::Time deadline) {
  const absl::StatusOr<std::string> text = ReadSecretFile(files.local);
  if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
  const std::optional<authn::ApiKey> there = text.ok() ? authn::ApiKey::Parse(*text) : std::nullopt;
  return database.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(TakeLock(transaction));
    if (there) {
      RM_ASSIGN_OR_RETURN(const std::optional<ApiKeyRow> row, FindApiKey(transaction, there->id));
      if (row && row->IsGood(clock.Now()) && authn::EqualSecrets(row->secret_hash, authn::HashSecret(there->secret))) {
        return absl::OkStatus();
      }
    }
    RM_ASSIGN_OR_RETURN(const std::vector<ApiKeyRow> lost, ListApiKeys(transaction, kTenant, kSystem));
    for (const ApiKeyRow& key : lost) {
      RM_RETURN_IF_ERROR(RevokeApiKey(transaction, key.id, clock.Now()));
      RM_RETURN_IF_ERROR(Audit(transaction, kTenant, kSystem, "api_key.revoke", key.id, "its file was lost"));
    }
    const authn::ApiKey made = authn::ApiKey::Generate();
    RM_RETURN_IF_ERROR(InsertApiKey(transaction, ApiKeyRow{.id = made.id,
                                                           .tenant = std::string(kTenant),
                                                           .name = std::string(kLocalKeyName),
                                                           .role = authn::Role::kAdmin,
                                                           .secret_hash = authn::HashSecret(made.secret),
                                                           .created_by = std::string(kSystem),
                                                           .created = clock.Now(),
                                                           .expires = std::nullopt,
                                                           .last_used = std::nullopt,
                                                           .revoked = false}));
    RM_RETURN_IF_ERROR(Audit(transaction, kTenant, kSystem, "api_key.create", made.id, "admin"));
    RM_RETURN_IF_ERROR(WriteSecretFile(files, files.local, fmt::format("{}\n", made.ToString())));
    CrashPoint("auth.local_key.before_commit");
    return absl::OkStatus();
  });
}

absl::Status RemoveSpentPassword(catalog::Database& database, const KeyFiles& files, absl::Time deadline) {
  if (access(files.password.c_str(), F_OK) != 0) return absl::OkStatus();
  std::optional<User> admin;
  RM_RETURN_IF_ERROR(database.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(admin, FindUser(transaction, kTenant, kAdmin));
    return absl::OkStatus();
  }));
  if (admin && admin->must_change_password) return absl::OkStatus();
  unlink(files.password.c_str());
  return absl::OkStatus();
}

}  // namespace rivermeet::auth
