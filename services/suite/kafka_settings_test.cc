#include "suite/kafka_settings.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "base/strings.h"
#include "suite/settings.h"
#include "testing/temp_dir.h"

namespace rivermeet::suite {
namespace {

TEST_CASE("Kafka settings that can't be are refused by name", "[suite]") {
  for (const std::string wrong :
       {"log.kafka_replication_factor=33", "log.kafka_min_insync_replicas=2", "log.kafka_security=tls",
        "log.kafka_sasl_mechanism=GSSAPI", "log.kafka_security=sasl_ssl", "log.kafka_user=ada",
        "log.kafka_certificate=c", "log.kafka_authority=a"}) {
    INFO(wrong);
    const std::string message = LoadSettings("", {}, {wrong}).status().ToString();
    CHECK(message.find(wrong.substr(0, wrong.find('='))) != std::string::npos);
  }
  CHECK(LoadSettings("", {}, {"log.kafka_replication_factor=3", "log.kafka_min_insync_replicas=3"}).ok());
}

TEST_CASE("copies, TLS and SASL reach Kafka's client, the password from its file", "[suite]") {
  const testing::TempDir folder;
  const std::string file = folder / "password";
  std::ofstream(file) << "verysecret\n";
  config::v1::EventLogConfig log;
  log.set_kind("kafka");
  log.set_partitions(2);
  log.set_kafka_brokers("127.0.0.1:1");
  log.set_kafka_topic("t");
  log.set_kafka_replication_factor(3);
  log.set_kafka_security("sasl_plaintext");
  log.set_kafka_user("ada");
  log.set_kafka_password_file(file);
  chmod(file.c_str(), 0644);
  CHECK(absl::IsFailedPrecondition(KafkaOptionsOf(log).status()));
  chmod(file.c_str(), 0600);
  auto options = KafkaOptionsOf(log);
  REQUIRE(options.ok());
  CHECK(options->replication_factor == 3);
  CHECK(options->min_insync_replicas == 2);
  CHECK(options->settings["sasl.password"] == "verysecret");
  CHECK(options->settings["sasl.mechanism"] == "SCRAM-SHA-512");
  // The client takes them; nobody listens there.
  options->open_timeout = absl::Milliseconds(200);
  CHECK(absl::IsUnavailable(eventlog::KafkaEventLog::Open(*options).status()));
  log.set_kafka_security("ssl");
  log.clear_kafka_user();
  log.set_kafka_authority(folder / "none.pem");
  CHECK(absl::IsInvalidArgument(eventlog::KafkaEventLog::Open(*KafkaOptionsOf(log)).status()));
}

}  // namespace
}  // namespace rivermeet::suite
