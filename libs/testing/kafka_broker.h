// A real Apache Kafka broker (KRaft, one node) for tests, on loopback.
#ifndef RIVERMEET_TESTING_KAFKA_BROKER_H_
#define RIVERMEET_TESTING_KAFKA_BROKER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rivermeet::testing {

// Its jars come from `tools/setup --kafka`. One thread at a time. The broker ends with the thread that started it.
class KafkaBroker {
 public:
  // Formats `folder`, which must exist, and starts a broker on two free ports; takes some three seconds.
  //
  // Errors:
  //   FAILED_PRECONDITION  No jars or no Java: run tools/setup --kafka.
  //   UNAVAILABLE          The broker ended or did not get ready; the message has the end of its log.
  static absl::StatusOr<std::unique_ptr<KafkaBroker>> Start(const std::string& folder);
  ~KafkaBroker();

  // host:port, for clients.
  const std::string& address() const { return address_; }
  pid_t pid() const { return pid_; }

  void Kill();    // SIGKILL
  void Pause();   // SIGSTOP: connections stay, nothing is answered
  void Resume();  // SIGCONT
  // On the same data and ports, after Kill().
  absl::Status Restart();

 private:
  KafkaBroker(std::string folder, int port) : folder_(std::move(folder)), port_(port) {}

  absl::Status Configure(int controller_port);
  absl::Status Format();
  absl::Status Run();

  const std::string folder_;
  const int port_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_KAFKA_BROKER_H_
