#include "catalog/postgres_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/migrations.h"

namespace rivermeet::catalog {
namespace {

// The server with its folder, which goes after it.
struct Shared {
  ServerTempDir folder;
  std::unique_ptr<PrivatePostgres> server;
};

// Kept until the process ends, so that each test does not pay for a start.
std::shared_ptr<PrivatePostgres> SharedServer() {
  static const std::shared_ptr<Shared> shared = [] {
    auto made = std::make_shared<Shared>();
    auto server = PrivatePostgres::Open({.data = made->folder.path(), .user = "postgres", .on_trouble = nullptr});
    RM_CHECK_OK(server.status());
    made->server = *std::move(server);
    RM_CHECK_OK(made->server->Start(absl::Now() + absl::Seconds(60)));
    return made;
  }();
  return {shared, shared->server.get()};
}

}  // namespace

ServerTempDir::ServerTempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "rivermeet-test-XXXXXX").string();
  RM_CHECK(mkdtemp(pattern.data()) != nullptr);
  chmod(pattern.c_str(), 0711);
  path_ = pattern;
}

ServerTempDir::~ServerTempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

CatalogFixture::CatalogFixture(bool migrated) : server_(SharedServer()), name_(fmt::format("test_{:x}", RandomId())) {
  Database admin({.connection = server_->connection()});
  RM_CHECK_OK(admin.RunAlone(Soon(), fmt::format("CREATE DATABASE {}", name_)));
  connection_ = server_->connection();
  connection_.replace(connection_.find("dbname=postgres"), std::string::npos, "dbname=" + name_);
  database_ = std::make_unique<Database>(DatabaseOptions{.connection = connection_});
  if (migrated) RM_CHECK_OK(Migrate(*database_, Soon()));
}

CatalogFixture::~CatalogFixture() {
  database_.reset();
  Database admin({.connection = server_->connection()});
  (void)admin.RunAlone(Soon(), fmt::format("DROP DATABASE {} WITH (FORCE)", name_));
}

}  // namespace rivermeet::catalog
