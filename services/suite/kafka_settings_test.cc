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

TEST_CASE("a Kafka setting that lacks another is refused with what it lacks", "[suite]") {
  const std::string sasl = "log.kafka_security with SASL needs log.kafka_user and log.kafka_password_file";
  const std::string pair = "log.kafka_certificate and log.kafka_key go together";
  const std::pair<std::vector<std::string>, std::string> lacking[] = {
      {{"log.kind=kafka"}, "log.kind kafka needs log.kafka_brokers"},
      {{"log.kafka_security=sasl_ssl", "log.kafka_user=ada"}, sasl},
      {{"log.kafka_security=sasl_ssl", "log.kafka_password_file=p"}, sasl},
      {{"log.kafka_security=ssl", "log.kafka_certificate=c"}, pair},
      {{"log.kafka_security=ssl", "log.kafka_key=k"}, pair},
      {{"log.kafka_certificate=c", "log.kafka_key=k"}, "need log.kafka_security ssl or sasl_ssl"}};
  for (const auto& [settings, message] : lacking) {
    const std::string status = LoadSettings("", {}, settings).status().ToString();
    CAPTURE(settings, status);
    CHECK(status.find(message) != std::string::npos);
  }
}

TEST_CASE("a key that others can read doesn't reach Kafka's client", "[suite]") {
  const testing::TempDir folder;
  const std::string key = folder / "key.pem";
  std::ofstream(key) << "k\n";
  config::v1::EventLogConfig log;
  log.set_kafka_security("ssl");
  log.set_kafka_certificate("c");
  log.set_kafka_key(key);
  chmod(key.c_str(), 0644);
  CHECK(absl::IsFailedPrecondition(KafkaOptionsOf(log).status()));
  chmod(key.c_str(), 0600);
  auto options = KafkaOptionsOf(log);
  REQUIRE(options.ok());
  CHECK(options->settings["ssl.key.location"] == key);
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
