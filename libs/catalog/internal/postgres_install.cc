#include "catalog/internal/postgres_install.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/strings.h"

namespace rivermeet::catalog {
namespace {

std::optional<PostgresInstall> In(const std::string& folder) {
  PostgresInstall install{.initdb = folder + "/initdb", .postgres = folder + "/postgres"};
  if (access(install.initdb.c_str(), X_OK) != 0 || access(install.postgres.c_str(), X_OK) != 0) return std::nullopt;
  return install;
}

}  // namespace

absl::StatusOr<PostgresInstall> FindPostgres(const std::string& version, const std::string& root) {
  std::optional<PostgresInstall> best;
  int best_version = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root, ignored)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    if (!ParseNumber(name, number) || number <= best_version || (!version.empty() && name != version)) continue;
    if (auto found = In(entry.path().string() + "/bin")) {
      best = std::move(found);
      best_version = number;
    }
  }
  if (best) return *best;
  if (const char* path = std::getenv("PATH"); path != nullptr && version.empty()) {
    for (const std::string_view folder : Split(path, ':')) {
      if (auto found = In(std::string(folder))) return *found;
    }
  }
  const std::string package = version.empty() ? "postgresql" : "postgresql-" + version;
  return absl::FailedPreconditionError(ToAbsl(fmt::format(
      "PostgreSQL{}{} is not installed: run `sudo apt-get install {}`, or set catalog.connection to a server of your "
      "own",
      version.empty() ? "" : " ", version, package)));
}

}  // namespace rivermeet::catalog
