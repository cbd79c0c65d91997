#include "suite/kafka_settings.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::suite {
namespace {

const std::set<std::string_view> kSecurity = {"", "plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
const std::set<std::string_view> kMechanisms = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

uint32_t CopiesOf(const config::v1::EventLogConfig& log) { return std::max(1u, log.kafka_replication_factor()); }

bool IsSasl(const config::v1::EventLogConfig& log) { return log.kafka_security().starts_with("sasl_"); }
bool IsTls(const config::v1::EventLogConfig& log) { return log.kafka_security().ends_with("ssl"); }

}  // namespace

absl::Status CheckKafkaSettings(const config::v1::EventLogConfig& log) {
  const auto wrong = [](std::string_view what) { return absl::InvalidArgumentError(ToAbsl(what)); };
  if (log.kind() == "kafka" && log.kafka_brokers().empty()) return wrong("log.kind kafka needs log.kafka_brokers");
  if (CopiesOf(log) > 32) return wrong("log.kafka_replication_factor is 1 to 32");
  if (log.kafka_min_insync_replicas() > CopiesOf(log)) {
    return wrong("log.kafka_min_insync_replicas is 1 to log.kafka_replication_factor");
  }
  if (!kSecurity.contains(log.kafka_security())) {
    return wrong("log.kafka_security is plaintext, ssl, sasl_plaintext or sasl_ssl");
  }
  if (!kMechanisms.contains(log.kafka_sasl_mechanism())) {
    return wrong("log.kafka_sasl_mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
  }
  if (IsSasl(log) && (log.kafka_user().empty() || log.kafka_password_file().empty())) {
    return wrong("log.kafka_security with SASL needs log.kafka_user and log.kafka_password_file");
  }
  if (!IsSasl(log) && !log.kafka_user().empty()) {
    return wrong("log.kafka_user needs log.kafka_security sasl_plaintext or sasl_ssl");
  }
  if (log.kafka_certificate().empty() != log.kafka_key().empty()) {
    return wrong("log.kafka_certificate and log.kafka_key go together");
  }
  const bool has_tls = !log.kafka_certificate().empty() || !log.kafka_authority().empty();
  if (has_tls && !IsTls(log)) {
    return wrong("log.kafka_certificate and log.kafka_authority need log.kafka_security ssl or sasl_ssl");
  }
  return absl::OkStatus();
}

absl::StatusOr<eventlog::KafkaEventLogOptions> KafkaOptionsOf(const config::v1::EventLogConfig& log) {
  RM_RETURN_IF_ERROR(CheckKafkaSettings(log));
  eventlog::KafkaEventLogOptions options;
  options.brokers = log.kafka_brokers();
  options.topic = log.kafka_topic();
  options.partitions = log.partitions();
  options.replication_factor = static_cast<int>(CopiesOf(log));
  options.min_insync_replicas = log.kafka_min_insync_replicas() > 0 ? static_cast<int>(log.kafka_min_insync_replicas())
                                                                    : std::max(1, options.replication_factor - 1);
  if (!log.kafka_security().empty()) options.settings["security.protocol"] = log.kafka_security();
  if (!log.kafka_authority().empty()) options.settings["ssl.ca.location"] = log.kafka_authority();
  if (!log.kafka_certificate().empty()) {
    // The client reads it by its path; whether others can is looked at here.
    RM_RETURN_IF_ERROR(ReadSecretFile(log.kafka_key()).status());
    options.settings["ssl.certificate.location"] = log.kafka_certificate();
    options.settings["ssl.key.location"] = log.kafka_key();
  }
  if (IsSasl(log)) {
    options.settings["sasl.mechanism"] =
        log.kafka_sasl_mechanism().empty() ? "SCRAM-SHA-512" : log.kafka_sasl_mechanism();
    options.settings["sasl.username"] = log.kafka_user();
    RM_ASSIGN_OR_RETURN(options.settings["sasl.password"], ReadSecretFile(log.kafka_password_file()));
  }
  return options;
}

}  // namespace rivermeet::suite
