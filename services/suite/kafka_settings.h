// How the settings reach Kafka's client.
#ifndef RIVERMEET_SUITE_KAFKA_SETTINGS_H_
#define RIVERMEET_SUITE_KAFKA_SETTINGS_H_

#include "absl/status/statusor.h"
#include "eventlog/kafka_event_log.h"
#include "rivermeet/config/v1/shared.pb.h"

namespace rivermeet::suite {

// Errors: INVALID_ARGUMENT, a Kafka setting is out of its range or lacks another; the message names it.
absl::Status CheckKafkaSettings(const config::v1::EventLogConfig& log);

// Reads the password's file, so that no secret is in the settings.
//
// Errors: as CheckKafkaSettings(), and
//   NOT_FOUND            A file is missing.
//   FAILED_PRECONDITION  A secret can be read by others.
absl::StatusOr<eventlog::KafkaEventLogOptions> KafkaOptionsOf(const config::v1::EventLogConfig& log);

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_KAFKA_SETTINGS_H_
