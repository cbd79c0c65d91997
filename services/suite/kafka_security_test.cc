// Against a real broker whose listeners ask for certificates and passwords: tools/setup --kafka brings it.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "absl/time/clock.h"
#include "base/status.h"
#include "suite/kafka_settings.h"
#include "testing/certificate_authority.h"
#include "testing/kafka_broker.h"
#include "testing/temp_dir.h"

namespace rivermeet::suite {
namespace {

constexpr char kPassword[] = "very-secret";

struct SecureBroker {
  const testing::TempDir folder;
  const testing::CertificateAuthority authority;
  std::unique_ptr<testing::KafkaBroker> broker;

  SecureBroker() {
    auto started =
        testing::KafkaBroker::Start(folder.path(), testing::KafkaSecurity{.certificate = authority.certificate(),
                                                                          .key = authority.key(),
                                                                          .authority = authority.authority(),
                                                                          .user = "ada",
                                                                          .password = kPassword});
    INFO(started.status().ToString());
    REQUIRE(started.ok());
    broker = std::move(started).value();
  }

  config::v1::EventLogConfig Tls() const {
    config::v1::EventLogConfig log;
    log.set_kind("kafka");
    log.set_partitions(1);
    log.set_kafka_brokers(broker->tls_address());
    log.set_kafka_topic("t");
    log.set_kafka_security("ssl");
    log.set_kafka_authority(authority.authority());
    log.set_kafka_certificate(authority.certificate());
    log.set_kafka_key(authority.key());
    return log;
  }
  config::v1::EventLogConfig Sasl(const std::string& mechanism, const std::string& password) const {
    const std::string file = folder / "password";
    std::ofstream(file) << password << "\n";
    chmod(file.c_str(), 0600);
    config::v1::EventLogConfig log = Tls();
    log.clear_kafka_certificate();
    log.clear_kafka_key();
    log.set_kafka_brokers(broker->sasl_address());
    log.set_kafka_security("sasl_ssl");
    log.set_kafka_sasl_mechanism(mechanism);
    log.set_kafka_user("ada");
    log.set_kafka_password_file(file);
    return log;
  }
};

// Whether a record comes back from the log that `log` leads to.
absl::Status AppendAndRead(const config::v1::EventLogConfig& log) {
  RM_ASSIGN_OR_RETURN(eventlog::KafkaEventLogOptions options, KafkaOptionsOf(log));
  options.open_timeout = absl::Seconds(5);
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<eventlog::KafkaEventLog> opened, eventlog::KafkaEventLog::Open(options));
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  RM_ASSIGN_OR_RETURN(const eventlog::Offset offset, opened->AppendAndWait(0, {"h", "p"}, deadline));
  RM_ASSIGN_OR_RETURN(const auto reader, opened->OpenReader(0, offset));
  RM_ASSIGN_OR_RETURN(const auto records, reader->Read(1 << 20, deadline));
  CHECK(records.size() == 1);
  opened->Stop(deadline);
  return absl::OkStatus();
}

TEST_CASE("a broker that asks for certificates or passwords is reached with the right ones alone", "[suite][kafka]") {
  const SecureBroker secure;
  RM_CHECK_OK(AppendAndRead(secure.Tls()));
  RM_CHECK_OK(AppendAndRead(secure.Sasl("SCRAM-SHA-512", kPassword)));
  RM_CHECK_OK(AppendAndRead(secure.Sasl("PLAIN", kPassword)));
  // `reason` is what an operator needs to read.
  const auto check_refused = [](const config::v1::EventLogConfig& log, const std::string& reason) {
    const std::string status = AppendAndRead(log).ToString();
    INFO(status);
    CHECK(status.starts_with("UNAVAILABLE: brokers 127.0.0.1:"));
    CHECK(status.find(reason) != std::string::npos);
    CHECK(status.find("wrong-secret") == std::string::npos);
  };
  check_refused(secure.Sasl("SCRAM-SHA-512", "wrong-secret"), "invalid credentials");
  check_refused(secure.Sasl("PLAIN", "wrong-secret"), "Invalid username or password");
  config::v1::EventLogConfig nameless = secure.Tls();
  nameless.clear_kafka_certificate();
  nameless.clear_kafka_key();
  check_refused(nameless, "bad certificate");
  // Another authority than the broker's: it could be anybody.
  const testing::CertificateAuthority other;
  config::v1::EventLogConfig stranger = secure.Tls();
  stranger.set_kafka_authority(other.authority());
  check_refused(stranger, "certificate verify failed");
}

}  // namespace
}  // namespace rivermeet::suite
