#include "suite/settings.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/config.h"
#include "base/loopback.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "suite/kafka_settings.h"

namespace rivermeet::suite {
namespace {

// RIVERMEET_ names that are not settings: read by the command line, by tools, tests and crash points.
const std::vector<std::string> kReserved = {
    "RIVERMEET_URL",      "RIVERMEET_GRPC",      "RIVERMEET_KEY",         "RIVERMEET_KEY_FILE",
    "RIVERMEET_CA",       "RIVERMEET_DATA",      "RIVERMEET_DEPS",        "RIVERMEET_PROGRAM",
    "RIVERMEET_CRASH_AT", "RIVERMEET_CRASH_RUN", "RIVERMEET_SHARED_DATA", "RIVERMEET_TEST_SKIP_FDATASYNC"};

// Written as a settings file would be, so that it shows the form.
constexpr char kBuiltIn[] = R"({
  "data": "data",
  "log": {"kind": "local", "partitions": 2, "kafka_topic": "rivermeet-events", "kafka_replication_factor": 1,
          "kafka_security": "plaintext", "kafka_sasl_mechanism": "SCRAM-SHA-512", "segment_bytes": "134217728",
          "retention": "3600s"},
  "catalog": {"connections": 4},
  "rpc": {"listen": "127.0.0.1:7401"},
  "telemetry": {"log_level": "info", "log_format": "json"},
  "gateway": {"address": "127.0.0.1", "port": 7400, "max_connections": 18000, "max_connections_per_client": 1000,
              "max_body_bytes": "8388608", "requests_per_second": 2000, "max_live_queries": 1024, "logins_per_minute": 20, "drain_timeout": "10s"},
  "auth": {"issuer": "rivermeet", "access_lifetime": "600s", "refresh_lifetime": "1209600s",
           "key_rotation": "2592000s"},
  "ingest": {"max_inflight_bytes": "268435456", "max_future": "300s", "append_timeout": "10s", "max_fields": 512},
  "aggregation": {"snapshot_interval": "10s", "snapshot_bytes": "268435456", "hot_bytes": "1073741824", "max_series": 1000000,
                  "hot_age": "300s", "watermark_delay": "2s", "allowed_lateness": "60s", "lease": "9s",
                  "lease_renewal": "3s"},
  "query": {"timeout": "30s", "memory_bytes": "268435456", "concurrency": 16, "max_rows": "1000000"}
})";

// Where the built web app lies: installed beside the program, or in the tree that the program was built in.
std::string FindWebFolder() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"web", "../share/rivermeet/web", "../../../../web/dist"}) {
    const std::filesystem::path folder = (program / place).lexically_normal();
    if (std::filesystem::exists(folder / "index.html", error)) return folder.string();
  }
  return "";
}

}  // namespace

config::v1::SuiteConfig BuiltInSettings() {
  config::v1::SuiteConfig settings;
  RM_CHECK_OK(MergeJson(kBuiltIn, settings));
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  settings.mutable_aggregation()->set_owner_name(host);
  settings.mutable_gateway()->set_web_folder(FindWebFolder());
  return settings;
}

absl::StatusOr<config::v1::SuiteConfig> LoadSettings(const std::string& file,
                                                     const std::vector<std::string>& environment,
                                                     const std::vector<std::string>& flags) {
  config::v1::SuiteConfig settings = BuiltInSettings();
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return absl::NotFoundError(fmt::format("can't read the settings file {}", file));
    const std::string json((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    RM_RETURN_IF_ERROR(Annotate(MergeJson(json, settings), file));
  }
  RM_RETURN_IF_ERROR(MergeEnvironment(environment, kReserved, settings));
  for (const std::string& flag : flags) {
    const size_t equals = flag.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(fmt::format("--set {}: write it as path=value", flag));
    }
    RM_RETURN_IF_ERROR(SetField(flag.substr(0, equals), flag.substr(equals + 1), settings));
  }
  RM_RETURN_IF_ERROR(CheckSettings(settings));
  return settings;
}

namespace {

absl::Status CheckListen(const config::v1::RpcConfig& rpc) {
  const size_t colon = rpc.listen().rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !ParseNumber(std::string_view(rpc.listen()).substr(colon + 1), port) ||
      port > 65535) {
    return absl::InvalidArgumentError(
        fmt::format("rpc.listen \"{}\" is not host:port with a port from 0 to 65535", rpc.listen()));
  }
  if (!IsLoopback(rpc.listen()) && rpc.tls_certificate().empty()) {
    return absl::InvalidArgumentError(
        fmt::format("rpc.listen {} can be reached from other machines and needs TLS: set rpc.tls_certificate, "
                    "rpc.tls_key and rpc.tls_authority",
                    rpc.listen()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSettings(const config::v1::SuiteConfig& settings) {
  const auto& gateway = settings.gateway();
  if (gateway.port() > 65535) return absl::InvalidArgumentError("gateway.port is 0 to 65535");
  if (gateway.tls_certificate().empty() != gateway.tls_key().empty()) {
    return absl::InvalidArgumentError("gateway.tls_certificate and gateway.tls_key go together");
  }
  if (!IsLoopback(gateway.address()) && gateway.tls_certificate().empty()) {
    return absl::InvalidArgumentError(
        fmt::format("gateway.address {} can be reached from other machines and needs TLS: set gateway.tls_certificate "
                    "and gateway.tls_key",
                    gateway.address()));
  }
  RM_RETURN_IF_ERROR(CheckListen(settings.rpc()));
  const auto& log = settings.log();
  if (log.kind() != "local" && log.kind() != "kafka") {
    return absl::InvalidArgumentError(fmt::format("log.kind \"{}\" is not local or kafka", log.kind()));
  }
  RM_RETURN_IF_ERROR(CheckKafkaSettings(log));
  if (log.partitions() < 1 || log.partitions() > 1024) {
    return absl::InvalidArgumentError("log.partitions is 1 to 1,024");
  }
  if (log.segment_bytes() < (1 << 20) || log.segment_bytes() > (uint64_t{2} << 30)) {
    return absl::InvalidArgumentError("log.segment_bytes is 1 MiB to 2 GiB");
  }
  if (FromProto(log.retention()) < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("log.retention is not negative");
  }
  if (settings.catalog().connections() < 1 || settings.catalog().connections() > 100) {
    return absl::InvalidArgumentError("catalog.connections is 1 to 100");
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::suite
